"""Adapter nih: who drew what, who read as normal, and who contradicts."""

import json

import numpy as np
import pytest

from deep_pneumonia.masks.annotation import read_mask
from tests.raw_sets import RSNA_LABELS, draw_nih, draw_rsna, picture, readers_of, refused, run, text


@pytest.fixture
def nih(tmp_path):
    return draw_nih(tmp_path)


@pytest.fixture
def rsna(tmp_path):
    return draw_rsna(tmp_path)


def test_nih_keeps_one_mask_for_each_group_of_readers(nih, tmp_path):
    case = run("nih", nih, tmp_path / "out")["00000000_000"]
    assert (case.label, case.patient, case.source) == ("Lung opacity", "00000000", "nih")
    assert (case.sex, case.age, case.view) == ("M", "58", "PA")
    assert readers_of(case) == [("RSNA", "box"), ("ChestX-Det", "polygon"), ("NIH", "box")]
    rsna, chestx_det, own = (a.mask for a in case.annotations((8, 8)))
    assert sorted(map(tuple, np.argwhere(rsna))) == [(0, 0), (4, 4), (4, 5)]
    assert sorted(map(tuple, np.argwhere(chestx_det))) == [(2, 2), (2, 3), (3, 2), (3, 3)]
    assert sorted(map(tuple, np.argwhere(own))) == [(0, 0), (0, 1), (2, 0)]
    np.testing.assert_array_equal(np.argwhere(read_mask(case.other_mask).mask), [[0, 0]])


def test_nih_keeps_other_findings_apart(nih, tmp_path):
    cases = run("nih", nih, tmp_path / "out")
    case = cases["00000001_000"]
    assert (case.label, case.masks) == ("", ())
    other = read_mask(case.other_mask).mask
    assert sorted(map(tuple, np.argwhere(other))) == [(1, 1), (2, 2), (2, 3), (3, 2), (3, 3)]
    assert cases["00000007_000"].label == ""
    assert cases["00000001_001"].other_mask is None


def test_nih_normal_needs_a_reader_and_nobody_against(nih, tmp_path):
    cases = run("nih", nih, tmp_path / "out")
    found = {stem: (c.label, readers_of(c)) for stem, c in cases.items()}
    assert found["00000002_000"] == ("Normal", [("RSNA", "normal"), ("ChestX-Det", "normal")])
    assert found["00000004_000"] == ("Normal", [("ChestX-Det", "normal")])
    assert found["00000003_000"] == ("", [])  # RSNA: not normal
    assert found["00000005_000"] == ("", [])  # RSNA: normal, but NIH drew a mass
    assert found["00000008_000"] == ("", [])  # RSNA: normal, but the panel saw a nodule
    assert found["00000009_000"] == ("", [])  # nobody read it
    assert found["00000006_000"] == ("Lung opacity", [("RSNA", "box")])  # ChestX-Det drew nothing


def test_nih_weak_labels_are_of_images_that_nobody_read(nih, tmp_path):
    cases = run("nih", nih, tmp_path / "out")
    weak = {stem for stem, c in cases.items() if c.weak_label}
    assert weak == {"00000009_000"}  # 3: RSNA read it; 4: ChestX-Det did; 8: the panel saw a nodule
    assert (cases["00000009_000"].weak_label, cases["00000009_000"].label) == ("Normal", "")


def test_nih_is_cleared_where_rsna_looked_for_opacity_and_nobody_saw_one(nih, tmp_path):
    cases = run("nih", nih, tmp_path / "out")
    clear = {stem for stem, c in cases.items() if c.other_mask and read_mask(c.other_mask).mask.all()}
    assert {"00000002_000", "00000003_000", "00000005_000"} <= clear
    assert not clear & {"00000000_000", "00000001_000", "00000004_000", "00000006_000", "00000009_000"}


def test_nih_is_not_cleared_where_the_panel_saw_an_opacity(nih, tmp_path):
    panel = nih / "google2019_labels.csv"
    text(panel, panel.read_text() + "00000003_000.png,NO,NO,YES,NO\n")
    assert run("nih", nih, tmp_path / "out")["00000003_000"].other_mask is None


