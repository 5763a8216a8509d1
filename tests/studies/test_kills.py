"""The study of kills notices what is lost, what differs and what is left."""

import json
import subprocess
import sys
from typing import Any

import pytest

from studies.killing import Subject, table
from tests.paths import ROOT

# Work that is too long to end before a kill, until it was killed three times.
SCRIPT = """
import json, random, sys, tempfile, time
from pathlib import Path
from studies.killing import Subject, trial

def work(folder):
    runs = folder / "runs"
    before = runs.read_text() if runs.exists() else ""
    {work}
    if len(list(folder.glob("killed*"))) < 3:
        time.sleep(600)
    return {status}

def confirmed(folder):
    (folder / f"killed{{time.monotonic_ns()}}").touch()
    return {confirmed}

class Thrice(random.Random):
    def randint(self, *_):
        return 3

def state(folder):
    return (folder / "runs").read_text() if (folder / "runs").exists() else ""

with tempfile.TemporaryDirectory() as scratch:
    subject = Subject("slow", work, state, confirmed=confirmed, seconds=0.5)
    trial(subject, Path(scratch) / "b", Thrice(3), "x")
    print(json.dumps([subject.kills, subject.trials, subject.lost]))
"""


def tried(work: str, *, status: int = 0, confirmed: str = "[]") -> Any:
    script = SCRIPT.format(work=work, status=status, confirmed=confirmed)
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


WHOLE = "runs.write_text('x')"


def test_a_process_that_was_killed_and_goes_on_has_lost_nothing() -> None:
    kills, trials, lost = tried(WHOLE)
    assert kills == 3
    assert (trials, lost) == (1, [])


@pytest.mark.parametrize(
    ("work", "options", "words"),
    [
        ("runs.write_text(before + 'x')", {}, "another result than without kills"),
        (f"{WHOLE}; (folder / '.a.partial').touch()", {}, "left .a.partial"),
        (WHOLE, {"status": 3}, "ended with status 3 after the kills"),
        (WHOLE, {"confirmed": "['lost the verdict 1']"}, "lost the verdict 1"),
    ],
)
def test_what_goes_wrong_is_noticed(work: str, options: dict[str, Any], words: str) -> None:
    kills, _, lost = tried(work, **options)
    assert kills == 3
    assert words in lost


def test_the_table_names_what_was_lost_once() -> None:
    first = Subject("train", lambda _: 0, lambda _: 0, seconds=2.25, kills=3, trials=2)
    second = Subject("app", lambda _: 0, lambda _: 0, kills=1, trials=1, lost=["left a", "left a"])
    lines = table([first, second]).splitlines()
    assert lines[2] == "| train | 3 | 2 | 2.2 | nothing |"
    assert lines[3] == "| app | 1 | 1 | 0.0 | left a |"
    assert lines[4] == "| all | 4 | 3 | | |"
