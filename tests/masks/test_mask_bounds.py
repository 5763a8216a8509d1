"""Bounds of mask files are checked before the work: values, rows, columns, readers and pixels."""

import io
import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage.draw import polygon

from deep_pneumonia.errors import AnnotationError, NotATableError, TooLargeAnnotationError
from deep_pneumonia.masks import annotation, rle, table, untrusted
from deep_pneumonia.masks.annotation import Annotation, from_crops, from_polygons
from deep_pneumonia.masks.any_format import read_annotations
from deep_pneumonia.masks.table import parse_table
from deep_pneumonia.masks.untrusted import parse_json
from deep_pneumonia.radiographs import bands

SIZE = (30, 40)


def never(*_: Any, **__: Any) -> Any:
    raise AssertionError("work was done before the bound was checked")


def group(readers: int) -> bytes:
    counts = {"size": SIZE, "counts": [0, SIZE[0] * SIZE[1]]}
    drawn = [{"image_id": 1, "segmentation": counts, "attributes": {"reader": f"R{n}"}} for n in range(readers)]
    return json.dumps({"images": [{"id": 1}], "annotations": drawn}).encode()


def test_deep_json_is_refused() -> None:
    with pytest.raises(AnnotationError, match="nested too deep"):
        parse_json(b'{"shapes": ' + b"[" * 10_000, "a.json")


def test_readers_are_counted_before_a_mask_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(read_annotations(group(3), SIZE, name="a.json", readers=3)) == 3
    monkeypatch.setattr(rle, "decode", never)
    with pytest.raises(AnnotationError, match=r"a\.json has 4 masks of one radiograph, expected at most 3"):
        read_annotations(group(4), SIZE, name="a.json", readers=3)
    monkeypatch.setattr(annotation, "MAX_MASK_PIXELS", 2 * SIZE[0] * SIZE[1])
    with pytest.raises(AnnotationError, match="3 masks of 30 x 40 pixels, more than the 2400 pixels"):
        read_annotations(group(3), SIZE, name="a.json")


def test_tables_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_TABLE_ROWS", 3)
    assert len(parse_table(b"a,b\n" + b"1,2\n" * 3, ["a"], "t.csv")) == 3
    with pytest.raises(TooLargeAnnotationError, match="more than 3 rows"):
        parse_table(b"a,b\n" + b"1,2\n" * 4, ["a"], "t.csv")
    monkeypatch.setattr(table, "MAX_TABLE_BYTES", 30)
    with pytest.raises(TooLargeAnnotationError, match="more than 30 bytes"):
        parse_table(b"a,b\n" + b"1,2\n" * 40, ["a"], "t.csv")


def test_wide_tables_and_long_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotATableError, match="lacks the column"):
        parse_table(b"a" + b"," * 2000, ["a"], "t.csv")
    monkeypatch.setattr(table, "MAX_LINE_LENGTH", 20)
    with pytest.raises(NotATableError, match="a line has 20 characters or more"):
        parse_table(b"a,b\n1," + b"2" * 30 + b"\n", ["a"], "t.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_tables_are_decoded_line_by_line(encoding: str) -> None:
    rows = parse_table('a;b\n"x\r\ny";1\nä;2\n'.encode(encoding), ["a", "b"], "t.csv")
    assert [(row["a"], row["b"]) for row in rows] == [("x\r\ny", "1"), ("ä", "2")]


def test_both_sizes_of_pasted_crops_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotation, "MAX_PIXELS", 15)
    assert from_crops([], (3, 5), (5, 3), reader="r").is_empty
    for frame, size in (((4, 4), (3, 5)), ((3, 5), (4, 4))):
        with pytest.raises(AnnotationError, match="A mask cannot have 4 x 4 pixels"):
            from_crops([], frame, size, reader="r")


COORDINATES = st.one_of(st.floats(-10, 50), st.integers(-10, 50), st.integers(-20, 100).map(lambda n: n / 2))


