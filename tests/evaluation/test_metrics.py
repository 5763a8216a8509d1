import json
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from torchmetrics.functional import classification as reference

from deep_pneumonia.estimate import Estimate
from deep_pneumonia.evaluation.bootstrap import Statistic, bootstrap, overall
from deep_pneumonia.evaluation.metrics import (
    auroc,
    average_precision,
    calibration_error,
    calibration_error_by_chance,
    classification_scores,
    localisation_scores,
    macro_f1,
    mean,
)
from deep_pneumonia.prediction.agreement import Scores

CLASSES = ("Normal", "Bacterial", "Viral", "Opacity")
TIED = st.sampled_from([0.0, 0.1, 0.5, 0.75, 1.0])


def answers(n: int = 200, classes: int = 4, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, n)
    p = random.dirichlet(np.ones(4), n)
    p[np.arange(n), labels] += 0.4
    return p / p.sum(1, keepdims=True), labels


def people(n: int) -> list[str]:
    return [f"patient{i}" for i in range(n)]


def test_auroc_and_average_precision_worked_by_hand() -> None:
    positive, score = np.array([True, False, True, False]), np.array([0.9, 0.8, 0.8, 0.1])
    assert overall(auroc(positive, score), 4) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert overall(average_precision(positive, score), 4) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


@given(arrays.arrays(float, 30, elements=TIED), arrays.arrays(bool, 30))
def test_ranking_equals_torchmetrics_with_ties(score: NDArray[np.float64], positive: NDArray[np.bool_]) -> None:
    own = overall(auroc(positive, score), 30), overall(average_precision(positive, score), 30)
    if positive.all() or not positive.any():
        assert np.isnan(own).all()
        return
    s, y = torch.from_numpy(score), torch.from_numpy(positive).long()
    expected = float(reference.binary_auroc(s, y)), float(reference.binary_average_precision(s, y))
    assert own == pytest.approx(expected, abs=1e-6)


def test_weights_count_as_copies() -> None:
    p, labels = answers(40)
    times = np.random.default_rng(1).integers(0, 4, 40)
    copies = np.repeat(np.arange(40), times)
    predicted, confidence = p.argmax(1), p.max(1)

    def statistics(rows: NDArray[np.int64]) -> list[Statistic]:
        return [
            mean((predicted == labels)[rows]),
            auroc((labels != 0)[rows], 1 - p[rows, 0]),
            average_precision((labels != 0)[rows], 1 - p[rows, 0]),
            macro_f1(labels[rows], predicted[rows]),
            calibration_error(confidence[rows], (predicted == labels)[rows]),
        ]

    weighted = [float(s(times[None].astype(float))[0]) for s in statistics(np.arange(40))]
    assert weighted == pytest.approx([overall(s, len(copies)) for s in statistics(copies)])


def test_f1_calibration_and_accuracy_equal_torchmetrics() -> None:
    p, labels = answers()
    found = classification_scores(p, labels, people(200), CLASSES, "Normal")
    q, y = torch.from_numpy(p), torch.from_numpy(labels)
    f1 = reference.multiclass_f1_score(q, y, 4, average="macro")
    ece = reference.multiclass_calibration_error(q, y, 4, n_bins=15, norm="l1")
    confusion = reference.multiclass_confusion_matrix(q, y, 4)
    assert found["macro_f1"]["value"] == pytest.approx(float(f1), abs=1e-6)
    assert found["ece"]["value"] == pytest.approx(float(ece), abs=1e-6)
    assert found["accuracy"]["value"] == pytest.approx(float((p.argmax(1) == labels).mean()))
    assert found["confusion"] == {"classes": list(CLASSES), "matrix": confusion.tolist()}


def test_macro_f1_is_over_the_classes_of_the_source() -> None:
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 3, 1, 1])
    assert overall(macro_f1(labels, predicted), 4) == pytest.approx((2 / 3 + 1) / 2)