def test_nih_images_may_lie_in_the_publishers_many_folders(nih, tmp_path):
    picture(nih / "images_002" / "images" / "00000010_000.png")
    assert len(run("nih", nih, tmp_path / "out")) == 12


def test_nih_works_with_any_one_of_the_readings(nih, tmp_path):
    for name in ("BBox_List_2017.csv", "Data_Entry_2017.csv", "google2019_labels.csv"):
        (nih / name).unlink()
    for file in (nih / "rsna").iterdir():
        file.unlink()
    cases = run("nih", nih, tmp_path / "out")
    assert {r for c in cases.values() for r in readers_of(c)} == {
        ("ChestX-Det", "polygon"),
        ("ChestX-Det", "normal"),
    }


def test_nih_names_the_missing_part(nih, tmp_path, capsys):
    out = tmp_path / "out"
    names = nih / "rsna" / "nih_names.csv"
    names.unlink()
    assert "nih_names.csv" in refused(capsys, "nih", nih, out)
    text(names, "patientId,nih_image\n")
    (nih / "rsna" / "stage_2_train_labels.csv").unlink()
    assert "stage_2_train_labels.csv" in refused(capsys, "nih", nih, out)
    (nih / "rsna" / "stage_2_detailed_class_info.csv").unlink()
    (nih / "ChestX_Det.json").unlink()
    (nih / "BBox_List_2017.csv").unlink()
    assert "BBox_List_2017.csv, ChestX_Det.json, or" in refused(capsys, "nih", nih, out)
    assert "holds neither NIH images" in refused(capsys, "nih", nih / "rsna", out)


def test_nih_takes_chestx_det_in_two_files_but_not_with_other_names(nih, tmp_path, capsys):
    whole = json.loads((nih / "ChestX_Det.json").read_text(encoding="utf-8"))
    (nih / "ChestX_Det.json").unlink()
    text(nih / "ChestX_Det_train.json", json.dumps(whole[:3]))
    text(nih / "ChestX_Det_test.json", json.dumps(whole[3:]))
    assert readers_of(run("nih", nih, tmp_path / "out")["00000004_000"]) == [("ChestX-Det", "normal")]
    text(nih / "ChestX_Det_test.json", json.dumps([{"file_name": "36199.png", "syms": [], "polygons": []}]))
    assert "36199.png" in refused(capsys, "nih", nih, tmp_path / "other")


def test_nih_refuses_an_image_that_stands_twice(nih, tmp_path, capsys):
    picture(nih / "more" / "00000001_000.png")
    assert "00000001_000 exists twice" in refused(capsys, "nih", nih, tmp_path / "out")


def test_a_drawn_image_that_is_damaged_is_named(nih, tmp_path, capsys):
    (nih / "images" / "00000000_000.jpg").write_bytes(b"")
    assert "00000000_000.jpg cannot be read" in refused(capsys, "nih", nih, tmp_path / "out")


def test_rsna_download_stands_alone(rsna, tmp_path):
    cases = run("nih", rsna, tmp_path / "out")
    a, b = cases["a"], cases["b"]
    assert (a.patient, a.source, a.label, a.sex, a.age, a.view) == (
        "a",
        "nih",
        "Lung opacity",
        "F",
        "51",
        "AP",
    )
    np.testing.assert_array_equal(np.argwhere(a.annotations((16, 8))[0].mask), [[8, 4], [8, 5], [9, 4], [9, 5]])
    assert (b.label, readers_of(b)) == ("Normal", [("RSNA", "normal")])


def test_rsna_download_takes_patients_and_readings_by_nih_name(rsna, tmp_path):
    text(
        rsna / "pneumonia-challenge-dataset-mappings_2018.json",
        json.dumps([{"subset_img_id": s, "img_id": f"00000007_00{n}.png"} for n, s in enumerate("ab")]),
    )
    text(
        rsna / "BBox_List_2017.csv",
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000007_001.png,Mass,1,2,3,4\n",
    )
    cases = run("nih", rsna, tmp_path / "out")
    assert {c.patient for c in cases.values()} == {"00000007"}
    assert cases["b"].label == ""  # NIH drew on what RSNA read as normal


