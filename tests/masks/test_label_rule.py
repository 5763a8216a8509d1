"""The rule of label pictures at its bounds, with pictures of a few pixels by hand."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.annotation import read_mask
from deep_pneumonia.masks.label_picture import lesion_pixels
from deep_pneumonia.radiographs import bands
from tests.pictures import encode

RED, GREEN, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 0)


def mask(picture: np.ndarray, source: str = "PNG", **options: object) -> list[list[int]]:
    return read_mask(encode(picture, source, **options)).mask.astype(int).tolist()


def refused(picture: np.ndarray) -> str:
    with pytest.raises(AnnotationError) as caught:
        read_mask(encode(picture), name="x.png")
    return str(caught.value)


def colours(*pixels: tuple[int, ...]) -> np.ndarray:
    return np.array([pixels], np.uint8)


@pytest.mark.parametrize("chunk", [1, 6, 100])
def test_colours_are_compared_in_every_row_whatever_is_compared_at_once(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bands, "BAND_PIXELS", chunk)
    overlay = np.zeros((5, 3, 4), np.uint8)
    overlay[:, :2] = (*RED, 120)
    assert mask(overlay) == [[1, 1, 0]] * 5
    for row in range(5):
        other = overlay.copy()
        other[row, 0] = (*GREEN, 120)
        assert "colours of different hue" in refused(other)


def test_deep_values_are_zero_and_one_other() -> None:
    for value in (0.5, 1.0, 7.0):
        assert mask(np.array([[0, value, value]], np.float32), "TIFF") == [[0, 1, 1]]
    assert mask(np.zeros((2, 2), np.float32), "TIFF") == [[0, 0], [0, 0]]
    assert mask(np.full((2, 2), 3, np.int32), "TIFF") == [[1, 1], [1, 1]]
    for values in ([[0, -1.0]], [[-2.0, -2.0]], [[0.25, 0.5]]):
        with pytest.raises(AnnotationError, match="more than two values, or none is 0"):
            mask(np.array(values, np.float32), "TIFF")


def test_the_dark_and_the_bright_reach_an_eighth_of_their_distance() -> None:
    def blocks(*values: int) -> np.ndarray:
        return np.repeat(np.array([values], np.uint16), 20, axis=1)

    assert mask(blocks(0, 5000, 35_000, 40_000)) == [[0] * 40 + [1] * 40]
    assert "such as 5001 between 0 and 40000 in row 0, column 20" in refused(blocks(0, 5001, 40_000))
    assert "such as 34999 between 0 and 40000 in row 0, column 20" in refused(blocks(0, 34_999, 40_000))
    # The distance is what counts: 84 is near 64, but not within an eighth of the way to 191.
    assert "such as 84 between 64 and 191" in refused(blocks(64, 84, 191).astype(np.uint8))
    assert mask(blocks(64, 79, 191).astype(np.uint8)) == [[0] * 40 + [1] * 20]


def test_half_of_the_range_is_no_lesion() -> None:
    assert mask(np.array([[0, 128]], np.uint8)) == [[0, 1]]
    assert mask(np.array([[0, 32_768]], np.uint16)) == [[0, 1]]
    for value in (2, 100, 127):
        assert f"has {value} of 255 as its brightest value" in refused(np.array([[0, value]], np.uint8))
    assert "has 32767 of 65535 as its brightest value" in refused(np.array([[0, 32_767]], np.uint16))
    soft = np.array([[0, 32_767, 32_768, 65_535]], np.uint16)
    assert mask(soft) == [[0, 0, 1, 1]]
    big = io.BytesIO()
    tifffile.imwrite(big, soft, byteorder=">", photometric="minisblack")
    assert read_mask(big.getvalue()).mask.astype(int).tolist() == [[0, 0, 1, 1]]


def jpeg(*values: int | tuple[int, ...]) -> list[int]:
    """The mask of a row of pixels as a JPEG would be decoded to."""
    image = Image.fromarray(np.array([values], np.uint8))
    image.format = "JPEG"
    return lesion_pixels(image, "x.jpg")[0].astype(int).tolist()


def test_a_jpeg_rings_up_to_sixteen_pixels_from_an_edge() -> None:
    for white in (255, (255, 255, 255)):
        black, grey = np.multiply(white, 0).tolist(), (np.array(white) - 105).tolist()
        for distance in (9, 16):
            assert jpeg(white, *[black] * (distance - 1), grey, black) == [1] + [0] * (distance - 1) + [1, 0]
        with pytest.raises(AnnotationError, match="such as 150 between 0 and 255 in row 0, column 17"):
            jpeg(white, *[black] * 16, grey, black)


def test_dark_values_of_a_jpeg_are_no_labels() -> None:
    assert jpeg(0, 20, 255) == [0, 0, 1]
    assert jpeg(0, 0) == [0, 0]
    for value in (1, 127):
        with pytest.raises(AnnotationError, match=f"has {value} of 255 as its brightest value"):
            jpeg(0, value)


def test_a_jpeg_may_have_a_tinge_of_colour() -> None:
    assert jpeg((0, 0, 0), (255, 191, 255), (255, 255, 200)) == [0, 1, 1]
    with pytest.raises(AnnotationError, match="is a JPEG in colour"):
        jpeg((0, 0, 0), (255, 190, 255))


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize(("near", "distant"), [(0, 255), (255, 0)])
def test_a_soft_edge_has_a_dark_and_a_bright_pixel_within_eight(near: int, distant: int, turns: int) -> None:
    def edge(distance: int) -> np.ndarray:
        line = [near] * 40
        line[10], line[10 + distance] = 150, distant
        return np.rot90(np.array([line], np.uint8), turns)

    np.testing.assert_array_equal(mask(edge(8)), edge(8) > 127)
    place = [(0, 10), (29, 0), (0, 29), (10, 0)][turns]
    assert f"such as 150 between 0 and 255 in row {place[0]}, column {place[1]}:" in refused(edge(9))


def test_a_colour_of_the_hue_or_almost() -> None:
    assert mask(colours(RED, BLACK, (240, 60, 0))) == [[1, 0, 1]]
    assert "colours of different hue" in refused(colours(RED, BLACK, (240, 61, 0)))
    assert "colours of different hue" in refused(colours(RED, BLACK, (0, 32, 0)))
    assert "several classes (values up to 31, and 255)" in refused(colours(RED, BLACK, (0, 31, 0)))


def test_half_as_opaque_as_the_most_opaque_does_not_count() -> None:
    shades = [(*RED, 200), (200, 0, 0, 200), (*BLACK, 200)]
    assert mask(colours(*shades, (*GREEN, 100))) == [[1, 1, 0, 0]]
    assert "colours of different hue" in refused(colours(*shades, (*GREEN, 101)))
