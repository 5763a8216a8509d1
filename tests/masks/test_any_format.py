"""Mask PNGs of every form: read, written, fitted, damaged."""

import contextlib
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from deep_pneumonia.errors import AnnotationError, MaskSizeError
from deep_pneumonia.limits import MAX_FILE_BYTES
from deep_pneumonia.masks.annotation import read_mask, write_mask
from tests.pictures import encode, rgba

MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12))
LESION = np.array([[0, 0, 0], [0, 1, 1]], dtype=np.bool_)


def test_fitting_to_fewer_pixels_takes_the_one_in_the_middle():
    middle = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], bool)
    assert read_mask(encode(middle), (1, 1), fit=True).mask.all()


@given(mask=MASKS)
def test_a_written_mask_is_read_back(mask, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "written.png"
    write_mask(mask, path)
    np.testing.assert_array_equal(read_mask(path).mask, mask)
    with Image.open(path) as picture:
        assert picture.mode == "L"
        assert set(np.unique(np.asarray(picture))) <= {0, 255}


def test_writing_leaves_one_file_and_replaces_an_old_one(tmp_path):
    for mask in (LESION, ~LESION):
        write_mask(mask, tmp_path / "m.png")
    assert [p.name for p in tmp_path.iterdir()] == ["m.png"]
    np.testing.assert_array_equal(read_mask(str(tmp_path / "m.png")).mask, ~LESION)


@pytest.mark.parametrize(
    "pixels",
    [
        LESION,
        LESION.astype(np.uint8),
        LESION * np.uint8(255),
        LESION * np.uint8(127) + np.uint8(64),
        LESION.astype(np.uint16),
        LESION * np.uint16(65535),
        LESION * np.uint16(40000),
        np.dstack([LESION * np.uint8(200), LESION * np.uint8(0), LESION * np.uint8(30)]),
        np.dstack([LESION * np.uint8(255), np.full((2, 3), 255, np.uint8)]),
        rgba((0, 0, 0), LESION * 255),
        rgba((255, 255, 255), LESION * 255),
        np.dstack([LESION * np.uint8(255)] * 3 + [np.full((2, 3), 255, np.uint8)]),
        np.dstack([LESION * np.uint8(255), *[np.zeros((2, 3), np.uint8)] * 2, LESION * np.uint8(200)]),
    ],
    ids=[
        "1-bit", "label 0/1", "0/255", "64/191", "16-bit label", "16-bit full", "16-bit", "red",
        "grey, alpha", "black ink on nothing", "white ink on nothing", "opaque colour", "red ink on nothing",
    ],
)  # fmt: skip
def test_every_form_of_png_gives_the_same_mask(pixels):
    np.testing.assert_array_equal(read_mask(encode(pixels)).mask, LESION)


def test_bright_colour_that_is_transparent_is_no_lesion():
    colour = np.where(LESION, 200, 255).astype(np.uint8)
    pixels = np.dstack([colour] * 3 + [LESION * np.uint8(255)])
    np.testing.assert_array_equal(read_mask(encode(pixels)).mask, LESION)


def test_a_palette_mask_is_read_by_its_colours():
    image = Image.fromarray(LESION.astype(np.uint8))
    image.putpalette([0, 0, 0, 128, 0, 0])
    np.testing.assert_array_equal(read_mask(encode(image)).mask, LESION)


@pytest.mark.parametrize("pixels", [
    rgba((255, 0, 0), LESION * 102), rgba((0, 0, 0), LESION * 60),
    np.where(LESION[..., None], [255, 0, 0, 102], [0, 0, 0, 0]).astype(np.uint8),
    np.where(LESION[..., None], [0, 0, 0, 255], [255, 255, 255, 0]).astype(np.uint8),
    np.where(LESION[..., None], [0, 90, 0, 102], [9, 9, 9, 10]).astype(np.uint8),
])  # fmt: skip
def test_a_transparent_overlay_is_the_mask_where_it_is_most_opaque(pixels):
    np.testing.assert_array_equal(read_mask(encode(pixels)).mask, LESION)


def test_an_overlay_without_a_pixel_is_empty():
    assert read_mask(encode(rgba((0, 0, 0), LESION * 0))).is_empty


CLASSES = np.array([[0, 0, 1], [1, 2, 2]])


@pytest.mark.parametrize("picture", [
    np.array([0, 1, 255], np.uint8)[CLASSES], np.array([0, 3, 254], np.uint8)[CLASSES],
    np.array([0, 1, 65535], np.uint16)[CLASSES], np.array([[0] * 3, [1] * 3, [255] * 3], np.uint8)[CLASSES],
    np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]], np.uint8)[CLASSES],
    np.array([[255, 255, 255], [255, 0, 0], [255, 0, 0]], np.uint8)[CLASSES],
    np.array([[0, 0, 0, 0], [128, 0, 0, 102], [0, 64, 0, 102]], np.uint8)[CLASSES],
])  # fmt: skip
def test_a_picture_of_several_classes_is_refused(picture):
    with pytest.raises(AnnotationError, match=r"^The mask x\.png has several classes \(.*; save the lesion alone"):
        read_mask(encode(picture), name="x.png")