@given(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=9), st.integers(1, 200))
def test_a_polygon_in_bands_is_that_of_scikit_image(points: list[tuple[float, float]], band: int) -> None:
    x, y = np.array(points, float).T
    expected = np.zeros(SIZE, bool)
    expected[polygon(y - 0.5, x - 0.5, SIZE)] = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(annotation, "BAND_PIXELS", band)
        np.testing.assert_array_equal(from_polygons([points], SIZE, SIZE, reader="r").mask, expected)


def test_a_large_file_with_wide_characters_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untrusted, "MAX_WIDE_JSON_BYTES", 12)
    small, latin = '["\U0001f4a3"]'.encode(), '["a long text é 漢"]'.encode()
    assert (parse_json(small, "a.json"), parse_json(latin, "a.json")) == (["\U0001f4a3"], ["a long text é 漢"])
    monkeypatch.setattr(untrusted, "from_json", never)
    for data in ('["a long text \U0001f4a3'.encode(), rb'["long \ud83d\udca3"]', rb'["long \uDBFF\uDFFF"]'):
        with pytest.raises(TooLargeAnnotationError, match="more than 12 bytes with characters such as emoji"):
            parse_json(data, "a.json")


def test_masks_are_gathered_as_they_are() -> None:
    given = [Annotation(np.arange(35).reshape(5, 7) % n == 0, f"R{n}", "polygon") for n in (2, 3)]
    given.append(annotation.read_as_normal((3, 3), reader="N"))
    for one, other in zip(given, annotation.gathered(iter(given)), strict=True):
        np.testing.assert_array_equal(one.mask, other.mask)
        assert (one.reader, one.kind, other.mask.flags.writeable) == (other.reader, other.kind, False)


def test_a_damaged_last_mask_takes_no_memory_of_the_others() -> None:
    side = 1000
    drawn: list[Any] = [{"size": [side, side], "counts": [0, side * side]}] * 20
    drawn.append({"size": [side, side], "counts": [1, 2]})
    entries = [{"image_id": 1, "segmentation": s, "attributes": {"reader": f"R{n}"}} for n, s in enumerate(drawn)]
    data = json.dumps({"images": [{"id": 1}], "annotations": entries}).encode()
    tracemalloc.start()
    with pytest.raises(AnnotationError, match="damaged or do not add up"):
        read_annotations(data, (side, side), name="a.json")
    assert tracemalloc.get_traced_memory()[1] < 10 * side * side
    tracemalloc.stop()


@pytest.mark.parametrize("colours", [False, True])
def test_a_picture_that_is_no_mask_is_compared_in_bands(colours: bool) -> None:
    ramp = np.broadcast_to((np.arange(1500) // 6).astype(np.uint8), (1500, 1500)).copy()
    image = Image.fromarray(np.stack([ramp, ramp[::-1, ::-1], ramp], axis=2) if colours else ramp)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    tracemalloc.start()
    with pytest.raises(AnnotationError, match="several classes"):
        annotation.read_mask(stream.getvalue())
    assert tracemalloc.get_traced_memory()[1] < 22 * 2**20  # before, 31 and 93 MB
    tracemalloc.stop()


@pytest.mark.parametrize("soft", [4, 9])
def test_bands_of_a_mask_see_the_rows_around_them(soft: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A soft edge across the bands is allowed up to 8 pixels, wherever the bands end."""
    rows = np.interp(np.arange(80), [39 - soft, 40 + soft], [0, 255]).round().astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(np.repeat(rows[:, None], 20, axis=1)).save(stream, "PNG")

    def answer() -> Any:
        try:
            return annotation.read_mask(stream.getvalue()).mask.tobytes()
        except AnnotationError as error:
            return str(error)

    whole = answer()
    assert isinstance(whole, bytes) == (soft == 4)
    for height in (1, 7, 40):
        monkeypatch.setattr(bands, "BAND_PIXELS", height * 20)
        assert answer() == whole
