"""Each publisher's file, a few lines of it, becomes the records it tells."""

import json

import pytest

from deep_pneumonia.datasets.publisher_tables import (
    Crop,
    NamedBox,
    NamedPolygon,
    Person,
    read_chestx_det,
    read_nih_boxes,
    read_nih_names,
    read_panel,
    read_people,
    read_rsna_boxes,
    read_rsna_classes,
    read_structure,
    years,
)
from deep_pneumonia.errors import AnnotationError

NIH_BOXES = """Image Index,Finding Label,Bbox [x,y,w,h],,,
00000032_037.png,Infiltrate,339.1,119.2,172.3,351.1
00000072_000.png,Atelectasis,356.5,567.8,127.9,82.4
00000032_037.png,Mass,1,2,3,4
"""
RSNA_BOXES = """patientId,x,y,width,height,Target
aaa,,,,,0
bbb,264.0,152.0,213.0,379.0,1
bbb,562.0,152.0,256.0,453.0,1
"""
STRUCTURE = (
    "#,Taxonomy,Class,Template,Folder,Filename,Image,Tag,Mask,Resolution,Top,Left,Width,Height\r\n"
    "1,,COVID-19 Consolidation,x,,one.jpg,images/f00.jpg,t.png,masks/m1.png,943x751,38,47,851,627\r\n"
    "2,,COVID-19 Tubings,x,,one.jpg,images/f00.jpg,,,943x751,0,0,1,1\r\n"
)
PEOPLE = (
    "Image Index,Finding Labels,Patient Age,Patient Gender,View Position\n"
    "00000001_000.png,Mass,057Y,M,PA\n"
    "00000002_000.png,Mass,414,F,AP\n"
)
PANEL = (
    "Image Index,Fracture,Pneumothorax,Airspace opacity,Nodule or mass\n"
    "00000001_000.png,NO,YES,YES,NO\n"
    "00000002_000.png,NO,NO,NO,NO\n"
)


@pytest.fixture
def write(tmp_path):
    def writer(text, name="file.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return writer


def test_nih_boxes_by_image(write):
    assert read_nih_boxes(write(NIH_BOXES)) == {
        "00000032_037": [
            NamedBox("Infiltrate", (339.1, 119.2, 172.3, 351.1)),
            NamedBox("Mass", (1.0, 2.0, 3.0, 4.0)),
        ],
        "00000072_000": [NamedBox("Atelectasis", (356.5, 567.8, 127.9, 82.4))],
    }


def test_rsna_boxes_an_image_without_any_was_read_too(write):
    assert read_rsna_boxes(write(RSNA_BOXES)) == {
        "aaa": [],
        "bbb": [(264.0, 152.0, 213.0, 379.0), (562.0, 152.0, 256.0, 453.0)],
    }


def test_rsna_classes(write):
    assert read_rsna_classes(write("patientId,class\naaa,Normal\nbbb,Lung Opacity\nbbb,Lung Opacity\n")) == {
        "aaa": "Normal",
        "bbb": "Lung Opacity",
    }


def test_rsna_names_in_both_forms(write):
    table = write("patientId,nih_image\naaa,00000013_004.png\n")
    published = write(json.dumps([{"subset_img_id": "aaa", "img_id": "00000013_004.png"}]), "m.json")
    assert read_nih_names(table) == read_nih_names(published) == {"aaa": "00000013_004"}


def test_chestx_det_polygons_an_image_without_any_was_read_too(write):
    entries = [
        {
            "file_name": "1.png",
            "syms": ["Mass"],
            "boxes": [[0, 0, 4, 4]],
            "polygons": [[[0, 0], [4, 0], [4, 4]]],
        },
        {"file_name": "2.png", "syms": [], "boxes": [], "polygons": []},
    ]
    assert read_chestx_det(write(json.dumps(entries), "c.json")) == {
        "1": [NamedPolygon("Mass", ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0)))],
        "2": [],
    }


def test_panel_findings(write):
    assert read_panel(write(PANEL)) == {
        "00000001_000": {"Pneumothorax", "Airspace opacity"},
        "00000002_000": set(),
    }


def test_people(write):
    assert read_people(write(PEOPLE)) == {
        "00000001_000": Person("M", "57", "PA", "Mass"),
        "00000002_000": Person("F", "", "AP", "Mass"),
    }