def test_a_palette_of_several_classes_is_refused():
    image = Image.fromarray(CLASSES.astype(np.uint8))
    image.putpalette([0, 0, 0, 128, 0, 0, 224, 224, 192])
    with pytest.raises(AnnotationError, match="several classes"):
        read_mask(encode(image))


def test_soft_edges_are_one_class():
    grey = np.array([0, 12, 90, 140, 250, 255], np.uint8)[None]
    expected = grey > 127
    for pixels in (grey, np.dstack([grey, grey // 5, grey * 0]), np.dstack([grey, grey * 0, grey * 0, grey | 128])):
        np.testing.assert_array_equal(read_mask(encode(pixels)).mask, expected)


@pytest.mark.parametrize("value", [0, 255])
def test_an_opaque_picture_of_one_colour_is_all_or_nothing(value):
    pixels = rgba((value, value, value), np.full((2, 3), 255))
    assert read_mask(encode(pixels)).mask.mean() == (value > 0)


def test_a_mask_too_dark_to_tell_is_refused_instead_of_read_as_empty():
    with pytest.raises(AnnotationError, match="3 of 255"):
        read_mask(encode(LESION * np.uint8(3)))


def test_another_size_is_an_error_unless_asked_to_fit():
    data = encode(LESION * np.uint8(255))
    assert read_mask(data, (2, 3)).size == (2, 3)
    with pytest.raises(MaskSizeError, match=r"2 x 3 pixels.*3 x 2"):
        read_mask(data, (3, 2))
    fitted = read_mask(data, (4, 6), fit=True, reader="Dr A", kind="polygon")
    np.testing.assert_array_equal(fitted.mask, LESION.repeat(2, 0).repeat(2, 1))
    assert (fitted.reader, fitted.kind) == ("Dr A", "polygon")


@given(MASKS, st.integers(1, 5))
def test_fitting_to_a_multiple_and_back_changes_nothing(mask, times):
    height, width = mask.shape
    large = read_mask(encode(mask), (height * times, width * times), fit=True).mask
    np.testing.assert_array_equal(large, mask.repeat(times, 0).repeat(times, 1))
    np.testing.assert_array_equal(read_mask(encode(large), mask.shape, fit=True).mask, mask)


def test_a_huge_picture_in_a_small_file_is_never_unfolded():
    data = encode(np.zeros((1, 1), np.uint8))
    huge = data[:16] + (10**5).to_bytes(4, "big") * 2 + data[24:]
    with pytest.raises(AnnotationError, match="more than the 36000000 allowed"):
        read_mask(huge)
    with pytest.raises(AnnotationError, match="several PNG headers"):  # a second header contradicts the first
        read_mask(data[:33] + header(10**5) + data[33:])
    with pytest.raises(AnnotationError, match="several PNG headers"):
        read_mask(data[:8] + header(7) + data[8:])
    with pytest.raises(AnnotationError, match="more than 64 MiB"):
        read_mask(data + bytes(MAX_FILE_BYTES))


def header(side: int) -> bytes:
    """A PNG header chunk of a square 8-bit greyscale picture, with its checksum."""
    chunk = b"IHDR" + side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return (13).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")


def test_bad_files_are_named(tmp_path):
    jpeg = tmp_path / "mask.jpg"
    Image.fromarray(LESION.astype(np.uint8)).save(jpeg)
    for path in (jpeg, tmp_path / "absent.png", tmp_path):
        with pytest.raises(AnnotationError) as caught:
            read_mask(path)
        assert str(path) in str(caught.value)
        assert str(caught.value).count("\n") == 0
    with pytest.raises(AnnotationError):
        read_mask(b"")


@given(st.data())
def test_damage_gives_a_mask_or_a_plain_error(data):
    whole = bytearray(encode(np.tile(LESION * np.uint8(255), (4, 4))))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    with contextlib.suppress(AnnotationError):
        assert read_mask(cut).mask.ndim == 2
