"""Shapes of one reader: drawn by hand-worked values, with their kind, inside the picture and within the budget."""

import numpy as np
import pytest
from numpy.typing import NDArray

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.limits import MAX_FILE_READERS
from deep_pneumonia.masks import shapes
from deep_pneumonia.masks.shapes import Shapes, Work, checked

SIZE = (40, 60)


def of_reader(size: tuple[int, int] = SIZE) -> Shapes:
    return Shapes(size, Work("a.json"))


def rectangle(rows: slice, columns: slice, size: tuple[int, int] = SIZE) -> NDArray[np.bool_]:
    mask = np.zeros(size, bool)
    mask[rows, columns] = True
    return mask


def box(*place: float, rotation: float = 0.0) -> NDArray[np.bool_]:
    one = of_reader()
    one.box(*place, rotation=rotation)
    return one.drawn("A").mask


@pytest.mark.parametrize("rotation", [0, 17, 30, 90, 137, -45, 180, 361])
@pytest.mark.parametrize("place", [(20.2, 10.7, 21.1, 9.3), (25.3, 8.1, 4.6, 22.5)])
def test_a_rotated_box_holds_the_points_that_lie_in_it_when_turned_back(
    place: tuple[float, float, float, float], rotation: float
) -> None:
    x, y, width, height = place
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    # Clockwise on the screen, where y points down: a point (1, 0) goes to (cos, sin).
    point = (columns - x - width / 2) + 1j * (rows - y - height / 2)
    back = point * np.exp(-1j * np.radians(rotation))
    expected = (abs(back.real) <= width / 2) & (abs(back.imag) <= height / 2)
    np.testing.assert_array_equal(box(*place, rotation=rotation), expected)


def test_a_box_turned_by_a_quarter_by_hand() -> None:
    # 20 wide and 4 high around (20, 22): after the turn 4 wide and 20 high.
    np.testing.assert_array_equal(box(10, 20, 20, 4, rotation=90), rectangle(slice(12, 32), slice(18, 22)))


def test_thin_boxes_mark_the_centres_in_them_and_negative_ones_are_refused() -> None:
    np.testing.assert_array_equal(box(2.4, 1, 0.2, 2), rectangle(slice(1, 3), slice(2, 3)))
    np.testing.assert_array_equal(box(1, 2.4, 2, 0.2), rectangle(slice(2, 3), slice(1, 3)))
    for place in ((2.5, 1, 0, 2), (1, 2.5, 2, 0)):
        with pytest.raises(AnnotationError, match="cover no pixel"):
            box(*place)
    for place in ((5, 5, -0.1, 2), (5, 5, 2, -0.1)):
        with pytest.raises(AnnotationError, match=r"^a\.json has a box with a negative width or height"):
            box(*place)


def test_full_turns_are_no_rotation_so_the_corners_must_lie_inside() -> None:
    np.testing.assert_array_equal(box(3, 4, 5, 6, rotation=720), box(3, 4, 5, 6))
    for rotation in (0, 360):
        with pytest.raises(AnnotationError, match="leaves the picture's 60 pixels"):
            box(50, 10, 12, 10, rotation=rotation)
        with pytest.raises(AnnotationError, match="leaves the picture's 40 pixels"):
            box(10, 35, 5, 10, rotation=rotation)
    assert box(50, 10, 12, 10, rotation=1).any()


@pytest.mark.parametrize(("x", "y", "sides"), [(61.6, 20, "60"), (-1.6, 20, "60"), (30, 41.6, "40"), (30, -1.6, "40")])
def test_what_leaves_the_picture_by_more_than_a_pixel_and_a_half_is_refused(x: float, y: float, sides: str) -> None:
    one = of_reader()
    with pytest.raises(AnnotationError, match=rf"^a\.json has a shape from .* leaves the picture's {sides} pixels"):
        one.polygon([x, 30, 31], [y, 20, 21])
    with pytest.raises(AnnotationError, match=f"leaves the picture's {sides} pixels"):
        one.centred([x - 1, x + 1], [y - 1, y + 1], kind="box")
    one.polygon([61.5, -1.5, -1.5, 61.5], [41.5, 41.5, -1.5, -1.5])
    assert one.drawn("A").mask.all()


def test_a_circle_around_a_centre_inside_may_be_cut_by_the_edge() -> None:
    one = of_reader()
    one.centred([-10, 10, 10, -10], [-10, -10, 10, 10], kind="polygon")
    np.testing.assert_array_equal(one.drawn("A").mask, rectangle(slice(10), slice(10)))


POLYGON = ([2, 6, 6], [2, 2, 6])


