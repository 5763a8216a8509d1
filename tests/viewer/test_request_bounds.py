"""Masks and drawings of a request are counted before any is built, and nothing of a refused request stays."""

import tracemalloc
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

from deep_pneumonia.errors import AnnotationError, DeepPneumoniaError
from deep_pneumonia.limits import MAX_CASE_READERS
from deep_pneumonia.masks.annotation import Annotation, write_mask
from deep_pneumonia.masks.coco import to_coco
from deep_pneumonia.viewer import opened_case
from deep_pneumonia.viewer.inspect import answered
from deep_pneumonia.viewer.opened_case import all_drawn, opened, read_masks

SIZE = (4000, 4000)


def never(*_: Any, **__: Any) -> Any:
    raise AssertionError("work was done before the bound was checked")


def drawing(counts: list[int], size: tuple[int, int] = SIZE) -> dict[str, Any]:
    return {"reader": "me", "kind": "pixel", "counts": counts, "size": list(size)}


WHOLE = drawing([0, SIZE[0] * SIZE[1]])


def refused(drawings: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> str:
    """The sentence of a refusal that builds no mask."""
    monkeypatch.setattr(opened_case, "_built", never)
    tracemalloc.start()
    try:
        with pytest.raises(AnnotationError) as caught:
            all_drawn(drawings, SIZE)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()
    return str(caught.value)


def test_drawings_are_counted_before_any_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Got 40 masks, but a case holds at most 8" in refused([WHOLE] * 40, monkeypatch)


def test_pixels_of_all_drawings_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deep_pneumonia.masks.annotation.MAX_MASK_PIXELS", 3 * SIZE[0] * SIZE[1])
    assert "4 masks of 4000 x 4000 pixels, more than the 48000000 pixels" in refused([WHOLE] * 4, monkeypatch)


def test_runs_of_all_drawings_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened_case, "MAX_DRAWN_RUNS", 5)
    assert "more than 5 runs" in refused([WHOLE] * 3, monkeypatch)


def test_the_last_drawing_is_checked_before_the_first_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "do not fill" in refused([WHOLE, WHOLE, drawing([1, 2])], monkeypatch)


def test_too_many_masks_are_refused_before_the_radiograph_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "chest.png"
    file.write_bytes(b"any")
    monkeypatch.setattr(opened_case, "decode_apart", never)
    for masks, drawings in (([str(file)] * 9, None), ([], [WHOLE] * 9)):
        with pytest.raises(AnnotationError, match="Got 9 masks"):
            opened(str(file), masks, drawings)


def test_masks_in_files_are_counted_together(tmp_path: Path) -> None:
    mask = np.ones((20, 30), bool)
    coco, png = tmp_path / "group.json", tmp_path / "one.png"
    coco.write_bytes(to_coco([Annotation(mask, f"R{n}", "pixel") for n in range(MAX_CASE_READERS)], "chest.png"))
    write_mask(mask, png)
    assert len(read_masks([str(coco)], mask.shape, "chest.png", [])) == MAX_CASE_READERS
    with pytest.raises(AnnotationError, match="Got 9 masks"):
        read_masks([str(coco), str(png)], mask.shape, "chest.png", [])
    with pytest.raises(AnnotationError, match=r"group.json has 8 masks of one radiograph, expected at most 7"):
        read_masks([str(png), str(coco)], mask.shape, "chest.png", [])


def test_nothing_of_a_refused_request_stays_in_memory() -> None:
    def work() -> None:
        masks = [np.ones(SIZE, bool) for _ in range(5)]
        raise DeepPneumoniaError(f"{len(masks)} masks are not liked.")

    with pytest.raises(gr.Error, match="5 masks are not liked") as caught:
        answered(work)
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)
