"""The fuzzing study: a thousand inputs without a finding, and what its runner makes of faults."""

import json
from pathlib import Path

import pytest

from studies import fuzz
from studies.fuzz_child import Outcome, sentence_problem
from studies.fuzz_kinds import KINDS, made


@pytest.mark.slow
def test_a_thousand_inputs_are_right_or_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # CPU time has no bound here: on a busy machine it measures the machine.
    status = fuzz.main(["--inputs", "1000", "--seed", "21", "--cpu-seconds", "600", "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert status == 0, printed
    kinds = {line[:16].strip(): line[16:].split() for line in printed.splitlines()[1:]}
    assert kinds.keys() == {*KINDS, "all"}
    assert kinds["all"][0] == "1000"
    assert all(int(accepted) and int(refused) for _, accepted, refused, *_ in kinds.values()), "each is seen both ways"


def test_a_number_and_a_seed_always_give_the_same_input() -> None:
    names = tuple(KINDS)
    for number in range(60):
        assert made(names, 3, number) == made(names, 3, number)
    assert made(names, 3, 0)[1] != made(names, 4, 0)[1]


class Scripted:
    """Stands for the child process: outcomes by the number of the input."""

    def __init__(self, *_: object) -> None:
        self.number = 0

    def tried(self, kind: str, data: bytes) -> Outcome:
        assert kind == "drawings"
        assert json.loads(data) is not NotImplemented
        self.number += 1
        return [
            Outcome(True, mebibytes=300),
            Outcome(False, place="", mebibytes=300),
            Outcome(None, "raised KeyError", "opened_case.py:drawn", "Traceback"),
            Outcome(False, seconds=3),
        ][self.number % 4]

    def stop(self) -> None:
        pass


def test_findings_are_stored_counted_and_kept_for_the_next_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz, "Child", Scripted)
    options = ["--seed", "5", "--kind", "drawings", "--out", str(tmp_path)]
    assert fuzz.main([*options, "--inputs", "4"]) == 1
    first = capsys.readouterr().out
    assert "1 x drawings: more than 200 MiB: drawings (first: input 0)" in first
    assert "1 x drawings: raised KeyError: opened_case.py:drawn (first: input 1)" in first
    assert "1 x drawings: more than 2 s of CPU: drawings (first: input 2)" in first
    assert first.splitlines()[1].split()[:5] == ["drawings", "4", "1", "2", "3"]  # 300 MiB may be used if accepted
    stored = {path.name for path in tmp_path.iterdir()}
    assert stored == {"results-5.jsonl", *(f"finding-5-{n}.{end}" for n in range(3) for end in ("json", "txt"))}
    assert (tmp_path / "finding-5-1.json").read_bytes() == made(("drawings",), 5, 1)[1]
    assert json.loads((tmp_path / "finding-5-1.txt").read_text())["seed"] == 5
    assert fuzz.main([*options, "--inputs", "6"]) == 1
    assert capsys.readouterr().out.splitlines()[1].split()[1] == "6"
    assert fuzz.main([*options, "--inputs", "6", "--kind", "state.json"]) == 2
    assert "other kinds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("The file is empty; choose another file.", ""),
        ("x has 'a. B' as Target in row 2; expected 0 or 1.", ""),
        ("chest.png has more than 64 MiB; choose a smaller file", "one line"),
        ("It is bad.\nTraceback.", "one line"),
        ("/tmp/deep/x.png is bad.", "path"),
        ("It is <_io.BytesIO object at 0x7f0011223344>.", "path"),
        ("It is bad. Do something.", "several sentences"),
        ("It is " + "b" * 2000 + ".", "long"),
    ],
)
def test_what_is_no_single_plain_sentence_is_named(text: str, problem: str) -> None:
    found = sentence_problem(text)
    assert found == "" if not problem else problem in found
    assert sentence_problem("/tmp/given/m.csv lacks a column; add it.", "/tmp/given") == ""
