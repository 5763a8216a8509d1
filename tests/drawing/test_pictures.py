from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib._pylab_helpers import Gcf
from numpy.typing import NDArray
from PIL import Image, ImageColor

from deep_pneumonia.drawing.pictures import (
    ATTENTION_COLOURS,
    READER_COLOURS,
    blank,
    contours,
    overlay,
    save_picture,
    trace,
)
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.masks.annotation import Annotation
from tests.full_disk import room_for

UNIT = st.floats(0, 1, width=32)


def disc(size: tuple[int, int] = (60, 48), centre: tuple[int, int] = (30, 20), radius: float = 10) -> NDArray[np.bool_]:
    y, x = np.mgrid[: size[0], : size[1]]
    return np.hypot(y - centre[0], x - centre[1]) < radius


@given(arrays.arrays(np.float32, (5, 4), elements=UNIT))
def test_without_attention_the_greys_are_untouched(pixels: NDArray[np.float32]) -> None:
    found = overlay(pixels, np.zeros_like(pixels))
    np.testing.assert_array_equal(found, np.rint(pixels * 255)[..., None].repeat(3, axis=-1))


def test_attention_is_seen_more_the_higher_it_is() -> None:
    ramp = np.linspace(0, 1, 50, dtype=np.float32)[None]
    grey = overlay(np.full_like(ramp, 0.4), np.zeros_like(ramp)).astype(int)
    seen = overlay(np.full_like(ramp, 0.4), ramp).astype(int)
    change = np.abs(seen - grey).sum(-1)[0]
    assert (np.diff(change) >= -2).all()
    assert change[-1] > 200


def test_the_scale_is_fixed_and_not_the_maps_own() -> None:
    pixels = np.full((4, 4), 0.5, np.float32)
    weak, strong = np.full((4, 4), 0.1, np.float32), np.full((4, 4), 0.1, np.float32)
    strong[0, 0] = 1
    np.testing.assert_array_equal(overlay(pixels, weak)[1:], overlay(pixels, strong)[1:])


def test_attentions_colours_grow_lighter_in_even_steps() -> None:
    linear = np.where(
        ATTENTION_COLOURS <= 0.04045, ATTENTION_COLOURS / 12.92, ((ATTENTION_COLOURS + 0.055) / 1.055) ** 2.4
    )
    lightness = np.cbrt(linear @ [0.2126, 0.7152, 0.0722])
    steps = np.diff(lightness[::16])
    assert steps.min() > 0.5 * steps.mean()
    assert steps.max() < 2 * steps.mean()


def test_a_contour_runs_round_the_mask() -> None:
    mask = np.zeros((10, 12), bool)
    mask[3:6, 4:9] = True
    (line,) = contours(mask)
    np.testing.assert_array_equal(line.min(0), (3.5, 2.5))
    np.testing.assert_array_equal(line.max(0), (8.5, 5.5))
    np.testing.assert_array_equal(line[0], line[-1])


def test_a_mask_on_the_border_has_a_closed_contour() -> None:
    (line,) = contours(np.ones((4, 6), bool))
    np.testing.assert_array_equal((line.min(0), line.max(0)), ((-0.5, -0.5), (5.5, 3.5)))


def test_two_lesions_have_two_contours_and_none_has_none() -> None:
    assert len(contours(disc(centre=(12, 12), radius=5) | disc(centre=(45, 30), radius=6))) == 2
    assert contours(np.zeros((5, 5), bool)) == []


def test_readers_colours_differ_for_every_kind_of_colour_vision() -> None:
    rgb = np.array([ImageColor.getrgb(c) for c in READER_COLOURS]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    machado = {  # severe deficiency, Machado et al. 2009
        "none": np.eye(3),
        "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        "tritan": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
    }
    for matrix in machado.values():
        seen = linear @ np.transpose(matrix)
        apart = np.linalg.norm(seen[:, None] - seen, axis=-1)[np.triu_indices(len(rgb), 1)]
        assert apart.min() > 0.15


def test_a_png_names_no_software(tmp_path: Path) -> None:
    save_picture(blank((1, 1)), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert "Software" not in picture.info


def test_another_suffix_is_a_named_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DeepPneumoniaError, match=r"does not end in \.png or \.pdf"):
        save_picture(blank((1, 1)), tmp_path / "case.jpg")
    assert list(tmp_path.iterdir()) == []


def test_figures_are_not_pyplots() -> None:
    trace(blank((1, 1)).add_subplot(), [Annotation(disc(), "Reader A", "polygon")])
    assert Gcf.get_all_fig_managers() == []


@pytest.mark.parametrize("name", ["case.png", "case.pdf"])
def test_a_figure_on_a_full_disk_leaves_the_old_one(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"old")
    with room_for(100), pytest.raises(DeepPneumoniaError, match="no room left on its disk"):
        save_picture(blank((1, 1)), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