def test_the_sex_is_in_either_of_two_columns(write):
    assert read_people(write(PEOPLE.replace("Patient Gender", "Patient Sex"))) == read_people(write(PEOPLE))
    with pytest.raises(AnnotationError, match="lacks the column 'Patient Gender'"):
        read_people(write(PEOPLE.replace("Patient Gender", "Gender")))


def test_a_box_that_leaves_nihs_picture_is_refused(write):
    head = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
    with pytest.raises(AnnotationError, match=r"row 2, which leaves NIH's picture of 1024 x 1024 pixels"):
        read_nih_boxes(write(head + "00000001_000.png,Mass,900,10,200,20,,,\n"))


@pytest.mark.parametrize(
    ("cell", "age"),
    [("58", "58"), ("58.0", "58"), ("058Y", "58"), (" 7", "7"), ("", ""), ("old", ""), ("121", "")],
)
def test_years(cell, age):
    assert years(cell) == age


def test_structure_leaves_out_rows_without_a_mask(write):
    path = write(STRUCTURE)
    crop = Crop("Consolidation", "images/f00.jpg", path.parent / "masks/m1.png", 38, 47, (751, 943))
    assert read_structure(path) == {"one.jpg": [crop]}


def test_a_byte_order_mark_and_broken_letters_do_no_harm(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b"\xef\xbb\xbfpatientId,class,note\naaa,Normal,caf\xe9\n")
    assert read_rsna_classes(path) == {"aaa": "Normal"}


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_nih_boxes, NIH_BOXES.replace("Finding Label", "Label")),
        (read_nih_boxes, NIH_BOXES.replace("339.1", "left")),
        (read_nih_boxes, NIH_BOXES.replace("339.1", "nan")),
        (read_nih_boxes, "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000032_037.png,Infiltrate,339.1\n"),
        (read_rsna_boxes, RSNA_BOXES.replace("264.0", "")),
        (read_rsna_classes, "patientId\naaa\n"),
        (read_nih_names, "patientId\naaa\n"),
        (read_panel, PANEL.replace("Fracture", "Break")),
        (read_people, PEOPLE.replace("Patient Age", "Age")),
        (read_structure, STRUCTURE.replace("943x751,38", "943,38")),
        (read_structure, STRUCTURE.replace("Resolution", "Size")),
        (read_structure, ""),
    ],
)
def test_a_table_that_is_not_the_publishers_is_refused_by_name(write, read, text):
    path = write(text)
    with pytest.raises(AnnotationError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("read", [read_chestx_det, read_nih_names])
@pytest.mark.parametrize(
    "text", ["", "[1]", '{"a": 1}', '[{"file_name": "1.png", "syms": ["Mass"], "polygons": []}]', "[{}]"]
)
def test_json_that_is_not_the_publishers_is_refused_by_name(write, read, text):
    path = write(text, "file.json")
    with pytest.raises(AnnotationError) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    for read in (read_nih_boxes, read_chestx_det, read_structure):
        with pytest.raises(AnnotationError, match="absent"):
            read(tmp_path / "absent")


@pytest.mark.parametrize(
    ("yes", "no"), [("1.0", "0.0"), (" 1", " 0"), ("TRUE", "FALSE"), ("true", "false"), ("1e0", "0")]
)
def test_a_target_is_read_as_a_number_or_a_truth_value(write, yes, no):
    table = RSNA_BOXES.replace(",1\n", f",{yes}\n").replace(",0\n", f",{no}\n")
    assert read_rsna_boxes(write(table)) == read_rsna_boxes(write(RSNA_BOXES))


@pytest.mark.parametrize(
    ("read", "table", "said"),
    [
        (read_rsna_boxes, RSNA_BOXES.replace("453.0,1", "453.0,maybe"), "'maybe' as Target in row 4"),
        (read_rsna_boxes, RSNA_BOXES.replace("453.0,1", "453.0,2"), "'2' as Target in row 4"),
        (read_rsna_boxes, RSNA_BOXES.replace("453.0,1", "453.0,"), "'' as Target in row 4"),
        (read_rsna_boxes, RSNA_BOXES.replace("453.0,1", "453.0,0"), "row 4 that contradicts a box of bbb"),
        (read_rsna_boxes, RSNA_BOXES + "bbb,,,,,0\n", "row 5 that contradicts a box of bbb"),
        (read_rsna_boxes, RSNA_BOXES.replace("256.0,453.0", "256.0,0"), "a box of 256 x 0 in row 4"),
        (read_rsna_boxes, RSNA_BOXES.replace("562.0", "800"), "row 4, which leaves RSNA's picture of 1024 x 1024"),
        (read_rsna_boxes, RSNA_BOXES.replace("256.0", "2_5"), "'2_5' as width in row 4"),
        (read_rsna_boxes, RSNA_BOXES.replace("264.0", "264,0"), "7 cells in row 3; expected 6"),
        (read_rsna_classes, "patientId,class\na,Opacity\n", "'Opacity' as class in row 2"),
        (read_rsna_classes, "patientId,class\na,Normal\na,Lung Opacity\n", "in row 3 but 'Normal' in a row before"),
        (read_nih_boxes, NIH_BOXES.replace(",Infiltrate", ",Infection"), "'Infection' as Finding Label in row 2"),
        (read_panel, PANEL.replace("NO,YES", "NO,maybe"), "'maybe' as Pneumothorax in row 2"),
        (read_panel, PANEL.replace("NO,YES", "NO,"), "'' as Pneumothorax in row 2"),
    ],
)
def test_an_unknown_value_is_an_error_that_names_file_row_and_value(write, read, table, said):
    path = write(table)
    with pytest.raises(AnnotationError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path} has ")
    assert said in str(caught.value)


def test_words_may_differ_in_case_and_spaces(write):
    assert read_rsna_classes(write("patientId,class\n a ,normal\nb,NO LUNG OPACITY/NOT NORMAL\n")) == {
        "a": "Normal",
        "b": "No Lung Opacity / Not Normal",
    }
    boxes = read_nih_boxes(write(NIH_BOXES.replace("Infiltrate", " infiltrate")))
    assert boxes["00000032_037"][0].finding == "Infiltrate"


def test_a_finding_that_chestx_det_does_not_draw_is_refused(write):
    entries = [{"file_name": "1.png", "syms": ["Pneumonitis"], "polygons": [[[0, 0], [4, 0], [4, 4]]]}]
    with pytest.raises(AnnotationError, match="pneumonitis"):
        read_chestx_det(write(json.dumps(entries), "c.json"))


def test_blank_rows_of_a_spreadsheet_are_skipped(write):
    assert read_rsna_boxes(write(RSNA_BOXES + ",,,,,\n\n")) == read_rsna_boxes(write(RSNA_BOXES))


def test_columns_are_found_in_any_case_and_order(write):
    table = "TARGET, Height ,width,y,x,PatientID\n0,,,,,aaa\n1,379,213,152,264,bbb\n1,453,256,152,562,bbb\n"
    assert read_rsna_boxes(write(table)) == read_rsna_boxes(write(RSNA_BOXES))


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    ("read", "table"), [(read_rsna_boxes, RSNA_BOXES), (read_nih_boxes, NIH_BOXES), (read_people, PEOPLE)]
)
def test_separators_and_encodings_of_spreadsheets(write, tmp_path, read, table, encoding, separator):
    path = tmp_path / "spreadsheet.csv"
    path.write_bytes(table.replace(",", separator).encode(encoding))
    assert read(path) == read(write(table))


def test_a_header_cell_with_commas_may_be_quoted(write):
    quoted = NIH_BOXES.replace("Bbox [x,y,w,h]", '"Bbox [x,y,w,h]"')
    assert read_nih_boxes(write(quoted)) == read_nih_boxes(write(NIH_BOXES))


def test_a_decimal_comma_counts_only_between_semicolons(write):
    semicolons = RSNA_BOXES.replace(",", ";").replace(".0", ",0")
    assert read_rsna_boxes(write(semicolons)) == read_rsna_boxes(write(RSNA_BOXES))
    tabs = RSNA_BOXES.replace(",", "\t").replace("264.0", "264,0")
    with pytest.raises(AnnotationError, match="'264,0' as x in row 3"):
        read_rsna_boxes(write(tabs))


def test_a_column_that_is_there_twice_is_refused(write):
    with pytest.raises(AnnotationError, match="has the column 'Target' twice"):
        read_rsna_boxes(write(RSNA_BOXES.replace("Target", "Target,target")))


def test_a_workbook_is_named_as_such(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b"PK\x03\x04 [Content_Types].xml xl/workbook.xml")
    with pytest.raises(AnnotationError, match=r"file\.csv is a workbook of Excel"):
        read_people(path)
