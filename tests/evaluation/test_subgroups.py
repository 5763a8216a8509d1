"""Figures by sex, age and view: who belongs where, hand-worked values, and silence about few images."""

from dataclasses import replace

import pytest

from deep_pneumonia.evaluation.subgroups import (
    MIN_IMAGES,
    Member,
    age_of,
    described,
    scores,
    sex_of,
    subgroups,
    view_of,
)

ANYONE = Member("p", "F", "30", "PA", abnormal=True, score=0.9, found=True, right=True, hit=None, iou=None)


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ("0", "under 20"), ("19", "under 20"), ("20", "20-39"), ("39.9", "20-39"), ("40", "40-59"), ("59", "40-59"),
        ("60", "60 and over"), ("94", "60 and over"), ("", ""), ("old", ""), ("-1", ""), ("414", ""), ("nan", ""),
    ],
)  # fmt: skip
def test_a_band_holds_its_first_year_and_not_its_end(age: str, band: str) -> None:
    assert age_of(replace(ANYONE, age=age)) == band


def test_sex_and_view_have_few_names() -> None:
    assert [sex_of(replace(ANYONE, sex=s)) for s in ("F", "M", "", "O")] == ["F", "M", "", ""]
    views = {"PA": "PA", "AP": "AP", "AP Supine": "AP", "L": "other", "LATERAL": "other", "": "", " ": ""}
    assert {v: view_of(replace(ANYONE, view=v)) for v in views} == views


def test_figures_of_a_group_are_those_worked_by_hand() -> None:
    """Ten abnormal images that score 0.5 to 0.95 and two normal ones at 0.52 and 0.1, ten lesions."""
    abnormal = [
        replace(ANYONE, patient=f"a{i // 2}", score=0.5 + 0.05 * i, found=i > 1, right=i > 3, hit=i % 2, iou=0.1 * i)
        for i in range(10)
    ]
    normal = [
        replace(ANYONE, patient=f"n{s}", abnormal=False, score=s, right=s < 0.5, found=s > 0.5) for s in (0.52, 0.1)
    ]
    unlabelled = replace(ANYONE, patient="n0.1", abnormal=None, score=0.0, right=False)
    found = scores([*abnormal, *normal, unlabelled])
    assert {k: found[k] for k in ("n", "patients", "labelled", "abnormal", "drawn")} == {
        "n": 13, "patients": 7, "labelled": 12, "abnormal": 10, "drawn": 10,
    }  # fmt: skip
    assert found["auroc_abnormal"]["value"] == pytest.approx(19 / 20)  # one abnormal lies below 0.52
    assert found["accuracy"]["value"] == pytest.approx(7 / 12)
    assert found["recall_abnormal"]["value"] == pytest.approx(8 / 10)
    assert found["hit_rate"]["value"] == pytest.approx(0.5)
    assert found["iou"]["value"] == pytest.approx(0.45)
    assert all(found[k]["low"] <= found[k]["value"] <= found[k]["high"] for k in ("accuracy", "recall_abnormal", "iou"))


def test_of_few_images_only_counts_are_given() -> None:
    few = scores([replace(ANYONE, patient=str(i), hit=1.0, iou=1.0) for i in range(MIN_IMAGES - 1)])
    assert few == {"n": 9, "patients": 9, "labelled": 9, "abnormal": 9, "drawn": 9}
    # Enough labelled images, but of these too few abnormal and too few drawn.
    mixed = scores([replace(ANYONE, patient=str(i), abnormal=i < 5) for i in range(MIN_IMAGES)])
    assert set(mixed) == {"n", "patients", "labelled", "abnormal", "drawn", "auroc_abnormal", "accuracy"}


def test_what_is_unknown_is_left_out() -> None:
    members = [replace(ANYONE, patient=str(i), sex="FM"[i % 2], age="", view="") for i in range(4)]
    found = subgroups([*members, replace(ANYONE, sex="", age="", view="")])
    assert list(found) == ["sex"]
    assert {name: group["n"] for name, group in found["sex"].items()} == {"F": 2, "M": 2}
    assert subgroups([replace(ANYONE, sex="", age="", view="")]) == {}


def test_groups_stand_in_a_fixed_order_and_are_told_in_a_line_each() -> None:
    ages = ["70", "10", *["50"] * 10]
    found = subgroups([replace(ANYONE, patient=str(i), age=age, view="") for i, age in enumerate(ages)])
    assert list(found["age"]) == ["under 20", "40-59", "60 and over"]
    lines = described(found)
    assert len(lines) == 4
    assert lines[1] == "  age  under 20    1 images of 1 patients (1 labelled, 1 abnormal, 0 drawn)"
    assert lines[2].endswith(
        "10 images of 10 patients (10 labelled, 10 abnormal, 0 drawn), AUROC \u2013, accuracy 1.00 (1.00 to 1.00), "
        "recall 1.00 (1.00 to 1.00)"
    )
