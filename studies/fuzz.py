"""Is every input either right or refused with one sentence? Thousands of changed files, tables and requests.

Usage: python -m studies.fuzz --inputs 20000

Inputs are valid ones of every format that were changed inside their structure, with checksums and lengths made anew.
Each is tried in a child process. It must give a result that keeps its promises (pixels finite and in [0, 1], masks of
the radiograph's size, no empty mask from a file with shapes) or one error of this package whose text is a single
sentence without paths. Everything else is a finding: another exception, a crash, a hang, a line in the log, more
memory or CPU time than allowed. Findings are written to --out with the input that led to them. A number and a seed
always give the same input, and a run with the same seed and folder continues where it stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deep_pneumonia.cli import Help, guarded
from deep_pneumonia.errors import DeepPneumoniaError
from studies.fuzz_child import Outcome, serve
from studies.fuzz_kinds import KINDS, made

START_SECONDS = 600  # until a child has imported everything
EXIT_SECONDS = 10


class Child:
    """A process that tries inputs, started anew after a crash or a hang."""

    def __init__(self, log: Path, hang_seconds: float) -> None:
        self.log, self.hang_seconds = log, hang_seconds
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, str(self.log)), daemon=False)
        self.process.start()
        theirs.close()
        if not self._is_ready():
            raise DeepPneumoniaError("The child process does not start; child.log in --out says why.")

    def _is_ready(self) -> bool:
        try:
            return self.connection.poll(START_SECONDS) and self.connection.recv() == "ready"
        except EOFError:
            return False

    def tried(self, kind: str, data: bytes) -> Outcome:
        """What an input leads to; a crash and a hang are findings too."""
        try:
            self.connection.send((kind, data))
            if self.connection.poll(self.hang_seconds):
                return self.connection.recv()
            problem = "hang"
            self.process.kill()
        except (EOFError, OSError):
            self.process.join()
            problem = f"crash with status {self.process.exitcode}"
        self.stop()
        self._start()
        return Outcome(None, problem, kind)

    def stop(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self.connection.send(None)
        self.process.join(EXIT_SECONDS)
        self.process.kill()
        self.process.join()
        self.connection.close()


def fuzz(a: argparse.Namespace) -> int:
    """Try inputs from the first that has no result yet, print the table, and return the number of findings."""
    names = tuple(a.kind or KINDS)
    a.out.mkdir(parents=True, exist_ok=True)
    results = a.out / f"results-{a.seed}.jsonl"
    done = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    if done and tuple(done[0]["kinds"]) != names:
        raise DeepPneumoniaError(f"{results} is of a run with other kinds; give another --seed or --out.")
    numbers = [a.only] if a.only is not None else range(len(done), a.inputs)
    child = Child(a.out / "child.log", a.hang_seconds)
    try:
        with results.open("a") as stream:
            for number, kind, data, outcome in _outcomes(child, names, a, numbers):
                row = _row(a, number, kind, data, outcome)
                done.append(row | ({} if done else {"kinds": names}))
                if a.only is None:
                    stream.write(json.dumps(done[-1]) + "\n")
                    stream.flush()
                else:
                    print(json.dumps(row, indent=1))
    finally:
        child.stop()
    print(table(done))
    return sum(bool(row["finding"]) for row in done)


def _outcomes(
    child: Child, names: tuple[str, ...], a: argparse.Namespace, numbers: Sequence[int]
) -> Iterator[tuple[int, str, bytes, Outcome]]:
    until = time.monotonic() + 60 * a.minutes if a.minutes else float("inf")
    for number in numbers:
        if time.monotonic() > until:
            print(f"Stopped after {a.minutes:g} minutes; the same command continues.", file=sys.stderr)
            return
        kind, data = made(names, a.seed, number)
        yield number, kind, data, child.tried(kind, data)


def _row(a: argparse.Namespace, number: int, kind: str, data: bytes, outcome: Outcome) -> dict[str, Any]:
    """The result of an input as it is stored; the input itself is stored if something is wrong."""
    finding, place = outcome.finding, outcome.place
    limit = a.accepted_mebibytes if outcome.accepted else a.refused_mebibytes
    if not finding and outcome.mebibytes > limit:
        finding, place = f"more than {limit:g} MiB", kind
    if not finding and outcome.seconds > a.cpu_seconds:
        finding, place = f"more than {a.cpu_seconds:g} s of CPU", kind
    row = {"number": number, "kind": kind, **asdict(outcome), "bytes": len(data), "finding": finding, "place": place}
    if finding:
        stem = a.out / f"finding-{a.seed}-{number}"
        stem.with_suffix(KINDS[kind].suffix).write_bytes(data)
        stem.with_suffix(".txt").write_text(json.dumps(row | {"seed": a.seed}, indent=1) + "\n")
    return {key: value for key, value in row.items() if key != "detail" or finding}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Inputs, accepted, refused and findings by kind, then each finding once with how often it was seen."""
    lines = [f"{'kind':<16}{'inputs':>8}{'accepted':>10}{'refused':>9}{'findings':>10}{'MiB':>7}{'CPU s':>7}"]
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    for kind in [*kinds, ""]:
        some = [row for row in rows if kind in ("", row["kind"])]
        if some:
            count = Counter(row["accepted"] for row in some)
            found = sum(bool(row["finding"]) for row in some)
            most = [max(row[key] for row in some) for key in ("mebibytes", "seconds")]
            lines.append(
                f"{kind or 'all':<16}{len(some):>8}{count[True]:>10}{count[False]:>9}{found:>10}"
                f"{most[0]:>7.0f}{most[1]:>7.2f}"
            )
    findings = Counter((row["kind"], row["finding"], row["place"]) for row in rows if row["finding"])
    first = {(row["kind"], row["finding"], row["place"]): row["number"] for row in reversed(rows)}
    for key, times in findings.most_common():
        lines.append(f"{times:>6} x {key[0]}: {key[1]}: {key[2]} (first: input {first[key]})")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; returns 0 without findings, 1 with some, 2 with one line on stderr if it cannot run."""
    p = argparse.ArgumentParser(prog="python -m studies.fuzz", description=__doc__, formatter_class=Help)
    p.add_argument("--inputs", type=int, default=20_000, metavar="N", help="number of inputs")
    p.add_argument("--seed", type=int, default=0, help="of all inputs")
    p.add_argument("--minutes", type=float, default=0, help="stop after this time; 0 for no limit")
    p.add_argument(
        "--kind", action="append", choices=tuple(KINDS), help="only these kinds; may be repeated (default: all)"
    )
    p.add_argument("--only", type=int, metavar="NUMBER", help="try one input again and print what it leads to")
    p.add_argument("--hang-seconds", type=float, default=120, metavar="S", help="longer than this is a hang")
    p.add_argument("--cpu-seconds", type=float, default=2, metavar="S", help="CPU time allowed for an input")
    p.add_argument(
        "--refused-mebibytes", type=float, default=200, metavar="MIB", help="memory allowed for a refused input"
    )
    p.add_argument("--accepted-mebibytes", type=float, default=700, metavar="MIB", help="and for an accepted one")
    p.add_argument("--out", type=Path, default=Path("runs/fuzz"), metavar="DIR", help="folder of results and findings")
    a = p.parse_args(argv)
    found = 0

    def run() -> None:
        nonlocal found
        found = fuzz(a)

    return guarded(run) or int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
