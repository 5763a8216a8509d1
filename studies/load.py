"""Does the viewer keep its answers apart and its memory level with many visitors at once?

Usage: python -m studies.load --minutes 10

Starts the viewer in a process of its own. Each visitor sends radiographs and masks with known answers, damaged files,
drawings, comparisons, requests of the Review page, and asks for files of others. An answer is wrong if it is that of
another radiograph, mask or visitor, or no sentence where one is due. Refusing a request because the server is busy is
right, and counted. Printed: each action with its answers and waiting time, and the memory of the server with all its
child processes in the first and the last minute. The exit status is 1 if an answer was wrong, a file of another
visitor was given away, the server ended, or the memory of the last minute differs from the first by more than a tenth.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np

from deep_pneumonia import shipped
from deep_pneumonia.cli import Help, guarded
from deep_pneumonia.errors import DeepPneumoniaError
from studies.load_server import Server
from studies.load_visitor import ACTIONS, Failed, Films, Visitor

MAX_GROWTH = 0.10  # between the mean memory of the first and the last minute
SAMPLE_SECONDS = 1.0
Answers = dict[str, Counter[str]]


class Tally:
    """Counts answers from many threads; keeps what was wrong."""

    def __init__(self) -> None:
        self.answers: Answers = defaultdict(Counter)
        self.waits: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []
        self._lock = threading.Lock()

    def add(self, action: str, answer: str, seconds: float, detail: str = "") -> None:
        """Count one answer: right, refused, busy or wrong."""
        with self._lock:
            self.answers[action][answer] += 1
            if answer != "busy":
                self.waits[action].append(seconds)
            if answer == "wrong":
                self.wrong.append(f"{action}: {detail}")


def visit(visitor: Visitor, tally: Tally, until: float) -> None:
    """Do one action after another until the time is over."""
    while time.monotonic() < until:
        action = visitor.random.choice(ACTIONS)
        start = time.monotonic()
        try:
            answer, detail = visitor.act(action), ""
        except Failed as error:
            answer, detail = "wrong", str(error)
        except Exception as error:
            answer, detail = "wrong", f"{type(error).__name__}: {error}"
        tally.add(action, answer, time.monotonic() - start, detail)
        time.sleep(visitor.random.uniform(0.1, 1.0))


def load(a: argparse.Namespace) -> int:
    """Run the visitors, print the tables, and return the number of things that are wrong."""
    with tempfile.TemporaryDirectory() as name, Server(a.checkpoint, Path(name)) as server:
        films, tally = Films(a.checkpoint, Path(name)), Tally()
        visitors = [Visitor(n, server.address, films, Random(f"{a.seed}/{n}")) for n in range(a.visitors)]
        for visitor in visitors:
            visitor.others = [other for other in visitors if other is not visitor]
        warm(visitors, a.visitors)
        start = time.monotonic()
        until = start + 60 * a.minutes
        threads = [threading.Thread(target=visit, args=(v, tally, until)) for v in visitors]
        for thread in threads:
            thread.start()
        samples = []
        while time.monotonic() < until and server.is_running:
            samples.append((time.monotonic() - start, server.memory()))
            time.sleep(SAMPLE_SECONDS)
        for thread in threads:
            thread.join()
        alive = server.is_running
    growth = _print(tally, samples, a)
    if not alive:
        print("The server ended during the run.")
    lines = server.text.count("Traceback")
    print(f"Tracebacks in the log of the server: {lines}")
    return len(tally.wrong) + (not alive) + (abs(growth) > MAX_GROWTH) + lines


def warm(visitors: Sequence[Visitor], count: int) -> None:
    """Do every action once, then one by all at a time, so that caches and threads exist before the start."""
    for action in dict.fromkeys(ACTIONS):
        visitors[0].act(action)
    threads = [threading.Thread(target=v.act, args=("page",)) for v in visitors[:count]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _print(tally: Tally, samples: Sequence[tuple[float, int]], a: argparse.Namespace) -> float:
    print(f"{'action':<22}{'right':>8}{'refused':>9}{'busy':>7}{'wrong':>7}{'median s':>10}{'95% s':>8}")
    for action in dict.fromkeys(ACTIONS):
        count, waits = tally.answers[action], tally.waits[action] or [0.0]
        print(
            f"{action:<22}{count['right']:>8}{count['refused']:>9}{count['busy']:>7}{count['wrong']:>7}"
            f"{np.median(waits):>10.2f}{np.percentile(waits, 95):>8.2f}"
        )
    total = sum(tally.answers.values(), Counter())
    print(f"{'all':<22}{total['right']:>8}{total['refused']:>9}{total['busy']:>7}{total['wrong']:>7}")
    for line in tally.wrong[:20]:
        print(f"  {line[:300]}")
    last = 60 * a.minutes - 60
    parts = [[m for t, m in samples if low <= t < low + 60] or [m for _, m in samples] for low in (0, last)]
    first, end = (float(np.mean(part)) / 2**20 for part in parts)
    most = max(m for _, m in samples) / 2**20
    print(
        f"Memory of the server and its children: {first:.0f} MiB in the first minute, {end:.0f} MiB in the last "
        f"({(end - first) / first:+.1%}), {most:.0f} MiB at most; {a.visitors} visitors, {a.minutes:g} minutes"
    )
    return (end - first) / first


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; returns 0 if all was right, 1 if not, 2 with one line on stderr if it cannot run."""
    p = argparse.ArgumentParser(prog="python -m studies.load", description=__doc__, formatter_class=Help)
    p.add_argument("--minutes", type=float, default=10, help="how long the visitors stay")
    p.add_argument("--visitors", type=int, default=64, metavar="N", help="how many at once")
    p.add_argument("--seed", type=int, default=0, help="of what the visitors do")
    p.add_argument("--checkpoint", default=str(shipped.CHECKPOINT), metavar="DIR", help="checkpoint folder")
    a = p.parse_args(argv)
    found = 0

    def run() -> None:
        nonlocal found
        if a.visitors < 2 or a.minutes <= 0:
            raise DeepPneumoniaError(
                f"There are {a.visitors} visitors for {a.minutes:g} minutes; give 2 or more, and time."
            )
        found = load(a)

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the server is stopped with this program
    return guarded(run) or int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
