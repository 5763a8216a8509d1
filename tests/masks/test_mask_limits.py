"""Masks at the limits of what is read: headers, sizes, names in errors, and the smallest shapes."""

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from deep_pneumonia.errors import AnnotationError, MaskSizeError
from deep_pneumonia.masks import annotation, mask_picture
from deep_pneumonia.masks.annotation import check_size, from_boxes, from_crops, from_polygons, read_as_normal, read_mask
from tests.pictures import encode

LESION = np.array([[0, 0, 0], [0, 1, 1]], np.bool_)


def test_a_mask_is_one_of_pixels_by_a_reader_unless_said() -> None:
    found = read_mask(encode(LESION))
    assert (found.reader, found.kind, found.size) == ("reader", "pixel", (2, 3))


def test_errors_call_a_mask_by_its_name_or_its_path(tmp_path) -> None:
    (tmp_path / "m.png").write_bytes(b"no picture")
    for file, name, called in (
        (b"no picture", "", "The mask is not a PNG, JPEG"),
        (b"no picture", "a.png", "The mask a.png is not a PNG, JPEG"),
        (tmp_path / "m.png", "", f"The mask {tmp_path / 'm.png'} is not a PNG, JPEG"),
        (tmp_path / "m.png", "b.png", "The mask b.png is not a PNG, JPEG"),
    ):
        with pytest.raises(AnnotationError) as caught:
            read_mask(file, name=name)
        assert str(caught.value).startswith(called)
    with pytest.raises(MaskSizeError, match=r"^The mask a\.png has 2 x 3 pixels .* 2 x 2"):
        read_mask(encode(LESION), (2, 2), name="a.png")
    with pytest.raises(AnnotationError, match=r"^The mask .*none\.png does not exist"):
        read_mask(tmp_path / "none.png")


def header(width: int, height: int, kind: bytes = b"IHDR") -> bytes:
    """The start of a PNG file of 33 bytes."""
    content = kind + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return mask_picture.PNG_START + struct.pack(">I", 13) + content + struct.pack(">I", zlib.crc32(content))


def saved(mask: NDArray[np.bool_], file_format: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(stream, file_format)
    return stream.getvalue()


def test_headers_are_checked_before_pixels_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (b"x", header(2, 3)[1:]):
        with pytest.raises(AnnotationError, match=r"^The mask is not a PNG, JPEG"):
            read_mask(data)
    for data in (header(2, 3)[:23], header(2, 3, b"IDAT"), header(2, 3)[:24], header(2, 3), header(0, 3)):
        with pytest.raises(AnnotationError, match=r"^The mask is (damaged|not a PNG, JPEG)"):
            read_mask(data)
    monkeypatch.setattr(mask_picture, "MAX_PIXELS", 6)
    for file_format in ("PNG", "BMP", "TIFF"):
        assert read_mask(saved(LESION, file_format)).size == (2, 3)
        with pytest.raises(AnnotationError, match=r"^The mask has 7 x 1 pixels, more than the 6"):
            read_mask(saved(np.ones((7, 1), np.bool_), file_format))
    with pytest.raises(AnnotationError, match=r"^The mask has 1 x 7 pixels, more than the 6"):
        read_mask(header(7, 1))


def test_sizes_from_one_pixel_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotation, "MAX_PIXELS", 6)
    assert read_as_normal((1, 6), reader="A").size == (1, 6)
    assert from_boxes([], (6, 1), (3, 2), reader="A").size == (3, 2)
    for size in ((7, 1), (0, 1), (1, 0), (-2, -3)):
        for draw in (
            lambda size: read_as_normal(size, reader="A"),
            lambda size: from_boxes([], (1, 1), size, reader="A"),
            lambda size: from_polygons([], size, (1, 1), reader="A"),
            lambda size: from_crops([], size, (1, 1), reader="A"),
        ):
            with pytest.raises(AnnotationError, match=f"cannot have {size[0]} x {size[1]} pixels"):
                draw(size)


def test_sizes_are_compared_as_rows_and_columns() -> None:
    check_size((2, 3), (2, 3), "A mask")
    with pytest.raises(MaskSizeError, match=r"^A mask has 3 x 2 pixels \(rows x columns\) but .* 2 x 3; draw"):
        check_size((3, 2), (2, 3), "A mask")


def test_a_shape_of_three_points_is_an_area_and_of_two_is_none() -> None:
    assert not from_polygons([[(0, 0), (4, 0)]], (4, 4), (4, 4), reader="A").mask.any()
    triangle = from_polygons([[(0, 0), (8, 0), (0, 8)]], (8, 8), (4, 4), reader="Dr A")
    np.testing.assert_array_equal(triangle.mask, [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]])
    assert (triangle.reader, from_boxes([], (4, 4), (4, 4), reader="Dr B").reader) == ("Dr A", "Dr B")
    for side in range(4):
        box = [1.0, 1.0, 1.0, 1.0]
        box[side] = float("inf") if side < 2 else -0.5
        with pytest.raises(AnnotationError, match=r"not a finite number|negative"):
            from_boxes([tuple(box)], (4, 4), (4, 4), reader="A")
    assert not from_boxes([(1, 1, 0, 1), (1, 1, 1, 0)], (4, 4), (4, 4), reader="A").mask.any()


def test_a_crop_is_fitted_from_its_frame_to_the_size() -> None:
    found = from_crops([(np.ones((2, 2), bool), 0, 2)], (4, 4), (2, 2), reader="Dr A")
    np.testing.assert_array_equal(found.mask, [[False, True], [False, False]])
    assert found.reader == "Dr A"
