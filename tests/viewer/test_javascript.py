"""The viewer's JavaScript in Node: its own tests, and that its scores, maps and masks equal Python's."""

import re
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.measure import find_contours

from deep_pneumonia.drawing.pictures import contours
from deep_pneumonia.masks.annotation import from_boxes, from_polygons
from deep_pneumonia.prediction.agreement import between_readers, compare
from deep_pneumonia.prediction.model_frame import enlarge
from tests.javascript import answers, node
from tests.paths import ROOT

TESTS = sorted((ROOT / "tests" / "js").glob("*.test.js"))
SIZES = [(1, 1), (1, 9), (8, 1), (7, 11), (33, 20), (64, 64)]
SIZE = (9, 13)  # of the picture that shapes are drawn on
FRAME = (18, 39)  # that polygons are drawn in: halves and thirds of a pixel
STEP, FLOAT = st.integers(-12, 172).map(lambda n: n / 4), st.floats(-5, 45)  # on pixel centres and edges, or not
COORDINATE = STEP | FLOAT
POLYGON = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=1, max_size=9)
PLACE, SIDE = (st.integers(low, 56).map(lambda n: n / 4) for low in (-12, 0))  # around and on the picture
BOX = st.tuples(PLACE, PLACE, SIDE, SIDE)


def runs(mask: NDArray[np.bool_]) -> list[int]:
    """Run lengths in row order, beginning with the zeros: `encode` of run-lengths.js."""
    flat = np.concatenate([[False], mask.ravel()]).astype(np.int8)
    return np.diff(np.concatenate([[0], np.flatnonzero(np.diff(flat)), [mask.size]])).tolist()


def maps(size: tuple[int, int], rng: np.random.Generator) -> list[NDArray[np.float32]]:
    """Random values, ties, mostly zeros, thresholds and the floats beside them, and zeros only."""
    values = rng.random(size).astype(np.float32)
    limits = (rng.integers(0, 101, size) / 100).astype(np.float32)
    beside = np.nextafter(limits, rng.integers(0, 2, size).astype(np.float32))
    few = np.where(rng.random(size) < 0.9, np.float32(0), values)
    return [values, np.round(values * 4) / 4, few, limits, beside, np.zeros(size, np.float32)]


