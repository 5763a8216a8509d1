import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.classification import multiclass_cohen_kappa

from deep_pneumonia.evaluation.bootstrap import Resampling, bootstrap, kappa
from deep_pneumonia.evaluation.metrics import mean
from deep_pneumonia.worklist.records import VERDICTS
from deep_pneumonia.worklist.statistics import MAX_NAMES, NO_LABEL, OTHER, tally
from tests.work_lists import pending_row, row, row_lists, scores

KEYS = [
    "progress", "confusion", "accuracy", "iou", "hit_by_class", "iou_by_class", "hit_by_reader", "iou_by_reader",
    "verdicts", "kappa",
]  # fmt: skip


def plots(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {p["key"]: p for p in tally(rows)}


def parts(plot: dict[str, Any]) -> list[dict[str, Any]]:
    """Every bar, point or cell."""
    return plot["bars"] if "bars" in plot else [cell for line in plot["cells"] for cell in line]


def ids(plot: dict[str, Any]) -> dict[str, list[int]]:
    return {b["name"]: b["ids"] for b in plot["bars"]}


def numbers(plot: dict[str, Any]) -> list[list[int]]:
    return [[cell["n"] for cell in line] for line in plot["cells"]]


def test_an_empty_list_has_every_plot_and_nothing_in_it() -> None:
    found = plots([])
    assert list(found) == KEYS
    assert all(part["n"] == 0 and part["ids"] == [] for plot in found.values() for part in parts(plot))
    assert found["confusion"]["note"].endswith("No case has a prediction yet.")
    assert found["hit_by_reader"]["bars"] == []
    assert found["hit_by_reader"]["note"].endswith("None is known yet.")
    assert found["kappa"]["note"].endswith("It needs two reviewers.")


@settings(deadline=None)
@given(row_lists())
def test_the_ids_behind_each_part_add_up(rows: list[dict[str, Any]]) -> None:
    found, known = plots(rows), {r["id"] for r in rows}
    for part in (part for plot in found.values() for part in parts(plot)):
        assert part["n"] == len(part["ids"]) == len(set(part["ids"]))
        assert set(part["ids"]) <= known
    read = {r["id"] for r in rows if r["predicted"] is not None}
    for key in ("confusion", "iou"):
        assert sorted(i for part in parts(found[key]) for i in part["ids"]) == sorted(read)
    for key in ("accuracy", "hit_by_class", "iou_by_class"):
        every = ids(found[key]).pop("all", [])
        assert sorted(i for name, b in ids(found[key]).items() if name != "all" for i in b) == sorted(every)
    assert sum(part["n"] for part in parts(found["verdicts"])) == sum(len(r["verdicts"]) for r in rows)


@settings(deadline=None)
@given(row_lists(), st.randoms(use_true_random=False))
def test_figures_lie_in_their_range_and_do_not_depend_on_the_order(rows: list[dict[str, Any]], random: Any) -> None:
    found = plots(rows)
    for plot in (p for p in found.values() if p["kind"] == "intervals"):
        low, high = plot["range"]
        for b in plot["bars"]:
            values = [v for v in (b["low"], b["value"], b["high"]) if v is not None]
            assert all(low - 1e-6 <= v <= high + 1e-6 for v in values)
    assert json.dumps(tally(rows), allow_nan=False) == json.dumps(list(found.values()), allow_nan=False)
    shuffled = plots(random.sample(rows, len(rows)))
    for key, plot in found.items():
        for a, b in zip(parts(plot), parts(shuffled[key]), strict=True):
            assert sorted(a["ids"]) == sorted(b["ids"])
            if plot["kind"] == "intervals":
                assert [b[k] for k in ("value", "low", "high")] == [
                    pytest.approx(a[k], abs=1e-5) for k in ("value", "low", "high")
                ]


def test_progress_counts_what_is_read_and_who_judged() -> None:
    rows = [
        row(1, verdicts={"Ana": "agree"}),
        row(2, verdicts={"Ana": "unsure", "Ben": "partly"}),
        row(3),
        pending_row(4),
    ]
    rows.append(pending_row(5, problem="The file is no picture."))
    found = plots(rows)["progress"]
    assert ids(found) == {
        "in the list": [1, 2, 3, 4, 5],
        "predicted": [1, 2, 3],
        "cannot be read": [5],
        "reviewed": [1, 2],
        "reviewed by Ana": [1, 2],
        "reviewed by Ben": [2],
        "not reviewed yet": [3, 4, 5],
    }
    assert found["note"] == "3 of 5 cases have a prediction, 2 have a verdict of a reviewer."


def test_confusion_has_labels_as_rows_and_leaves_out_what_is_not_read() -> None:
    rows = [row(1), row(2, predicted="Normal"), row(3, label="Normal"), row(4, label=""), pending_row(5)]
    found = plots(rows)["confusion"]
    assert (found["rows"], found["columns"]) == (["Normal", "Opacity", NO_LABEL], ["Normal", "Opacity"])
    assert [[c["ids"] for c in line] for line in found["cells"]] == [[[], [3]], [[2], [1]], [[], [4]]]
    assert "1 of 4 cases stand on the diagonal" in found["note"]


def test_accuracy_is_the_share_of_each_label() -> None:
    rows = [row(i, label="Opacity" if i % 2 else "Normal") for i in range(10)] + [row(11, label="")]
    found = plots(rows)["accuracy"]["bars"]
    assert [(b["name"], b["n"], b["value"]) for b in found] == [("all", 10, 0.5), ("Normal", 5, 0), ("Opacity", 5, 1)]
    assert (found[1]["low"], found[1]["high"]) == (0, 0)
    assert found[0]["low"] < 0.5 < found[0]["high"]


def test_overlap_is_counted_in_tenths_and_without_what_is_not_read() -> None:
    rows = [row(i, scores("A", v)) for i, v in enumerate((0.0, 0.0999, 0.1, 0.55, 0.9, 1.0))]
    rows += [row(10), row(11, scores("A", None, kind="normal")), pending_row(12, "A")]
    found = ids(plots(rows)["iou"])
    assert len(found) == 11
    assert {name: b for name, b in found.items() if b} == {
        "0.0 to 0.1": [0, 1], "0.1 to 0.2": [2], "0.5 to 0.6": [3], "0.9 to 1.0": [4, 5], "nothing drawn": [10, 11],
    }  # fmt: skip


def test_rates_by_class_take_a_cases_mean_and_by_reader_their_own() -> None:
    rows = [
        row(1, scores("A", 0.2, True), scores("B", 0.4, False)),
        row(2, scores("A", 0.6, True), label="Other"),
        row(3, scores("C", None, kind="normal"), label="Normal"),
    ]
    found = plots(rows)
    assert [(b["name"], b["value"], b["ids"]) for b in found["hit_by_class"]["bars"]] == [
        ("all", 0.75, [1, 2]), ("Opacity", 0.5, [1]), ("Other", 1, [2]),
    ]  # fmt: skip
    values = [b["value"] for b in found["iou_by_class"]["bars"]]
    assert values == pytest.approx([0.45, 0.3, 0.6])
    by_reader = [(b["name"], b["value"], b["ids"]) for b in found["iou_by_reader"]["bars"]]
    assert by_reader == [("A", pytest.approx(0.4), [1, 2]), ("B", 0.4, [1])]
    assert [b["low"] for b in found["hit_by_class"]["bars"][1:]] == [None, None]


def test_cases_of_one_patient_have_no_interval_and_those_of_nobody_known_are_patients_of_their_own() -> None:
    rows = [row(i, scores("A", i / 10, i > 3), patient="p") for i in range(8)]
    assert plots(rows)["iou_by_reader"]["bars"][0]["low"] is None
    nobody = plots([r | {"patient": ""} for r in rows])["iou_by_reader"]["bars"][0]
    assert nobody["low"] < nobody["value"] < nobody["high"]
    others = plots([r | {"source": f"s{r['id']}"} for r in rows])["iou_by_reader"]["bars"][0]
    assert others["low"] is not None


def test_verdicts_are_counted_by_reviewer() -> None:
    rows = [row(1, verdicts={"Ana": "agree"}), row(2, verdicts={"Ana": "agree", "Ben": "unsure"})]
    found = plots(rows)["verdicts"]
    assert (found["rows"], found["columns"]) == (["Ana", "Ben"], list(VERDICTS))
    assert numbers(found) == [[2, 0, 0, 0], [0, 0, 0, 1]]
    assert found["cells"][0][0]["ids"] == [1, 2]


def two_reviewers(table: list[list[int]]) -> list[dict[str, Any]]:
    cells = [(a, b) for a, line in enumerate(table) for b, n in enumerate(line) for _ in range(n)]
    return [row(i, verdicts={"Ana": VERDICTS[a], "Ben": VERDICTS[b]}) for i, (a, b) in enumerate(cells)]


def test_kappa_is_the_hand_worked_value() -> None:
    # Both say agree 20 times and partly 15 times of 50: 0.7 agreed, 0.5 by chance, 0.2 / 0.5.
    (found,) = plots([*two_reviewers([[20, 5], [10, 15]]), row(99, verdicts={"Ana": "agree"})])["kappa"]["bars"]
    assert (found["name"], found["n"], found["value"]) == ("Ana and Ben", 50, pytest.approx(0.4))
    assert 0.1 < found["low"] < 0.25 < 0.55 < found["high"] < 0.7


def test_worse_than_chance_is_below_zero_and_the_plot_reaches_it() -> None:
    found = plots(two_reviewers([[0, 5], [5, 0]]))["kappa"]
    assert (found["bars"][0]["value"], found["range"]) == (-1, [-1, 1])


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ([[1]], "Ana and Ben have judged 1 case in common, and kappa needs 2."),
        ([[3]], "Ana and Ben gave all 3 cases the same verdict"),
    ],
)
def test_an_undefined_kappa_is_null_and_the_note_says_why(table: list[list[int]], reason: str) -> None:
    found = plots(two_reviewers(table))["kappa"]
    assert found["bars"][0]["value"] is None
    assert reason in found["note"]


