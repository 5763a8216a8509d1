"""The quiz without a browser: what is asked gives nothing away, and what is revealed is measured as everywhere else."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

from deep_pneumonia import shipped
from deep_pneumonia.datasets.manifest import Case, MaskRef
from deep_pneumonia.datasets.teaching_cases import load_cases
from deep_pneumonia.errors import CasesError, WorkspaceError
from deep_pneumonia.files import sha256
from deep_pneumonia.masks.annotation import write_mask
from deep_pneumonia.prediction.agreement import Scores, agree, between_readers
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import decode
from deep_pneumonia.viewer.opened_case import runs
from deep_pneumonia.viewer.review.workspaces import Workspaces, as_case
from deep_pneumonia.viewer.stage import Stage
from deep_pneumonia.viewer.teach.quiz import MARK, Quiz
from deep_pneumonia.viewer.teach.quiz_cases import Deck, QuizCase, deck, find, of_workspaces, taught
from tests.blocks import inside
from tests.phantom import draw, save_png

SIZE = (300, 260)
TEACHING = load_cases(shipped.CASES)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> dict[str, QuizCase]:
    """Cases of a workspace: two doctors, a doctor who saw nothing, a label alone, and one of which nothing is known."""
    folder = tmp_path_factory.mktemp("workspace")
    pixels, mask = draw(101, SIZE, lesion=True)
    save_png(pixels, folder / "opacity-of-someone.png")
    save_png(draw(102, SIZE)[0], folder / "clear.png")
    write_mask(mask, folder / "a.png")
    write_mask(np.roll(mask, 12, axis=1), folder / "b.png")
    ill, clear = (sha256(folder / f"{n}.png")[:12] for n in ("opacity-of-someone", "clear"))
    masks = (MaskRef(folder / "a.png", "pixel", "Dr. A"), MaskRef(folder / "b.png", "pixel", "Your mark"))
    cases = [
        QuizCase(
            ill, folder / "opacity-of-someone.png", "Opacity", "hard", masks, "Seen", "An opacity.", "Look twice."
        ),
        QuizCase(clear, folder / "clear.png", "", "", (MaskRef(None, "normal", "Dr. A"),)),
        QuizCase("00000000label", folder / "clear.png", "Clear"),
        QuizCase("000000unknown", folder / "clear.png", ""),
    ]
    return dict(zip(("ill", "clear", "label", "unknown"), cases, strict=True))


@pytest.fixture(scope="module")
def quiz(predictor: Predictor, own: dict[str, QuizCase]) -> Quiz:
    def decks(token: str) -> Sequence[QuizCase]:
        if token == "gone":
            raise WorkspaceError("That workspace is gone.")
        return tuple(own.values()) if token == "mine" else ()

    def build() -> Quiz:
        with gr.Blocks():
            with gr.Column() as left, gr.Column() as right:
                stage = Stage()
            return Quiz(predictor, stage, left, right, decks=decks)

    return inside(build)


def drawing(mask: Any) -> list[dict[str, Any]]:
    return [{"reader": MARK, "kind": "pixel", "counts": runs(mask), "size": list(mask.shape)}]


def reveal(quiz: Quiz, case: QuizCase, answer: str = "Opacity", drawings: Any = (), **more: Any) -> tuple[Any, Any]:
    request = {"id": case.id, "answer": answer, "confidence": 0.8, "drawings": list(drawings), "number": 2, "total": 3}
    return quiz.reveal("mine", request | more)


def test_a_deck_has_what_is_known_and_ids_that_tell_nothing(quiz: Quiz, own: dict[str, QuizCase]) -> None:
    assert [d["key"] for d in quiz.begin("")["decks"]] == ["teaching"]
    teaching, mine = quiz.begin("mine")["decks"]
    assert [c["id"] for c in teaching["cases"]] == [sha256(c.image)[:12] for c in TEACHING]
    assert [c["id"] for c in mine["cases"]] == [own[n].id for n in ("ill", "clear", "label")]
    # Labels that the checkpoint has are asked for; of others only whether the radiograph is normal.
    assert mine["answers"] == ["Clear", "Opacity"]
    assert teaching["answers"] == ["Clear", "Pneumonia"]
    text = json.dumps(quiz.begin(""))
    assert [w for c in TEACHING for w in (c.id, c.title, c.label, c.image.name) if w in text and w != "Pneumonia"] == []


def test_what_is_asked_gives_nothing_away(quiz: Quiz, own: dict[str, QuizCase]) -> None:
    for token, case in [("mine", own["ill"]), *(("", c) for c in taught(TEACHING)[:3])]:
        scene, answer = quiz.ask(token, {"id": case.id, "number": 2, "total": 13})
        assert answer == {"event": "ask", "id": case.id}
        assert (scene["masks"], scene["cells"], scene["files"], scene["place"]) == ([], None, None, None)
        assert (scene["name"], scene["screen"], scene["key"]) == ("Case 2 of 13", "quiz", f"quiz/{sha256(case.image)}")
        assert "locked" not in scene
        text = json.dumps({k: v for k, v in scene.items() if k != "pixels"})
        for word in (
            case.label,
            case.title,
            case.image.name,
            case.image.stem,
            case.findings,
            *(m.reader for m in case.masks),
        ):
            assert not word or word in (MARK, "") or word not in text


def test_what_is_revealed_is_measured_as_everywhere_else(
    quiz: Quiz, predictor: Predictor, own: dict[str, QuizCase]
) -> None:
    case = own["ill"]
    radiograph = decode(case.image)
    doctors = case.annotations(radiograph.size)
    mine = np.roll(doctors[0].mask, 5, axis=0)
    scene, found = reveal(quiz, case, drawings=drawing(mine))
    prediction, threshold = predictor.predict(radiograph), predictor.checkpoint.thresholds.attention
    assert scene["locked"] is True
    assert scene["cells"] == (prediction.cells.astype(float).tolist() if prediction.shows_map else None)
    assert [m["reader"] for m in scene["masks"]] == [
        "Dr. A",
        "Your mark (2)",
        MARK,
    ]  # no doctor is taken for the learner
    assert scene["masks"][-1]["counts"] == runs(mine)
    assert (found["right"], found["truth"], found["ill"], found["answer"], found["confidence"]) == (
        True, "Opacity", True, "Opacity", 0.8,
    )  # fmt: skip
    for one, doctor in zip(found["doctors"], doctors, strict=True):
        pair = between_readers(mine, doctor.mask)
        assert (one["iou"], one["dice"]) == pytest.approx((pair.iou, pair.dice))
        assert one["share_inside"] == pytest.approx((mine & doctor.mask).sum() / mine.sum())
        assert one["hit"] is None
    assert found["iou"] == pytest.approx(np.mean([one["iou"] for one in found["doctors"]]))
    assert found["among"]["iou"] == pytest.approx(between_readers(doctors[0].mask, doctors[1].mask).iou)
    by_model = [agree(prediction.attention, prediction.cells, d, threshold) for d in doctors]
    expected = Scores.mean(a.scores for a in by_model)
    assert found["attention"]["doctors"]["iou"] == pytest.approx(expected.iou)
    assert found["attention"]["doctors"]["hit"] == pytest.approx(expected.hit)
    assert found["attention"]["doctors"]["controls"]["centre"]["iou"] == pytest.approx(
        np.mean([a.controls["centre"].iou for a in by_model if a.controls["centre"].iou is not None])
    )
    by_mark = agree(prediction.attention, prediction.cells, replace(doctors[0], mask=mine), threshold)
    assert found["attention"]["learner"]["dice"] == pytest.approx(by_mark.scores.dice)
    model = found["model"]
    assert (model["answer"], model["confidence"]) == (
        prediction.predicted,
        prediction.probabilities[prediction.predicted],
    )
    assert model["right"] is (prediction.predicted == "Opacity")
    assert (found["title"], found["teaching_point"]) == ("Seen", "Look twice.")
    json.dumps(found, allow_nan=False)


def test_nothing_drawn_is_no_overlap_with_a_lesion_and_right_without_one(quiz: Quiz, own: dict[str, QuizCase]) -> None:
    scene, found = reveal(quiz, own["ill"], "Clear")
    assert (found["right"], found["iou"], found["marked"]) == (False, 0.0, False)
    assert found["attention"]["learner"] is None
    assert len(scene["masks"]) == 2
    scene, found = reveal(quiz, own["clear"], "Clear")
    assert (found["right"], found["truth"], found["ill"], found["iou"], found["marked"]) == (
        True,
        "Clear",
        False,
        None,
        False,
    )
    assert (found["doctors"], found["attention"]["doctors"], found["readers"]) == ([], None, ["Dr. A"])
    assert [m["kind"] for m in scene["masks"]] == ["normal"]
    _, found = reveal(quiz, own["clear"], "Opacity", drawing(np.eye(*SIZE, dtype=bool)))
    assert (found["right"], found["marked"]) == (False, True)
    _, found = reveal(quiz, own["label"], "Clear")
    assert (found["right"], found["readers"]) == (True, [])


def test_teaching_cases_are_ill_or_normal_by_what_the_readers_drew(quiz: Quiz) -> None:
    ill, normal = (next(c for c in quiz.teaching.cases if (c.label == "Normal") is n) for n in (False, True))
    for case, answer, right in [(ill, "Pneumonia", True), (ill, "Clear", False), (normal, "Clear", True)]:
        _, found = reveal(quiz, case, answer)
        assert (found["right"], found["truth"], found["title"]) == (right, case.label, case.title)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "<b>x</b>"}, "is not here"),
        ({"answer": "Lobar consolidation"}, "choose one of Clear, Opacity"),
        ({"answer": ["Clear"]}, "choose one of Clear, Opacity"),
        ({"confidence": 0.3}, "choose from 0.50"),
        ({"confidence": float("nan")}, "choose from 0.50"),
        ({"confidence": None}, "choose from 0.50"),
        ({"drawings": [{}]}, "malformed"),
        ({"drawings": [{}, {}]}, "list of one"),
        ({"drawings": [{"reader": "R", "counts": [5]}]}, "do not fill"),
    ],
)
def test_a_malformed_answer_is_refused_in_a_sentence(
    quiz: Quiz, own: dict[str, QuizCase], change: dict[str, Any], said: str
) -> None:
    scene, found = reveal(quiz, own["ill"], **change)
    assert "event" not in scene
    assert "pixels" not in scene
    assert found["event"] == "reveal"
    assert said in found["problem"]


def test_a_case_of_a_workspace_opens_with_its_token_alone(quiz: Quiz, own: dict[str, QuizCase]) -> None:
    for request in ({"id": own["ill"].id}, {}, None, ["x"]):
        assert "is not here" in quiz.ask("", request)[1]["problem"]
    assert quiz.ask("gone", {"id": own["ill"].id})[1]["problem"] == "That workspace is gone."
    begun = quiz.begin("gone")
    assert ([d["key"] for d in begun["decks"]], begun["problem"]) == (["teaching"], "That workspace is gone.")
    assert quiz.choose("gone")["problem"] == "That workspace is gone."


def test_a_radiograph_that_is_gone_is_said_to_be(
    quiz: Quiz, own: dict[str, QuizCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiz, "own", lambda _: [replace(own["ill"], image=Path("/nowhere/chest.png"))])
    assert quiz.ask("mine", {"id": own["ill"].id})[1]["problem"]
    assert reveal(quiz, own["ill"])[1]["problem"]


def test_a_teacher_chooses_by_name_and_picture(quiz: Quiz) -> None:
    cases = quiz.choose("mine")["cases"]
    assert [c["title"] for c in cases] == [*(c.title for c in TEACHING), "Seen", "clear.png", "clear.png"]
    assert cases[0]["about"] == "Lobar consolidation, easy"
    assert [bool(c["picture"]) for c in cases] == [True] * 13 + [False] * 3


def test_the_cases_of_an_open_workspace_come_along_without_the_teaching_cases(
    predictor: Predictor, own: dict[str, QuizCase], tmp_path: Path
) -> None:
    workspaces = Workspaces(predictor.predict, "0" * 64, TEACHING[:1], tmp_path / "shared")
    image, masks = own["ill"].image, own["ill"].masks
    assert workspaces.shared is not None
    workspaces.shared.workspace.add([Case(image, "p1", "clinic", "test", "Opacity", masks), as_case(TEACHING[0])])
    (found,) = of_workspaces(workspaces)("")
    assert (found.id, found.label, found.image) == (own["ill"].id, "Opacity", image)
    assert [
        np.array_equal(a.mask, b.mask)
        for a, b in zip(found.annotations(SIZE), own["ill"].annotations(SIZE), strict=True)
    ]
    # A page that has no workspace of its own does not begin one by opening the quiz.
    alone = Workspaces(predictor.predict, "0" * 64, TEACHING[:1])
    assert [of_workspaces(alone)(token) for token in ("", "0" * 32, "../x")] == [[], [], []]


def a_deck(*labels: str) -> Deck:
    cases = [
        QuizCase(str(i), Path("x.png"), label, masks=(MaskRef(None, "normal", "A"),)) for i, label in enumerate(labels)
    ]
    return deck("d", "D", cases, ("Bacterial", "Normal", "Viral"), "Normal")


def test_what_a_model_says_is_put_in_the_words_of_the_deck() -> None:
    probabilities = {"Bacterial": 0.3, "Normal": 0.4, "Viral": 0.3}
    assert a_deck("Viral", "", "Normal").answer_of(probabilities) == ("Normal", 0.4)
    assert a_deck("Viral", "Round").answer_of(probabilities) == ("Pneumonia", 0.6)  # together likelier than normal
    assert a_deck("Round").answer_of({"Bacterial": 0.3, "Normal": 0.5, "Viral": 0.2}) == ("Normal", 0.5)


def test_an_answer_is_right_by_its_label_or_else_by_ill_or_normal() -> None:
    named, other = a_deck("Viral", ""), a_deck("Round")
    viral, unnamed = named.cases
    assert [named.is_right(a, viral, True) for a in named.answers] == [False, False, True]
    assert [named.is_right(a, unnamed, True) for a in named.answers] == [True, False, True]
    assert [named.is_right(a, unnamed, False) for a in named.answers] == [False, True, False]
    assert [other.is_right(a, other.cases[0], True) for a in other.answers] == [False, True]
    with pytest.raises(CasesError, match="abc is not here"):
        find([named, other], "abc")
