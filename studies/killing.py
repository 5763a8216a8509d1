"""How processes are killed and compared for `studies.kills`; it imports nothing of the package, so forks are cheap."""

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LEFTOVERS = ("*.partial", "*.old", ".tmp*", ".locks*", "*-wal", "*-journal")
MAX_KILLS_IN_A_ROW = 3


@dataclass
class Subject:
    """What is killed.

    work: one run in a folder, its exit status. state: what must be equal at the end. begin: prepares the folder.
    confirmed: what is missing after a kill although it was confirmed. lost: what went wrong, in words.
    """

    name: str
    work: Callable[[Path], int]
    state: Callable[[Path], Any]
    begin: Callable[[Path], object] = lambda _: None
    confirmed: Callable[[Path], list[str]] = lambda _: []
    seconds: float = 0.0
    kills: int = 0
    trials: int = 0
    lost: list[str] = field(default_factory=list)


def forked(work: Callable[[Path], int], folder: Path) -> int:
    """Begin the work in a fork whose output is dropped; returns the number of the process."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        status = work(folder)
    finally:
        os._exit(status)


def ended(child: int, seconds: float) -> int | None:
    """The exit status of a process that ends within a time, else None."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    return None


def undisturbed(subject: Subject, folder: Path) -> Any:
    """One run from the beginning to the end: its state, and how long it took."""
    folder.mkdir()
    subject.begin(folder)
    start = time.monotonic()
    status = ended(forked(subject.work, folder), 600)
    subject.seconds = time.monotonic() - start
    if status != 0:
        raise SystemExit(f"{subject.name} ended with status {status} although nobody killed it")
    return subject.state(folder)


def trial(subject: Subject, folder: Path, chance: random.Random, expected: Any) -> None:
    """Kill one run up to three times, let it end, and note what differs."""
    folder.mkdir()
    subject.begin(folder)
    for _ in range(chance.randint(1, MAX_KILLS_IN_A_ROW)):
        child = forked(subject.work, folder)
        status = ended(child, chance.random() * subject.seconds)
        if status is not None:
            break
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        subject.kills += 1
        subject.lost += subject.confirmed(folder)
    subject.trials += 1
    status = ended(forked(subject.work, folder), 600)
    if status != 0:
        subject.lost.append(f"ended with status {status} after the kills")
        return
    if subject.state(folder) != expected:
        subject.lost.append("another result than without kills")
    left = [str(p.relative_to(folder)) for pattern in LEFTOVERS for p in folder.rglob(pattern)]
    if left:
        subject.lost.append(f"left {', '.join(sorted(left)[:3])}")


def table(found: Sequence[Subject]) -> str:
    """The result as Markdown."""
    lines = ["| killed | kills | runs that ended | one run, seconds | lost or left |", "|---|---|---|---|---|"]
    for s in found:
        lost = "; ".join(dict.fromkeys(s.lost)) or "nothing"
        lines.append(f"| {s.name} | {s.kills} | {s.trials} | {s.seconds:.1f} | {lost} |")
    lines.append(f"| all | {sum(s.kills for s in found)} | {sum(s.trials for s in found)} | | |")
    return "\n".join(lines)
