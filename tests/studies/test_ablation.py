"""The ablation: folds by patient, pre-training apart from them, and figures of what runs read."""

import json
from pathlib import Path

import pytest
import torch

from deep_pneumonia.datasets.manifest import Case, MaskRef
from studies.ablation import VARIANTS, dealt, fold_of, learned, main, others, overlap, part_of, slug
from studies.ablation_table import FIRST, WHOLE, report

NORMAL = MaskRef(None, "normal", "A")


def case(patient: int, number: int = 0, split: str = "train", label: str = "", read: bool = False) -> Case:
    masks = (NORMAL,) if read else ()
    return Case(Path(f"{patient}-{number}.png"), str(patient), "drawn", split, label, masks)


def test_a_patient_is_for_test_in_one_fold_and_for_validation_in_another() -> None:
    cases = [case(p, n, label="x") for p in range(60) for n in range(2)]
    splits = [[c.split for c in dealt(cases, fold, 5)] for fold in range(5)]
    for column in zip(*splits, strict=True):
        assert sorted(column) == ["test", "train", "train", "train", "val"]
    assert all(splits[f][::2] == splits[f][1::2] for f in range(5))  # both images of each patient together
    assert len({fold_of(c, 5) for c in cases}) == 5


def test_folds_hold_what_can_be_learned_or_measured() -> None:
    cases = [case(1, label="x"), case(2, read=True), case(3)]
    assert {c.patient for c in dealt(cases, 0, 5)} == {"1", "2"}


def test_one_fold_is_the_manifests_own_splits() -> None:
    cases = [case(1, split="val", label="x"), case(2, split="test", read=True), case(3)]
    assert dealt(cases, 0, 1) == cases[:2]


def test_two_folds_leave_nothing_to_train_on_and_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--manifest", "none.csv", "--out", "out", "--folds", "2"])
    assert "--folds is 2; expected 3 or more, or 1" in capsys.readouterr().err


def test_pre_training_sees_no_patient_of_a_fold_and_no_test_image() -> None:
    folded = [case(1, label="x"), case(1, 1), case(2, read=True), case(3)]
    more = [case(4, split="test"), case(5, split="val"), case(6)]
    found = others([*folded, *more], folded)
    assert [c.patient for c in found] == ["3", "5", "6"]
    assert {c.split for c in found} == {"train"}


def test_each_part_is_added_once_and_left_out_once() -> None:
    parts = list(VARIANTS.values())
    added = [sum(flags) for flags in parts[:5]]
    assert added == [0, 1, 2, 3, 4]
    assert sorted(parts[5:]) == sorted(
        [(False, True, True, True), (True, False, True, True), (True, True, False, True)]
    )
    assert len({slug(v) for v in VARIANTS}) == len(VARIANTS)


def test_parts_share_all_runs_between_processes() -> None:
    runs = [(v, f, s) for s in range(2) for f in range(3) for v in VARIANTS]
    parts = [part_of(runs, f"{i}/5") for i in range(1, 6)]
    assert sorted(run for part in parts for run in part) == sorted(runs)
    assert part_of(runs, "1/1") == runs


@pytest.mark.parametrize("part", ["0/2", "3/2", "half", "1/0"])
def test_a_part_that_is_none_is_refused(part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--manifest", "none.csv", "--out", str(tmp_path), "--part", part]) == 2
    assert f"--part is '{part}'; expected I/N" in capsys.readouterr().err


def test_manifests_are_asked_for_unless_only_a_table_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path)])
    assert "--manifest is missing" in capsys.readouterr().err
    assert main(["--out", str(tmp_path), "--table"]) == 0
    assert "No run is done yet" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_training_images_are_counted_by_source_and_label() -> None:
    seen = [case(1, label="x"), case(2, label="x"), case(3, label="y"), case(4), case(5, split="test", label="y")]
    assert learned(seen) == {"drawn": {"x": 2, "y": 1}}


def test_overlap_by_hand() -> None:
    attention = torch.tensor([[0.9, 0.6], [0.2, 0.1]])
    mask = torch.tensor([[1.0, 0.0], [0.5, 0.0]])
    found = overlap(attention, mask, 0.5)
    assert found == {"hit": 1.0, "iou": pytest.approx(1 / (2 + 1.5 - 1))}
    assert overlap(attention.flip(1), mask, 0.95) == {"hit": 0.0, "iou": 0.0}