def test_one_reviewer_has_verdicts_and_no_kappa() -> None:
    found = plots([row(1, verdicts={"Ana": "agree"})])
    assert found["verdicts"]["rows"] == ["Ana"]
    assert found["kappa"]["bars"] == []


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40))
def test_kappa_equals_that_of_torchmetrics(pairs: list[tuple[int, int]]) -> None:
    first, second = np.array(pairs).T
    peer = float(multiclass_cohen_kappa(torch.tensor(first), torch.tensor(second), num_classes=4))
    own = float(kappa(np.bincount(first * 4 + second, minlength=16)[:, None])[0])
    assert own == pytest.approx(peer, abs=1e-5, nan_ok=True)


def test_intervals_are_those_of_the_other_bootstrap_but_for_its_noise() -> None:
    random = np.random.default_rng(3)
    values, patients = random.random(400), [f"p{n}" for n in random.integers(150, size=400)]
    own = Resampling(patients).mean(range(400), values)
    peer = bootstrap(mean(values.tolist()), patients)
    assert own.value == pytest.approx(peer.value)
    assert (own.low, own.high) == (pytest.approx(peer.low, abs=0.005), pytest.approx(peer.high, abs=0.005))


def test_too_many_classes_are_put_together_and_too_many_reviewers_left_out() -> None:
    many = [row(i, label=f"L{i // 2:02}", predicted="L00") for i in range(2 * MAX_NAMES + 4)]
    found = plots(many)
    assert len(found["confusion"]["rows"]) == MAX_NAMES + 1
    assert dict(zip(found["confusion"]["rows"], numbers(found["confusion"]), strict=True))[OTHER][0] == 4
    assert ids(found["accuracy"])[OTHER] == [24, 25, 26, 27]
    crowd = [row(1, verdicts={f"R{n:02}": "agree" for n in range(30)})]
    assert len(plots(crowd)["verdicts"]["rows"]) == 8
    assert "for 25 other pairs" in plots(crowd)["kappa"]["note"]