def test_calibration_worked_by_hand() -> None:
    assert overall(calibration_error(np.ones(4), np.ones(4, bool)), 4) == 0
    assert overall(calibration_error(np.ones(2), np.array([True, False])), 2) == 0.5
    assert overall(calibration_error(np.array([0.9, 0.9]), np.array([True, False])), 2) == pytest.approx(0.4)


def test_calibration_equals_torchmetrics_where_bins_err_both_ways() -> None:
    random = np.random.default_rng(0)
    p = random.dirichlet(np.ones(3), 500)
    labels = (p.argmax(1) + (random.random(500) < 0.45)) % 3  # right in 55%, however sure
    own = overall(calibration_error(p.max(1), p.argmax(1) == labels), 500)
    q, y = torch.from_numpy(p), torch.from_numpy(labels)
    assert own == pytest.approx(float(reference.multiclass_calibration_error(q, y, 3, n_bins=15)), abs=1e-6)


def test_abnormal_is_every_class_but_normal() -> None:
    p, labels = answers()
    found = classification_scores(p, labels, people(200), CLASSES, "Viral")
    score, abnormal = torch.from_numpy(1 - p[:, 2]), torch.from_numpy(labels != 2).long()
    area, precision = (
        reference.binary_auroc(score, abnormal),
        reference.binary_average_precision(score, abnormal),
    )
    assert found["auroc_abnormal"]["value"] == pytest.approx(float(area), abs=1e-6)
    assert found["average_precision_abnormal"]["value"] == pytest.approx(float(precision), abs=1e-6)


def test_pairs_are_compared_on_their_own_images() -> None:
    p, labels = answers(300, classes=3)
    patients = [f"p{i // 3}" for i in range(300)]
    found = classification_scores(p, labels, patients, CLASSES, "Normal")["pairwise_auroc"]
    assert list(found) == ["Normal|Bacterial", "Normal|Viral", "Bacterial|Viral"]
    rows = np.flatnonzero(labels)
    score, bacterial = p[rows, 1] / (p[rows, 1] + p[rows, 2]), labels[rows] == 1
    expected = reference.binary_auroc(torch.from_numpy(score), torch.from_numpy(bacterial).long())
    assert found["Bacterial|Viral"]["value"] == pytest.approx(float(expected), abs=1e-6)
    interval = bootstrap(auroc(bacterial, score), [patients[row] for row in rows])
    assert found["Bacterial|Viral"] == interval.to_json()


def test_a_pair_that_got_no_probability_is_tied() -> None:
    p = np.array([[0.0, 0.0, 1.0, 0.0]] * 4)
    found = classification_scores(p, np.array([0, 0, 1, 1]), people(4), CLASSES, "Normal")
    assert found["pairwise_auroc"]["Normal|Bacterial"]["value"] == 0.5


def test_a_source_of_one_class_has_null_where_two_are_needed() -> None:
    p, _ = answers(10)
    found = classification_scores(p, np.ones(10, int), people(10), CLASSES, "Normal")
    nothing = {"value": None, "low": None, "high": None}
    assert found["auroc_abnormal"] == found["average_precision_abnormal"] == nothing
    assert found["pairwise_auroc"] == {}
    assert found["counts"] == {"Normal": 0, "Bacterial": 10, "Viral": 0, "Opacity": 0}
    assert found["accuracy"]["value"] is not None
    json.dumps(found, allow_nan=False)


def test_a_calibration_error_by_chance_is_the_one_worked_by_hand() -> None:
    # Of one image at 0.8 the error is 0.2 in four of five cases, else 0.8; the sure and right are never off.
    assert calibration_error_by_chance(np.array([0.8]), draws=20_000) == pytest.approx(0.8 * 0.2 + 0.2 * 0.8, abs=0.01)
    assert calibration_error_by_chance(np.ones(50)) == 0
    # Of many in one bin it is the mean distance of a binomial share from its mean, sqrt(2 p q / (pi n)).
    expected = (2 * 0.8 * 0.2 / (np.pi * 400)) ** 0.5
    assert calibration_error_by_chance(np.full(400, 0.8), draws=4000) == pytest.approx(expected, rel=0.05)