def test_a_drawn_lesion_outweighs_the_word_normal(rsna, tmp_path):
    text(rsna / "stage_2_detailed_class_info.csv", "patientId,class\na,Normal\nb,Normal\n")
    case = run("nih", rsna, tmp_path / "out")["a"]
    assert (case.label, readers_of(case)) == ("Lung opacity", [("RSNA", "box")])


def test_rsna_download_with_a_broken_header_is_named(rsna, tmp_path, capsys):
    (rsna / "stage_2_train_images" / "a.dcm").write_bytes(b"no DICOM")
    assert "a.dcm cannot be read as DICOM" in refused(capsys, "nih", rsna, tmp_path / "out")


def test_a_target_as_pandas_writes_it_is_a_box(rsna, tmp_path):
    text(rsna / "stage_2_train_labels.csv", RSNA_LABELS + "a,512,512,256,128,1.0\nb,,,,,0.0\n")
    cases = run("nih", rsna, tmp_path / "out")
    assert (cases["a"].label, readers_of(cases["a"]), cases["a"].other_mask) == (
        "Lung opacity",
        [("RSNA", "box")],
        None,
    )
    assert cases["b"].label == "Normal"


@pytest.mark.parametrize(
    ("labels", "classes", "cleared"),
    [
        ("", "a,Lung Opacity\n", False),  # the boxes are missing, not absent
        ("a,,,,,0\n", "a,Lung Opacity\n", False),  # the two tables contradict each other
        ("a,,,,,0\n", "", True),
        ("", "a,No Lung Opacity / Not Normal\n", True),
        ("", "a,Normal\n", True),
        ("", "", False),
    ],
)
def test_no_lesion_of_pneumonia_needs_a_reader_who_said_so(rsna, tmp_path, labels, classes, cleared):
    text(rsna / "stage_2_train_labels.csv", RSNA_LABELS + labels + "b,,,,,0\n")
    text(rsna / "stage_2_detailed_class_info.csv", "patientId,class\nb,Normal\n" + classes)
    assert (run("nih", rsna, tmp_path / "out")["a"].other_mask is not None) == cleared


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("BBox_List_2017.csv", "BBox_List_2017_Official_NIH.csv"),
        ("Data_Entry_2017.csv", "Data_Entry_2017_v2020.csv"),
        ("Data_Entry_2017.csv", "data_entry_2017_V2020.CSV"),
    ],
)
def test_tables_of_newer_releases_are_read_like_the_old_ones(nih, tmp_path, old, new):
    before = run("nih", nih, tmp_path / "before")
    (nih / old).rename(nih / new)
    after = run("nih", nih, tmp_path / "after")
    for stem, case in before.items():
        told = [(c.label, readers_of(c), c.sex, c.age, c.view, c.weak_label) for c in (case, after[stem])]
        assert told[0] == told[1]


def test_the_newest_release_of_a_table_counts(nih, tmp_path):
    people = (nih / "Data_Entry_2017.csv").read_text(encoding="utf-8")
    text(nih / "Data_Entry_2017_v2020.csv", people.replace(",58,M,", ",57,M,"))
    assert run("nih", nih, tmp_path / "out")["00000000_000"].age == "57"


def test_a_missing_table_of_people_is_said(nih, tmp_path, capsys):
    run("nih", nih, tmp_path / "out")
    assert "note:" not in capsys.readouterr().err
    (nih / "Data_Entry_2017.csv").unlink()
    run("nih", nih, tmp_path / "out")
    assert "has no Data_Entry_2017_v2020.csv or Data_Entry_2017.csv, so sex, age" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["BBox_List_2017", "Data_Entry_2017_v2020"])
def test_a_table_that_is_there_as_a_workbook_only_is_named(nih, tmp_path, capsys, name):
    (nih / f"{name.removesuffix('_v2020')}.csv").unlink()
    (nih / f"{name}.xlsx").write_bytes(b"PK")
    assert f"{name}.xlsx is an Excel workbook; save it as" in refused(capsys, "nih", nih, tmp_path / "out")
