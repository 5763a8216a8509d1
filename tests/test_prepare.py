"""The verb prepare: splits, repeatability, its table, its help and its refusals."""

import pytest

from deep_pneumonia.datasets.manifest import split_of
from deep_pneumonia.prepare import main
from tests.raw_sets import (
    draw_covid,
    draw_kermany,
    draw_nih,
    draw_own,
    draw_rsna,
    picture,
    refused,
    run,
    text,
)


@pytest.fixture
def nih(tmp_path):
    return draw_nih(tmp_path)


@pytest.fixture
def own(tmp_path):
    return draw_own(tmp_path)


def test_a_patient_is_in_one_split_and_stays_there(own, tmp_path):
    pattern = ("--patient-pattern", r"^(p\d+)")
    cases = run("folder", own, *pattern, tmp_path / "one")
    picture(own / "clear" / "a.png").rename(own / "clear" / "p0-a.png")
    more = run("folder", own, *pattern, tmp_path / "two")
    assert {s: c.split for s, c in cases.items()} == {s: more[s].split for s in cases}
    assert all(c.split == split_of(c.patient, val=0.15, test=0.2) for c in more.values())


def test_shares_decide_the_splits(own, tmp_path, capsys):
    assert {c.split for c in run("folder", own, "--val", 0, "--test", 0, tmp_path / "a").values()} == {"train"}
    assert {c.split for c in run("folder", own, "--val", 0, "--test", 0.999, tmp_path / "b").values()} == {"test"}
    for shares in (("--val", 0.6, "--test", 0.5), ("--val", -0.1), ("--test", "nan")):
        assert "shares" in refused(capsys, "folder", own, *shares, tmp_path / "c")


@pytest.mark.parametrize(
    ("source", "draw"),
    [
        ("nih", draw_nih),
        ("nih", draw_rsna),
        ("kermany", draw_kermany),
        ("folder", draw_own),
        ("covid", draw_covid),
    ],
)
def test_a_second_run_writes_the_same_bytes(tmp_path, source, draw):
    raw = draw(tmp_path)
    argv = [source, raw[0], "--masks", raw[1]] if isinstance(raw, tuple) else [source, raw]
    for out in ("one", "one", "two"):
        run(*argv, tmp_path / out)
    one, two = (
        {p.relative_to(tmp_path / out): p.read_bytes() for p in (tmp_path / out).rglob("*") if p.is_file()}
        for out in ("one", "two")
    )
    assert one == two
    assert all(p.name == "manifest.csv" or p.suffix == ".png" for p in one)


def test_the_table_counts_images_patients_and_masks(nih, tmp_path, capsys):
    run("nih", nih, "--val", 0, "--test", 0, tmp_path / "out")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["train", "Lung", "opacity", "2", "2"] in lines
    assert ["train", "Normal", "2", "2"] in lines
    assert ["train", "(no", "label)", "7", "6"] in lines
    assert ["all", "11", "10"] in lines
    assert ["RSNA", "box", "2"] in lines
    assert ["ChestX-Det", "normal", "2"] in lines
    assert ["(nobody)", "unknown", "7"] in lines


def test_raw_must_be_a_folder_and_not_the_target(own, tmp_path, capsys):
    assert "is not a folder" in refused(capsys, "folder", own / "absent", tmp_path / "out")
    assert "is the raw folder itself" in refused(capsys, "folder", own, own)
    text(tmp_path / "file", "")
    assert "file" in refused(capsys, "folder", own, tmp_path / "file")


@pytest.mark.parametrize("source", ["nih", "kermany", "covid", "folder"])
def test_help_shows_defaults_and_units(source, capsys):
    with pytest.raises(SystemExit) as ended:
        main([source, "--help"])
    assert ended.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "share of patients for validation, 0 to 1 (default: 0.15)" in shown
    assert ("0 to 1 (default: 0.2)" in shown) == (source != "kermany")
