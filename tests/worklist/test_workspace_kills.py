"""Two reviewers write one workspace and are killed again and again: nothing that they were told is kept is lost."""

import multiprocessing
import random
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.masks.annotation import to_png
from deep_pneumonia.worklist.records import VERDICTS
from deep_pneumonia.worklist.workspace import Workspace
from tests.work_lists import SIZE, annotation


def review(folder: Path, name: str, start: int, told: Connection) -> None:
    """A reviewer in a process of their own: judges and draws case after case, and tells each that is kept."""
    space = Workspace(folder)
    for number in range(start, 501):
        space.judge(number, name, VERDICTS[number % 4], f"case {number}", version=0)
        told.send(("verdict", number))
        if number % 10 == 0:
            space.draw(number, annotation(number, name), version=0, author=name)
            told.send(("mask", number))


class Reviewer:
    """What the test hears of a reviewer, who goes on where they were after each kill."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.said = folder, name, set[tuple[str, int]]()
        # A server that has everything imported forks each process: 50 of them start in seconds.
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([__name__])
        self.begin()

    def begin(self) -> None:
        last = max((number for _, number in self.said), default=1)
        self.heard, told = self.context.Pipe(duplex=False)
        self.process = self.context.Process(target=review, args=(self.folder, self.name, last, told))
        self.process.start()
        told.close()

    def hear(self, most: int = 2000) -> None:
        """What is said next; all until the end if there is no more. A message that was cut off was never said."""
        with suppress(EOFError):
            for _ in range(most):
                self.said.add(self.heard.recv())

    def killed(self) -> None:
        self.process.kill()
        self.process.join()
        self.hear()
        self.heard.close()


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_by_fifty_kills_among_two_reviewers(tmp_path: Path) -> None:
    space = Workspace(tmp_path / "space")
    for number in range(500):
        (space.folder / f"{number}.png").write_bytes(to_png(annotation(number).mask))
    space.add([Case(space.folder / f"{n}.png", f"p{n}", "own", "test") for n in range(500)])
    chance, reviewers = random.Random(7), [Reviewer(space.folder, name) for name in ("Ana", "Ben")]
    for _ in range(50):
        one = chance.choice(reviewers)
        one.hear(chance.randint(1, 12))
        time.sleep(chance.random() / 200)  # somewhere within the next change
        one.killed()
        one.begin()
    for one in reviewers:
        one.hear()
        one.process.join()
        assert one.process.exitcode == 0
    found = Workspace(space.folder).verdicts()
    for one in reviewers:
        assert len(one.said) == 550
        for kind, number in one.said:
            if kind == "verdict":
                verdict = found[number][one.name]
                assert (verdict.verdict, verdict.comment) == (VERDICTS[number % 4], f"case {number}")
            else:
                own = next(d for d in space.drawings(number) if d.reader == one.name)
                np.testing.assert_array_equal(own.annotation(SIZE).mask, annotation(number).mask)
    assert {v.version for verdicts in found.values() for v in verdicts.values()} == {1}
