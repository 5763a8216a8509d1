"""Explanations side by side: each is what its method gives alone, and doctors' are worked by hand."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from deep_pneumonia.errors import ExplanationError, MaskSizeError
from deep_pneumonia.masks.annotation import Annotation, read_as_normal
from deep_pneumonia.prediction import explanation
from deep_pneumonia.prediction.agreement import Scores, between_readers, random_map
from deep_pneumonia.prediction.agreement import compare as scores_of
from deep_pneumonia.prediction.checkpoint import Checkpoint, Thresholds
from deep_pneumonia.prediction.explanation import available, compare, explain
from deep_pneumonia.prediction.grad_cam import grad_cam
from deep_pneumonia.prediction.model_frame import InputRecipe, enlarge
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import Radiograph
from tests.phantom import draw

SIZE = (150, 130)
PIXELS, LESION = draw(101, SIZE, lesion=True)
RADIOGRAPH = Radiograph(PIXELS, None, "PNG", colour=0.0)


def box(top: int, bottom: int, left: int = 20, right: int = 70) -> np.ndarray[Any, np.dtype[np.bool_]]:
    mask = np.zeros(SIZE, bool)
    mask[top:bottom, left:right] = True
    return mask


# A and B draw 50 x 50 pixels each and share half of them; C found the radiograph normal; D drew the lesion.
A, B = Annotation(box(50, 100), "A", "box"), Annotation(box(75, 125), "B", "box")
C, D = read_as_normal(SIZE, reader="C"), Annotation(LESION, "D", "pixel")
DRAWN = [A, B, C, D]


@pytest.fixture(scope="module")
def other() -> Predictor:
    """A checkpoint with other classes, another input and other thresholds; it has learned nothing."""
    torch.manual_seed(5)
    network = AttentionNet(ModelConfig(classes=3, width=16))
    limits = Thresholds(attention=0.1, grad_cam=0.3)
    facts = Checkpoint(network, ("Clear", "Shadow", "Opacity"), "Clear", InputRecipe(96), limits, name="plain")
    return Predictor(facts, torch.device("cpu"))


def with_threshold(predictor: Predictor, finding: float) -> Predictor:
    """The predictor with another probability of a finding from which a map is shown."""
    limits = replace(predictor.checkpoint.thresholds, finding=finding)
    return Predictor(replace(predictor.checkpoint, thresholds=limits), predictor.device)


def test_the_attention_is_the_readers_own(predictor: Predictor) -> None:
    found = compare(RADIOGRAPH, DRAWN, a="attention", b="doctor:D", predictor=predictor)
    prediction = predictor.predict(RADIOGRAPH, DRAWN)
    np.testing.assert_array_equal(found.a.map, prediction.attention)
    np.testing.assert_array_equal(found.a.cells, prediction.cells)
    assert (found.a.predicted, found.a.probabilities) == (prediction.predicted, prediction.probabilities)
    assert [f for _, f in found.a.agreement] == [g.scores for g in prediction.agreement]
    # the doctor's side of the pair is the doctor whose agreement the attention's side lists
    own = prediction.agreement[3].scores
    assert (found.difference.iou, found.difference.dice) == (own.iou, own.dice)
    assert found.difference.iou is not None
    assert 0 < found.difference.iou < 1


def test_doctors_against_each_other_worked_by_hand(predictor: Predictor) -> None:
    found = compare(RADIOGRAPH, DRAWN, a="doctor:A", b="doctor:B", predictor=predictor)
    n, area, common = 150 * 130, 2500, 1250
    assert found.difference.iou == pytest.approx(1250 / 3750)
    assert found.difference.dice == pytest.approx(1250 / 2500)
    assert found.difference.correlation == pytest.approx((n * common - area**2) / (area * (n - area)))
    both = between_readers(A.mask, B.mask)
    assert (found.difference.iou, found.difference.dice) == (both.iou, both.dice)
    itself, of_b, of_c, _ = (scores for _, scores in found.a.agreement)
    assert itself == Scores(None, 1.0, 1.0, 1.0, 1.0)
    # half of B lies at A's pixels, with precision 1/2; the rest only among all
    precision = pytest.approx(0.5 * 0.5 + 0.5 * area / n)
    assert of_b == Scores(None, both.iou, both.dice, 0.5, precision)  # type: ignore[arg-type]
    assert of_c == Scores()
    assert (found.a.predicted, found.a.probabilities, found.a.cells) == (None, None, None)


def test_what_marks_nothing_has_no_overlap_and_what_is_flat_no_correlation(predictor: Predictor) -> None:
    found = compare(RADIOGRAPH, DRAWN, a="doctor:C", b="doctor:C", predictor=predictor)
    assert found.difference == explanation.Difference(None, None, None)
    assert found.a.note == "nothing drawn"
    assert compare(RADIOGRAPH, DRAWN, a="doctor:C", b="attention", predictor=predictor).difference.iou == 0


@pytest.mark.parametrize("key", ["attention", "grad_cam", "random", "doctor:D"])
def test_an_explanation_is_equal_to_itself(key: str, predictor: Predictor) -> None:
    found = compare(RADIOGRAPH, DRAWN, a=key, b=key, predictor=predictor)
    assert found.difference.iou == found.difference.dice == 1
    assert found.difference.correlation == pytest.approx(1)


def test_random_is_one_order_of_the_attentions_cells_with_the_figures_of_that_map(predictor: Predictor) -> None:
    attention, random, again = explain(["attention", "random", "random"], RADIOGRAPH, DRAWN, [predictor])
    assert attention.cells is not None
    assert random.cells is not None
    np.testing.assert_array_equal(np.sort(random.cells, axis=None), np.sort(attention.cells, axis=None))
    assert not np.array_equal(random.cells, attention.cells)
    np.testing.assert_array_equal(random.map, again.map)
    shown = random_map(attention.cells, SIZE, explanation.RANDOM_SEED).clip(0, 1)
    np.testing.assert_array_equal(random.map, shown)
    assert random.agreement[3][1] == scores_of(shown, LESION, predictor.checkpoint.thresholds.attention)


@pytest.mark.parametrize("letter", ["", "_b"])
def test_grad_cam_explains_the_class_that_its_checkpoint_predicts(
    letter: str, predictor: Predictor, other: Predictor
) -> None:
    one = other if letter else predictor
    found = compare(RADIOGRAPH, DRAWN, a="attention" + letter, b="grad_cam" + letter, predictor=predictor, other=other)
    logits, cells = one.forward(one.model_input(RADIOGRAPH))
    expected = grad_cam(one.network, one.model_input(RADIOGRAPH), logits.argmax(1))[0].numpy()
    np.testing.assert_array_equal(found.a.cells, cells[0])
    np.testing.assert_array_equal(found.b.cells, expected)
    assert found.b.predicted == one.checkpoint.classes[int(logits.argmax())]
    assert found.b.note == f"for {found.b.predicted}, scaled to its own highest value"
    assert set(found.b.probabilities or ()) == set(one.checkpoint.classes)
    limits = one.checkpoint.thresholds
    assert (found.a.threshold, found.b.threshold) == (limits.attention, limits.grad_cam)
    assert found.b.agreement[3][1] == scores_of(enlarge(expected, SIZE).clip(0, 1), LESION, limits.grad_cam)


def test_a_checkpoint_sees_a_radiograph_once_and_only_if_asked(
    predictor: Predictor, other: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Predictor] = []
    forward = Predictor.forward
    monkeypatch.setattr(Predictor, "forward", lambda self, images: (seen.append(self), forward(self, images))[1])
    explain(["doctor:A", "doctor:D"], RADIOGRAPH, DRAWN, [predictor, other])
    assert seen == []
    explain(["attention", "grad_cam", "random"], RADIOGRAPH, DRAWN, [predictor, other])
    assert seen == [predictor]
    explain(["attention_b", "attention", "grad_cam_b"], RADIOGRAPH, DRAWN, [predictor, other])
    assert seen == [predictor, other, predictor]


def test_a_map_without_a_finding_is_withheld_with_its_random_order(predictor: Predictor) -> None:
    strict = with_threshold(predictor, 1.1)
    assert not strict.predict(RADIOGRAPH).shows_map
    keys = ["attention", "random", "grad_cam", "doctor:D"]
    found = explain(keys, RADIOGRAPH, DRAWN, [strict])
    assert [e.shows_map for e in found] == [False, False, True, True]
    assert [e.to_json()["cells"] is None for e in found] == [True, True, False, True]
    shown = explain(keys, RADIOGRAPH, DRAWN, [predictor])
    assert [e.agreement for e in found] == [e.agreement for e in shown]
    at_limit = replace(predictor.checkpoint.thresholds, finding=predictor.predict(RADIOGRAPH).finding)
    just = Predictor(replace(predictor.checkpoint, thresholds=at_limit), predictor.device)
    assert explain(["attention"], RADIOGRAPH, [], [just])[0].shows_map is just.predict(RADIOGRAPH).shows_map is True


def test_there_is_what_the_checkpoints_and_the_readers_give(predictor: Predictor, other: Predictor) -> None:
    assert available([predictor], [A, C]) == [
        ("attention", "Attention"),
        ("grad_cam", "Grad-CAM"),
        ("random", "Attention in random order"),
        ("doctor:A", "A"),
        ("doctor:C", "C"),
    ]
    assert available([predictor, other], []) == [
        ("attention", "Attention (A: trained)"),
        ("attention_b", "Attention (B: plain)"),
        ("grad_cam", "Grad-CAM (A: trained)"),
        ("grad_cam_b", "Grad-CAM (B: plain)"),
        ("random", "Attention in random order (A: trained)"),
    ]


def test_two_masks_of_one_reader_are_told_apart(predictor: Predictor) -> None:
    twice = [A, replace(B, reader="A")]
    assert [key for key, _ in available([predictor], twice)][3:] == ["doctor:A", "doctor:A (2)"]
    found = compare(RADIOGRAPH, twice, a="doctor:A", b="doctor:A (2)", predictor=predictor)
    assert found.difference.iou == pytest.approx(1 / 3)


@pytest.mark.parametrize("key", ["attention_b", "grad_cam_b", "random_b", "doctor:E", "centre", ""])
def test_an_unknown_key_is_refused_with_those_there_are(key: str, predictor: Predictor) -> None:
    with pytest.raises(ExplanationError) as refused:
        compare(RADIOGRAPH, [A, D], a="attention", b=key, predictor=predictor)
    assert str(refused.value) == (
        f"This radiograph has no explanation {key!r}; choose from attention, grad_cam, random, doctor:A, doctor:D."
    )


def test_a_mask_of_another_size_is_refused(predictor: Predictor) -> None:
    small = Annotation(np.ones((3, 3), bool), "E", "pixel")
    with pytest.raises(MaskSizeError, match=r"E has 3 x 3 pixels .* 150 x 130"):
        compare(RADIOGRAPH, [small], a="doctor:E", b="doctor:E", predictor=predictor)


def test_the_json_is_plain_and_its_cells_are_rounded_for_show_only(predictor: Predictor, other: Predictor) -> None:
    showing = with_threshold(predictor, 0.0)
    found = compare(RADIOGRAPH, DRAWN, a="attention", b="doctor:C", predictor=showing, other=other)
    document = found.to_json("chest.png")
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert list(document) == ["file", "size", "a", "b", "difference"]
    assert (document["file"], document["size"]) == ("chest.png", [150, 130])
    assert set(document["difference"]) == {"iou", "dice", "correlation"}
    keys = ["key", "name", "note", "threshold", "predicted", "probabilities", "cells", "shows_map", "agreement"]
    assert list(document["a"]) == list(document["b"]) == keys
    cells = np.array(document["a"]["cells"])
    np.testing.assert_allclose(cells, found.a.cells, atol=5.1e-5)
    assert not np.array_equal(cells, found.a.cells)
    assert document["a"]["cells"] == [[float(f"{c:.4f}") for c in row] for row in cells]
    row = document["a"]["agreement"][3]
    assert list(row) == ["reader", "kind", "hit", "iou", "dice", "share_inside", "average_precision"]
    assert (row["reader"], row["kind"]) == ("D", "pixel")
    assert type(row["hit"]) is bool
    assert row["iou"] == predictor.predict(RADIOGRAPH, [D]).agreement[0].scores.iou
    assert document["a"]["agreement"][2]["hit"] is None
    assert document["b"]["cells"] is document["b"]["predicted"] is document["b"]["probabilities"] is None