@pytest.mark.parametrize(
    ("parts", "kind"),
    [
        ("b", "box"),
        ("r", "box"),
        ("rr", "box"),
        ("br", "box"),
        ("p", "polygon"),
        ("pp", "polygon"),
        ("c", "polygon"),
        ("pb", "pixel"),
        ("pr", "pixel"),
        ("cb", "pixel"),
        ("m", "pixel"),
        ("mp", "pixel"),
        ("mb", "pixel"),
        ("", "pixel"),
    ],
)
def test_the_kind_is_that_of_all_shapes_or_pixel(parts: str, kind: str) -> None:
    one = of_reader()
    for part in parts:
        match part:
            case "b":
                one.box(2, 2, 4, 4)
            case "r":
                one.box(2, 2, 4, 4, rotation=30)
            case "p":
                one.polygon(*POLYGON)
            case "c":
                one.centred(*POLYGON, kind="polygon")
            case "m":
                one.mask(rectangle(slice(3), slice(3)))
    drawn = one.drawn("Dr A")
    assert (drawn.reader, drawn.kind, drawn.mask.any()) == ("Dr A", kind, bool(parts))


def test_a_reader_has_the_union_of_masks_polygons_and_boxes() -> None:
    one = of_reader()
    one.mask(rectangle(slice(0, 2), slice(0, 2)))
    one.mask(rectangle(slice(1, 4), slice(1, 4)))
    one.polygon([10, 20, 20, 10], [10, 10, 15, 15])
    one.polygon([12, 22, 22, 12], [12, 12, 17, 17])
    one.box(30, 30, 5, 5)
    one.box(33, 33, 5, 5)
    corners = [(0, 0, 2, 2), (1, 1, 4, 4), (10, 10, 15, 20), (12, 12, 17, 22), (30, 30, 35, 35), (33, 33, 38, 38)]
    parts = [rectangle(slice(top, bottom), slice(left, right)) for top, left, bottom, right in corners]
    np.testing.assert_array_equal(one.drawn("A").mask, np.logical_or.reduce(parts))


def test_shapes_that_cover_no_pixel_are_not_read_as_normal() -> None:
    for draw in (lambda one: one.box(2.6, 2.6, 0.1, 0.1), lambda one: one.polygon([2.6, 2.7, 2.7], [2.6, 2.6, 2.7])):
        one = of_reader()
        draw(one)
        with pytest.raises(AnnotationError, match=r"^a\.json has shapes by Dr A that cover no pixel"):
            one.drawn("Dr A")


def test_a_stated_kind_is_kept_and_normal_marks_nothing() -> None:
    one = of_reader()
    one.polygon(*POLYGON)
    assert one.drawn("A", "pixel").kind == "pixel"
    with pytest.raises(AnnotationError, match=r"^a\.json says that Dr A read the radiograph as normal"):
        one.drawn("Dr A", "normal")
    assert of_reader().drawn("A", "normal").kind == "normal"
    assert checked(np.zeros(SIZE, bool), "A", "normal", "a.json").is_empty
    assert not checked(np.ones(SIZE, bool), "A", "box", "a.json").is_empty


def test_each_shape_spends_work_by_its_bounding_box_and_its_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    size = (200, 300)
    # One pixel wider on each side: 102 x 52 pixels at 20 + 4 edges each, and 20,000 a shape.
    cost = 102 * 52 * (20 + 4) + 20_000
    for draw in (
        lambda one: one.box(10, 10, 50, 100),
        lambda one: one.polygon([10, 60, 60, 10], [10, 10, 110, 110]),
        lambda one: one.centred([10, 60, 60, 10], [10, 10, 110, 110], kind="box"),
    ):
        monkeypatch.setattr(shapes, "MAX_DRAWING_WORK", 2 * cost)
        one = of_reader(size)
        draw(one), draw(one)
        with pytest.raises(AnnotationError, match=r"^a\.json has too many or too detailed shapes"):
            draw(one)


def test_work_is_spent_only_inside_the_picture_and_for_the_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "MAX_DRAWING_WORK", 40 * 60 * (20 + 3) + 20_000)
    one = of_reader()
    one.centred([-900, 900, 0], [-900, 900, 0], kind="polygon")
    with pytest.raises(AnnotationError, match="too many"):
        one.drawn("A")
    monkeypatch.setattr(shapes, "MAX_DRAWING_WORK", 40 * 60 * 20 + 20_000)
    Work("a.json").spend(40 * 60)
    with pytest.raises(AnnotationError, match="too many"):
        Work("a.json").spend(40 * 60 + 1)


def test_limits() -> None:
    assert MAX_FILE_READERS == 64