def run(folder: Path, rows: list[tuple[str, str, float, float]], fold: int = 0, seed: int = 0, clear: int = 9) -> None:
    """What a run read: patient, label, probability of "Ill", IoU."""
    folder.mkdir(parents=True, exist_ok=True)
    read = [
        {"patient": p, "source": "drawn", "label": label, "p": [1 - ill, ill], "hit": float(iou > 0), "iou": iou}
        for p, label, ill, iou in rows
    ]
    counts = {"drawn": {"Clear": clear, "Ill": 3}}
    facts = {"classes": ["Clear", "Ill"], "normal": "Clear", "learned": counts, "rows": read}
    (folder / f"{fold}-{seed}.json").write_text(json.dumps(facts))


def test_figures_are_means_over_seeds_of_all_folds_and_the_gain_is_paired(tmp_path: Path) -> None:
    folders = {FIRST: tmp_path / "a", WHOLE: tmp_path / "b"}
    blind = [("1", "Ill", 0.4, 0.0), ("2", "Clear", 0.3, 0.0), ("3", "Clear", 0.1, 0.0)]
    seeing = [("1", "Ill", 0.9, 0.5), ("2", "Clear", 0.3, 0.3), ("3", "Clear", 0.1, 0.1)]
    for seed in (0, 1):
        run(folders[FIRST], blind[:2], 0, seed)
        run(folders[FIRST], blind[2:], 1, seed)
        run(folders[WHOLE], (seeing if seed else blind)[:2], 0, seed)
        run(folders[WHOLE], seeing[2:], 1, seed)
    run(folders[WHOLE], seeing[:2], 0, 2)  # a run that the other variant lacks does not count
    run(folders[FIRST], blind[:1], 2, 1)
    text = report(folders, tmp_path)
    assert "| drawn, 3 images of 3 patients, 2 seeds |" in text
    first, whole, changed, _ = (
        [c.strip().split(" ")[0] for c in line.strip("|").split("|")][1:]
        for line in text.splitlines()
        if line.startswith((f"| {FIRST}", f"| {WHOLE}", "| all four"))
    )
    assert first == ["0.400", "0.000", "1.000", "1.000", "0.000", "0.000", "0.333"]
    assert whole[1] == "0.500"  # recall of the rarest: none in one seed, all in the other
    assert float(whole[5]) == pytest.approx((0.1 / 3 + 0.9 / 3) / 2, abs=1e-3)
    assert whole[6] == "0.250"
    assert changed[1] == "+0.500"
    assert float(changed[6]) == pytest.approx(0.25 - 1 / 3, abs=1e-3)
    assert "| drawn: the same, least and most of 2 seeds |" in text
    recall = text.splitlines()[-1].strip("|").split("|")[2]
    assert recall.strip() == "+0.000 to +1.000"  # the first seed found as little with as without
    assert (tmp_path / "ablation.png").stat().st_size > 5000


def test_what_one_class_leaves_undefined_is_a_dash_for_every_seed(tmp_path: Path) -> None:
    folders = {FIRST: tmp_path / "a", WHOLE: tmp_path / "b"}
    for seed in (0, 1):
        for folder in folders.values():
            run(folder, [("1", "Ill", 0.4, 0.0), ("2", "Ill", 0.3 + seed, 0.0)], 0, seed)
    spans = [cell.strip() for cell in report(folders, tmp_path).splitlines()[-1].strip("|").split("|")]
    assert spans[3] == "\u2013"  # AUROC
    assert spans[5] == "+0.000 to +0.000"  # hit rate


@pytest.mark.parametrize(("text", "why"), [("{", "is damaged"), ('{"rows": []}', "lacks the counts")])
def test_a_run_that_cannot_be_used_is_named(
    text: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "runs" / "cross-entropy" / "0-0.json"
    place.parent.mkdir(parents=True)
    place.write_text(text)
    assert main(["--out", str(tmp_path), "--table"]) == 2
    said = capsys.readouterr().err
    assert f"{place} {why}" in said
    assert "delete it" in said


def test_the_rarest_class_is_that_of_the_training_images(tmp_path: Path) -> None:
    rows = [("1", "Ill", 0.9, 0.5), ("2", "Clear", 0.8, 0.0), ("3", "Clear", 0.7, 0.0)]
    for clear, recall in ((9, "1.000"), (2, "0.000")):  # in the test images "Ill" is the rarer one
        run(tmp_path / "a", rows, clear=clear)
        line = report({FIRST: tmp_path / "a"}, tmp_path).splitlines()[2]
        assert line.split("|")[3].split()[0] == recall
