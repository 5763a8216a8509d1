"""A table of boxes as RSNA publishes it: rows by patient, normal ones, and tables that contradict themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.masks.rsna_csv import read_rsna

SIZE = (6, 8)
HEADER = "patientId,x,y,width,height,Target\n"


def read(*rows: str, radiograph: str = "p1.dcm", header: str = HEADER) -> Annotation:
    (found,) = read_rsna((header + "\n".join(rows)).encode(), SIZE, name="/secret/dr_a.csv", radiograph=radiograph)
    return found


def test_boxes_of_the_radiographs_patient_are_joined():
    found = read("p1,1,2,2.0,1.0,1", "p2,0,0,8,6,1", "p1,5,0,1,1,1")
    expected = np.zeros(SIZE, bool)
    expected[2, 1:3] = expected[0, 5] = True
    np.testing.assert_array_equal(found.mask, expected)
    assert (found.reader, found.kind) == ("dr_a", "box")


def test_target_0_is_read_as_normal():
    found = read("p1,,,,,0", "p2,0,0,8,6,1")
    assert found.is_empty
    assert (found.reader, found.kind) == ("dr_a", "normal")


@pytest.mark.parametrize(("yes", "no"), [("1.0", "0.0"), (" 1", " 0"), ("TRUE", "false")])
def test_a_target_is_read_as_a_number_or_a_truth_value(yes, no):
    assert read(f"p1,0,0,1,1,{yes}").mask.sum() == 1
    assert read(f"p1,,,,,{no}").kind == read(f"p1,nan,NaN,,,{no}").kind == "normal"


@pytest.mark.parametrize("target", ["", "2", "0.5", "maybe", "nan"])
def test_an_unknown_target_is_an_error_that_names_row_and_value(target):
    for box in ("0,0,1,1", ",,,"):
        with pytest.raises(AnnotationError, match=rf"^dr_a\.csv has '{target}' as Target in row 3; expected 0 or 1"):
            read("p1,0,0,1,1,1", f"p1,{box},{target}")


def test_a_table_of_one_patient_needs_no_name():
    for radiograph in ("", "other.png"):
        assert read("p1,0,0,1,1,1", radiograph=radiograph).mask.sum() == 1
        with pytest.raises(AnnotationError, match=r"^dr_a\.csv has 2 patientIds, but none is"):
            read("p1,0,0,1,1,1", "p2,,,,,0", radiograph=radiograph)


@pytest.mark.parametrize("rows", [
    ["p1,,,,,1"], ["p1,0,0,1,1,0"], ["p1,0,0,1,1,1", "p1,,,,,0"], ["p1,0,0,1,1,x"], ["p1,0,0,1,1"], ["p1"],
    ["p1,nan,0,1,1,1"], ["p1,inf,0,1,1,1"], ["p1,1e308,0,1,1,1"], ["p1,0,0,-1,1,1"], ["p1,a,0,1,1,1"], [],
    ["p1,0,0,0,1,1"], ["p1,0,0,1,1,1,2"], ['p1,"0,0,1,1,1'], ["p1," + "9" * 200_000 + ",0,1,1,1"],
])  # fmt: skip
def test_a_damaged_row_is_named_in_one_sentence(rows):
    with pytest.raises(AnnotationError) as caught:
        read(*rows)
    assert str(caught.value).startswith("dr_a.csv ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("box", ["562,0,256,1", "0,5,1,3", "-2,0,3,1", "0,-1.5,1,3"])
def test_a_box_that_leaves_the_radiograph_is_refused(box):
    with pytest.raises(
        AnnotationError, match=r"^dr_a\.csv has a box .* in row 3, which leaves the radiograph of 8 x 6 "
    ):
        read("p1,0,0,1,1,1", f"p1,{box},1")


def test_a_box_may_leave_the_radiograph_by_a_rounding():
    assert read("p1,-1,-0.5,10,7.5,1").mask.all()


RSNA_ID = "00436515-870c-4b36-a041-de91049b9ab4"
OTHER_ID = "00704310-78a8-4b38-8475-49f4573b2dbb"


def read_published(*rows: str, size: tuple[int, int] = (8, 8), name: str = "part.csv") -> Annotation:
    table = (HEADER + "\n".join(rows)).encode()
    (found,) = read_rsna(table, size, name=name, radiograph=f"{RSNA_ID}.png")
    return found


@pytest.mark.parametrize("name", ["part.csv", "stage_2_train_labels.csv"])
def test_boxes_of_the_challenge_are_scaled_to_a_smaller_radiograph_and_it_is_said(name):
    found = read_published(f"{RSNA_ID},256,512,128,256,1", f"{OTHER_ID},,,,,0", name=name)
    assert sorted(map(tuple, np.argwhere(found.mask))) == [(4, 2), (5, 2)]
    assert found.reader == f"{name.removesuffix('.csv')} (boxes scaled from 1024 x 1024 pixels)"
    assert read_published(f"{RSNA_ID},0,0,2,2,1", size=(1024, 1024)).reader == "part"


def test_a_long_name_does_not_hide_that_the_boxes_are_scaled():
    found = read_published(f"{RSNA_ID},256,512,128,256,1", f"{OTHER_ID},,,,,0", name="n" * 200 + ".csv")
    assert found.reader == "n" * (100 - 39) + " (boxes scaled from 1024 x 1024 pixels)"


@pytest.mark.parametrize(("size", "box"), [((8, 8), "0,0,4,4"), ((8, 6), "256,512,128,256"), ((8, 8), "256,0,900,1")])
def test_boxes_of_the_challenge_in_an_unknown_frame_are_refused(size, box):
    with pytest.raises(
        AnnotationError, match=r"^part\.csv has (patientIds of the RSNA challenge|a box .* RSNA's pict)"
    ):
        read_published(f"{RSNA_ID},{box},1", size=size)


@pytest.mark.parametrize("workbook", [b"PK\x03\x04..xl/workbook.xml", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..."])
def test_a_workbook_is_named_as_such(workbook):
    with pytest.raises(AnnotationError, match=r"^dr_a\.xlsx is a workbook of Excel"):
        read_rsna(workbook, SIZE, name="dr_a.xlsx")


def test_another_table_says_what_is_expected():
    with pytest.raises(AnnotationError, match=r"^dr_a\.csv is not in a supported format.*patientId, x, y, width"):
        read("1,2", header="a,b\n")


@given(st.binary(max_size=80))
def test_junk_gives_a_plain_error(junk):
    for data in (junk, HEADER.encode() + junk):
        said = "j.csv "
        try:
            assert read_rsna(data, SIZE, name="j.csv")[0].size == SIZE
        except AnnotationError as error:
            said = str(error)
        assert said.startswith("j.csv ")