def masks(size: tuple[int, int], rng: np.random.Generator) -> list[NDArray[np.bool_]]:
    blob = np.zeros(size, bool)
    blob[size[0] // 4 : 1 + size[0] // 2, size[1] // 3 : 1 + size[1] // 2] = True
    return [rng.random(size) < 0.5, rng.random(size) < 0.1, blob, np.ones(size, bool), np.zeros(size, bool)]


def pairs() -> list[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    rng = np.random.default_rng(0)
    return [(m, k) for size in SIZES for m in maps(size, rng) for k in masks(size, rng)]


def same(found: float | None, expected: float | None, tolerance: float) -> None:
    assert (found is None) == (expected is None)
    assert expected is None or abs(found - expected) <= tolerance  # type: ignore[operator]


def test_its_own_tests_pass() -> None:
    written = sum(len(re.findall(r"^test\(", path.read_text(encoding="utf-8"), re.MULTILINE)) for path in TESTS)
    done = node("--test", "--test-reporter=tap", *TESTS)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed, done.stdout + done.stderr
    assert int(passed[1]) >= written > 0, f"of {written} tests only {passed[1]} were run\n{done.stdout}"


def test_scores_are_those_of_python() -> None:
    cases = [(m, k, t) for m, k in pairs() for t in (0.0, 0.29, 0.5, 0.7, 1.0)]
    found = answers(
        [
            {"call": "compare", "map": m.ravel().tolist(), "mask": runs(k), "size": k.shape, "threshold": t}
            for m, k, t in cases
        ]
    )
    for one, (m, k, t) in zip(found, cases, strict=True):
        expected = compare(m, k, t)
        assert one["hit"] is (None if expected.hit is None else bool(expected.hit))
        same(one["iou"], expected.iou, 1e-9)
        same(one["dice"], expected.dice, 1e-9)
        same(one["share_inside"], expected.share_inside, 1e-6)
        same(one["average_precision"], expected.average_precision, 1e-6)


def test_the_slider_shows_the_same_scores() -> None:
    cases = [(m, k, step) for m, k in pairs() for step in (0, 1, 29, 50, 57, 70, 99, 100)]
    found = answers(
        [
            {"call": "table", "map": m.ravel().tolist(), "mask": runs(k), "size": k.shape, "k": step}
            for m, k, step in cases
        ]
    )
    for one, (m, k, step) in zip(found, cases, strict=True):
        expected = compare(m, k, step / 100)
        same(one["iou"], expected.iou, 1e-9)
        same(one["dice"], expected.dice, 1e-9)
        same(one["share_inside"], expected.share_inside, 1e-6)


def test_readers_overlap_as_in_python() -> None:
    rng = np.random.default_rng(1)
    cases = [(a, b) for size in SIZES for a in masks(size, rng) for b in masks(size, rng)]
    found = answers([{"call": "between", "mask": runs(a), "other": runs(b), "size": a.shape} for a, b in cases])
    for one, (a, b) in zip(found, cases, strict=True):
        expected = between_readers(a, b)
        same(one["iou"], expected.iou, 1e-9)
        same(one["dice"], expected.dice, 1e-9)


def test_maps_are_enlarged_as_in_python() -> None:
    rng = np.random.default_rng(2)
    grids = [(1, 1), (1, 5), (7, 7), (14, 9), (32, 32)]
    cases = [(rng.random(grid).astype(np.float32), size) for grid in grids for size in [*SIZES, (5, 3), (224, 97)]]
    found = answers([{"call": "enlarge", "cells": c.tolist(), "grid": c.shape, "size": s} for c, s in cases])
    for one, (cells, size) in zip(found, cases, strict=True):
        np.testing.assert_allclose(np.reshape(one, size), enlarge(cells, size), rtol=0, atol=1e-6)


def same_lines(found: list[list[float]], expected: list[NDArray[np.float64]]) -> None:
    """The same closed lines, each from any of its points on; only `expected` repeats its first point."""
    assert len(found) == len(expected)
    for flat in found:
        line = np.reshape(flat, (-1, 2))
        nearest = min(expected, key=lambda other: np.abs(other - line[0]).sum(1).min())
        start = np.abs(nearest[:-1] - line[0]).sum(1).argmin()
        np.testing.assert_allclose(line, np.roll(nearest[:-1], -start, axis=0), rtol=0, atol=1e-5)


def test_outlines_of_masks_are_those_of_python() -> None:
    rng = np.random.default_rng(3)
    cases = [mask for size in SIZES[:-1] for mask in masks(size, rng)]
    found = answers([{"call": "maskOutlines", "mask": runs(mask), "size": mask.shape} for mask in cases])
    for lines, mask in zip(found, cases, strict=True):
        expected = [line + 0.5 for line in contours(mask)]
        same_lines(lines, expected)
        points = {(x, y) for line in expected for x, y in line.tolist()}
        assert {(x, y) for line in lines for x, y in zip(line[::2], line[1::2], strict=True)} == points


def test_outlines_of_maps_are_those_of_scikit_image() -> None:
    rng = np.random.default_rng(4)
    cases = [(rng.random(size).astype(np.float32), level) for size in SIZES[:-1] for level in (0.1, 0.5, 0.9)]
    found = answers(
        [{"call": "mapOutlines", "map": m.ravel().tolist(), "size": m.shape, "level": level} for m, level in cases]
    )
    for lines, (values, level) in zip(found, cases, strict=True):
        same_lines(lines, [line[:, ::-1] - 0.5 for line in find_contours(np.pad(values, 1), level)])


def collected(shape: st.SearchStrategy[Any], count: int) -> list[Any]:
    """Shapes that hypothesis thinks of, for one run of Node instead of one a shape."""
    shapes: list[Any] = []

    # A busy machine draws slowly; that is no failure.
    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(shape)
    def collect(one: Any) -> None:
        shapes.append(one)

    collect()
    return shapes


def test_polygons_set_the_pixels_that_python_sets() -> None:
    cases = collected(st.lists(POLYGON, max_size=3), 250)
    across, down = SIZE[1], SIZE[0]
    scaled = [[[(x * across / FRAME[1], y * down / FRAME[0]) for x, y in p] for p in shapes] for shapes in cases]
    found = answers([{"call": "polygons", "shapes": shapes, "size": SIZE} for shapes in scaled])
    expected = [from_polygons(shapes, FRAME, SIZE, reader="A").mask for shapes in cases]
    assert found == [runs(mask) for mask in expected]
    assert sum(mask.any() for mask in expected) > 100


def test_boxes_set_the_pixels_that_python_sets() -> None:
    cases = collected(st.lists(BOX, max_size=3), 250)
    found = answers([{"call": "boxes", "shapes": shapes, "size": SIZE} for shapes in cases])
    expected = [from_boxes(shapes, SIZE, SIZE, reader="A").mask for shapes in cases]
    assert found == [runs(mask) for mask in expected]
    assert sum(mask.any() for mask in expected) > 50