def test_a_source_without_images_is_all_null() -> None:
    found = classification_scores(np.empty((0, 4)), np.empty(0, int), [], CLASSES, "Normal")
    assert (found["n"], found["patients"], found["accuracy"]["value"], found["ece_by_chance"]) == (0, 0, None, None)


def test_figures_count_patients_and_hold_their_values() -> None:
    p, labels = answers(100)
    found = classification_scores(p, labels, [f"p{i // 2}" for i in range(100)], CLASSES, "Normal")
    assert (found["n"], found["patients"], sum(found["counts"].values())) == (100, 50, 100)
    for name in ("accuracy", "macro_f1", "auroc_abnormal", "average_precision_abnormal"):
        assert found[name]["low"] < found[name]["value"] < found[name]["high"]


def test_images_of_one_patient_are_not_counted_as_independent() -> None:
    once = np.random.default_rng(0).random(50) < 0.7
    four_times = np.repeat(once, 4)
    grouped = bootstrap(mean(four_times), [f"p{i // 4}" for i in range(200)])
    apart = bootstrap(mean(four_times), people(200))
    assert grouped.value == apart.value
    width = [e.high - e.low for e in (grouped, apart) if e.high is not None and e.low is not None]
    assert width[0] / width[1] == pytest.approx(2, abs=0.3)


def test_the_interval_of_a_mean_is_the_known_one() -> None:
    values = np.random.default_rng(0).normal(size=400)
    found = bootstrap(mean(values.tolist()), people(400), draws=4000)
    half = 1.96 * values.std() / 20
    expected = Estimate(values.mean(), values.mean() - half, values.mean() + half)
    assert found.to_json() == pytest.approx(expected.to_json(), abs=0.01)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).random(30).tolist()
    assert bootstrap(mean(values), people(30)) == bootstrap(mean(values), people(30))
    assert bootstrap(mean(values), people(30)) != bootstrap(mean(values), people(30), seed=1)


def test_blocks_of_draws_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random(30).tolist()
    whole = bootstrap(mean(values), people(30))
    monkeypatch.setattr("deep_pneumonia.evaluation.bootstrap.MAX_WEIGHTS", 100)
    assert bootstrap(mean(values), people(30)).to_json() == pytest.approx(whole.to_json())


def test_one_patient_gives_no_interval() -> None:
    assert bootstrap(mean([0.0, 1.0]), ["a", "a"]) == Estimate(0.5)


def test_mostly_undefined_draws_give_no_interval() -> None:
    def seldom(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(weights[:, 0] == 1, 0.5, np.nan)  # defined in some 37% of draws

    assert bootstrap(seldom, people(40)) == Estimate(0.5)


def test_undefined_draws_are_left_out() -> None:
    positive = np.array([True] + [False] * 9)  # lacks a positive in about 35% of draws
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = bootstrap(auroc(positive, np.linspace(1, 0, 10)), people(10))
    assert found == Estimate(1.0, 1.0, 1.0)


def test_localisation_is_a_mean_over_images_that_have_the_figure() -> None:
    rows = [Scores(1.0, 0.5, 0.6, 0.4, 0.9), Scores(0.0, 0.1, 0.2, None, 0.3), Scores()]
    found = localisation_scores(rows, ["a", "b", "c"])
    assert list(found) == ["hit_rate", "iou", "dice", "share_inside", "average_precision"]
    assert found["hit_rate"]["value"] == 0.5
    assert found["iou"]["value"] == pytest.approx(0.3)
    assert found["share_inside"]["value"] == pytest.approx(0.4)
    nothing = localisation_scores([Scores()], ["a"])
    assert nothing["iou"] == {"value": None, "low": None, "high": None}
