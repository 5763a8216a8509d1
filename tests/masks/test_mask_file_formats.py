"""The format of an annotation file is told by its content; a radiograph and junk are told from it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from deep_pneumonia import shipped
from deep_pneumonia.errors import AnnotationError, MaskSizeError
from deep_pneumonia.limits import MAX_FILE_BYTES
from deep_pneumonia.masks.annotation import Annotation, to_png
from deep_pneumonia.masks.any_format import looks_like_annotation, read_annotations
from deep_pneumonia.masks.coco import to_coco
from deep_pneumonia.masks.dicom_seg_write import to_seg
from tests.dicom_objects import RAMP, data_set, written
from tests.pictures import encode, rgba

SIZE = (20, 30)
MASK = np.zeros(SIZE, bool)
MASK[2:9, 3:12] = True
DRAWN = Annotation(MASK, "dr_a", "pixel")
CORNERS = [[3, 2], [12, 9]]
LABELME = {"shapes": [{"shape_type": "rectangle", "points": CORNERS}], "imageHeight": 20, "imageWidth": 30}
FORMS = {
    "png": to_png(MASK),
    "coco": to_coco([DRAWN], "x.png"),
    "labelme": b"\xef\xbb\xbf \n" + json.dumps(LABELME).encode(),
    "csv": b"patientId,x,y,width,height,Target\r\nx,3,2,9,7,1\r\n",
    "csv_of_excel": b"patientid;X;Y;Width;Height;TARGET\r\nx;3,0;2,0;9,0;7,0;TRUE\r\n",
    "csv_in_utf16": "\ufeffpatientId\tx\ty\twidth\theight\tTarget\r\nx\t3\t2\t9\t7\t1\r\n".encode("utf-16-le"),
    "seg": to_seg([DRAWN], None, np.zeros(SIZE, np.float32)).segmentation,
}
NOISE = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
GREY = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8) // 32  # smooth: four values


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_mask_whatever_its_name(form, tmp_path):
    (tmp_path / "upload").write_bytes(FORMS[form])
    for file in (FORMS[form], tmp_path / "upload", str(tmp_path / "upload")):
        (found,) = read_annotations(file, SIZE, name="dr_a.txt", radiograph="x.png")
        np.testing.assert_array_equal(found.mask, MASK)
        assert found.reader == "dr_a"
        assert looks_like_annotation(file)


@pytest.mark.parametrize("form", [f for f in FORMS if "csv" not in f])
def test_another_size_is_an_error_that_names_the_file(form):
    with pytest.raises(MaskSizeError, match=r"dr_a\.x .*20 x 30 pixels.*30 x 20"):
        read_annotations(FORMS[form], (30, 20), name="/secret/dr_a.x")


@pytest.mark.parametrize("data", [
    b"", b"{", b"[]", b"[1]", b"{}", b'{"images": []}', b"[" * 100_000, b'{"a":' * 100_000, b"[" * 2_000_001,
    b'{"shapes": [NaN]}', b'{"shapes": [-Infinity]}', b"\xff\xfe{\0}\0", b'{"\xff": 1}', b"9" * 5000,
    b"{" + b"9" * 5000,
    b"GIF89a", b"\0" * 200, b"\x02\x00" + b"x" * 50, FORMS["png"][:40], FORMS["seg"][:400], FORMS["coco"][:-9],
    b"{" + b" " * MAX_FILE_BYTES, bytes(128) + b"DICM",
], ids=range(23))  # fmt: skip
def test_what_is_no_annotation_is_named_in_one_sentence(data):
    with pytest.raises(AnnotationError) as caught:
        read_annotations(data, SIZE, name="/secret/dr_a.x")
    text = str(caught.value)
    assert "dr_a.x " in text
    assert "secret" not in text
    assert "\n" not in text


@pytest.mark.parametrize("path", ["missing.json", ".", "a\0b"])
def test_a_path_is_never_quoted(path, tmp_path):
    with pytest.raises(AnnotationError, match=r"^dr_a\.x (does not exist|is a folder|cannot be read)"):
        read_annotations(tmp_path / path, SIZE, name="dr_a.x")
    assert not looks_like_annotation(tmp_path / path)


@pytest.mark.parametrize("data", [
    encode(MASK), encode(MASK * np.uint8(1)), encode(MASK * np.uint8(90)), encode(MASK * np.uint16(65535)),
    encode(~(MASK & ~MASK)),
    encode(np.dstack([MASK * np.uint8(200), MASK * np.uint8(0), MASK * np.uint8(30)])),
    encode(rgba((255, 255, 255), MASK * 255)), encode(rgba((0, 0, 0), MASK * 255)),
    encode(Image.fromarray(MASK * np.uint8(1)).quantize(2)),
    encode((NOISE > 127) * np.uint8(255)), encode(np.dstack([(NOISE > 127) * np.uint8(255)] * 3)), encode(MASK & ~MASK),
], ids=range(12))  # fmt: skip
def test_pngs_of_two_colours_are_masks(data):
    assert looks_like_annotation(data)


@pytest.mark.parametrize("data", [
    encode(NOISE), encode(GREY), encode(GREY.astype(np.uint16) * 9000), encode(np.dstack([NOISE] * 3)),
    encode(MASK * np.uint8(60) + np.uint8(40)),
    encode(NOISE.astype(np.uint16) * 257), written(data_set(RAMP)),
    to_seg([DRAWN], None, np.eye(20, 30, dtype=np.float32)).source,
    b"", b"\0", b"hello", b"a,\0b\n", b"\n", FORMS["png"][:40], FORMS["png"][:20], FORMS["seg"][:140],
    bytes(128) + b"DICM",
], ids=range(17))  # fmt: skip
def test_radiographs_and_junk_are_no_annotations(data):
    assert not looks_like_annotation(data)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"{", bytes(128) + b"DICM", b"x,y\n"]))
def test_junk_never_raises_but_an_annotation_error(junk, start):
    assert looks_like_annotation(start + junk) in (True, False)
    with pytest.raises(AnnotationError, match=r"j\.x"):
        read_annotations(start + junk, SIZE, name="j.x")


def test_a_huge_png_is_not_unfolded():
    huge = FORMS["png"][:16] + (10**5).to_bytes(4, "big") * 2 + FORMS["png"][24:]
    assert not looks_like_annotation(huge)
    with pytest.raises(AnnotationError, match=r"m\.png"):
        read_annotations(huge, SIZE, name="m.png")


def test_the_teaching_cases_are_told_apart():
    folder = shipped.CASES
    case = json.loads((folder / "cases.json").read_text(encoding="utf-8"))["cases"][0]
    assert not looks_like_annotation(folder / case["image"])
    assert all(looks_like_annotation(folder / r["mask"]) for r in case["readers"] if r.get("mask"))
