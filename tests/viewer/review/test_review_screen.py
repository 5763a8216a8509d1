"""What the Review screen answers to its page, without a browser."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import load_cases
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer import app as frame
from deep_pneumonia.viewer.opened_case import runs
from deep_pneumonia.viewer.review.screen import Review
from deep_pneumonia.viewer.review.workspaces import Workspaces
from tests.blocks import inside

TOKEN = "0" * 32


@pytest.fixture(scope="module")
def predictor(trained: Path) -> Predictor:
    return Predictor.load(trained / "checkpoint", "cpu")


@pytest.fixture
def review(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> Iterator[Review]:
    """The screen in a viewer whose pages begin with three teaching cases."""
    made: list[Review] = []

    class Kept(Review):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            made.append(self)

    monkeypatch.setattr(frame, "Review", Kept)
    with Workspaces(predictor.predict, predictor.checkpoint.key, load_cases(shipped.CASES)[:3]) as workspaces:
        inside(lambda: frame.build(predictor, None, workspaces))
        yield made[0]


def ask(review: Review, what: str, token: str = TOKEN, **given: Any) -> dict[str, Any]:
    return review.asked({"what": what, "token": token, **given})


def rows(review: Review) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ask(review, "list")["rows"])
    return found


def square(size: tuple[int, int], at: int, side: int = 40) -> list[int]:
    mask = np.zeros(size, bool)
    mask[at : at + side, at : at + side] = True
    return runs(mask)


def test_the_list_has_a_row_for_each_case_already_read(review: Review) -> None:
    answer = ask(review, "list")
    found = json.loads(answer["rows"])
    assert [row["id"] for row in found] == [1, 2, 3]
    assert not answer["shared"]
    for row in found:
        lesions = [a for a in row["agreement"] if a["kind"] != "normal"]
        assert row["predicted"] in review.inspect.predictor.checkpoint.classes
        assert row["iou"] == pytest.approx(np.mean([a["iou"] for a in lesions]) if lesions else None)
        assert row["disagreement"] == (pytest.approx(1 - row["iou"]) if lesions else row["disagreement"])
    assert ask(review, "predict") == {"rows": [], "left": 0}


def test_a_verdict_is_kept_and_one_from_another_window_is_said(review: Review) -> None:
    given = {"id": 2, "reviewer": "Ana", "verdict": "partly", "comment": " too low "}
    row = ask(review, "judge", **given, version=0)["row"]
    assert row["verdicts"]["Ana"]["verdict"] == "partly"
    assert row["verdicts"]["Ana"]["comment"] == "too low"
    again = ask(review, "judge", **{**given, "verdict": "agree"}, version=0)
    assert "was changed by Ana" in again["conflict"]
    assert again["row"]["verdicts"]["Ana"]["version"] == 1
    assert ask(review, "judge", **{**given, "verdict": "agree"}, version=1)["row"]["verdicts"]["Ana"]["version"] == 2
    assert rows(review)[1]["verdicts"]["Ana"]["verdict"] == "agree"


def test_a_case_opens_on_the_stage_with_what_the_list_knows(review: Review) -> None:
    changed = review.opened({"token": TOKEN, "id": 1})
    scene = changed[review.stage.html]
    case = review.workspaces.cases[0]
    assert scene["work"] == {"id": 1, "versions": {m.reader: 1 for m in case.masks}}
    assert scene["key"].startswith("work/")
    assert [m["reader"] for m in scene["masks"]] == [m.reader for m in case.masks]
    assert changed[review.inspect.opening.shown] == str(case.image)
    assert review.opened(None) == {}
    said = review.opened({"token": TOKEN, "id": 99})
    assert set(said) == {review.inspect.head["problem"], review.refused}
    assert said[review.refused] == 99
    assert changed[review.refused] is None
    assert "no case 99" in said[review.inspect.head["problem"]]


def test_drawn_masks_are_kept_and_measured_and_conflicts_keep_both(review: Review) -> None:
    size = (1024, 1024)
    new = {"reader": "Ana", "kind": "pixel", "counts": square(size, 300, 200), "version": 0}
    answer = ask(review, "draw", id=1, author="Ana", changes=[new])
    assert answer["versions"]["Ana"] == 1
    assert not answer["conflict"]
    ours = next(a for a in answer["row"]["agreement"] if a["reader"] == "Ana")
    assert 0 <= ours["iou"] <= 1
    later = {**new, "counts": square(size, 100)}
    refused = ask(review, "draw", id=1, author="Ben", changes=[later])
    assert refused["refused"] == ["Ana"]
    assert "was changed by Ana" in refused["conflict"]
    assert ask(review, "draw", id=1, author="Ben", changes=[{**later, "version": 1}])["versions"]["Ana"] == 2
    work_list = review.workspaces.open(TOKEN)
    assert [d.author for d in work_list.workspace.versions(1, "Ana")] == ["Ana", "Ben"]
    gone = ask(review, "draw", id=1, author="Ana", changes=[{"reader": "Ana", "removed": True, "version": 2}])
    assert "Ana" not in [a["reader"] for a in gone["row"]["agreement"]]
    assert gone["versions"]["Ana"] == 3, "a removal is a version like any other"


def test_a_reader_who_drew_nothing_read_it_as_normal(review: Review) -> None:
    nothing = {"reader": "Ana", "kind": "pixel", "counts": [1024 * 1024], "version": 0}
    answer = ask(review, "draw", id=1, author="Ana", changes=[nothing])
    assert answer["row"]["agreement"][-1] == {"reader": "Ana", "kind": "normal", "hit": None, "iou": None, "dice": None}


@pytest.mark.parametrize(
    "request_",
    [
        None, [], {}, {"what": "list"}, {"what": "list", "token": "short"}, {"what": "drop", "token": TOKEN},
        {"what": "judge", "token": TOKEN}, {"what": "judge", "token": TOKEN, "id": True, "version": 0},
        {"what": "judge", "token": TOKEN, "id": 1, "version": 0, "reviewer": "A", "verdict": "maybe"},
        {"what": "judge", "token": TOKEN, "id": 1, "version": 0, "reviewer": "", "verdict": "agree"},
        {"what": "judge", "token": TOKEN, "id": 1, "version": 0, "reviewer": "A" * 200, "verdict": "agree"},
        {"what": "judge", "token": TOKEN, "id": 77, "version": 0, "reviewer": "A", "verdict": "agree"},
        {"what": "draw", "token": TOKEN, "id": 1}, {"what": "draw", "token": TOKEN, "id": 1, "changes": [3]},
        {"what": "draw", "token": TOKEN, "id": 1, "changes": [{"reader": "A", "counts": [5], "version": 0}]},
        {"what": "draw", "token": TOKEN, "id": 1, "changes": [{"reader": "Nobody", "removed": True, "version": 0}]},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_answered_with_one_sentence(review: Review, request_: Any) -> None:
    answer = review.asked(request_)
    assert list(answer) == ["problem"]
    assert answer["problem"].endswith(".")


def test_the_stage_answers_for_files_of_the_work_list(review: Review, tmp_path: Path) -> None:
    opening = review.inspect.opening
    own = review.workspaces.open(TOKEN).workspace.folder / "chest.png"
    own.write_bytes(review.workspaces.cases[0].image.read_bytes())
    assert opening.mine(str(own)) == str(own)
    other = tmp_path / "secret.png"
    other.write_bytes(own.read_bytes())
    with pytest.raises(Exception, match="upload it again"):
        opening.mine(str(other))


def test_a_fault_of_the_disk_is_a_sentence_without_paths(review: Review, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise OSError(5, "Input/output error", "/srv/lists/7.db")

    monkeypatch.setitem(review.answers, "list", failing)
    problem = ask(review, "list")["problem"]
    assert "cannot read or write the work list's files: Input/output error." in problem
    assert "/srv" not in problem
