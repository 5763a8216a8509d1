"""The kinds of inputs of `studies.fuzz`: how each is made, how it is checked, and how often it comes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from studies import fuzz_checks as checks
from studies import fuzz_dicom, fuzz_folders, fuzz_json, fuzz_pictures, fuzz_tables, fuzz_tiff

Check = Callable[[bytes, Path], None]


class Kind(NamedTuple):
    """How inputs of a kind are made and checked; `share` of all inputs, relative to the others."""

    make: Callable[[Random], bytes]
    check: Check
    share: int
    suffix: str


KINDS = {
    "picture": Kind(fuzz_pictures.any_picture, checks.radiograph, 6, ".img"),
    "TIFF": Kind(fuzz_tiff.any_tiff, checks.radiograph, 4, ".tif"),
    "DICOM": Kind(fuzz_dicom.any_image, checks.radiograph, 6, ".dcm"),
    "mask picture": Kind(lambda r: fuzz_pictures.any_mask(r, fuzz_json.SIZE), checks.mask_picture, 4, ".png"),
    "DICOM SEG": Kind(fuzz_dicom.any_segmentation, checks.mask_dicom, 3, ".dcm"),
    "COCO, LabelMe": Kind(fuzz_json.annotations, checks.mask_json, 6, ".json"),
    "table": Kind(fuzz_tables.any_table, checks.table, 4, ".csv"),
    "state.json": Kind(fuzz_json.any_state, checks.state, 2, ".json"),
    "drawings": Kind(fuzz_json.drawings, checks.drawings, 2, ".json"),
    "request": Kind(fuzz_json.any_request, checks.request, 2, ".json"),
    "export": Kind(fuzz_folders.any_export, checks.export, 1, ".zip"),
    "checkpoint": Kind(fuzz_folders.any_checkpoint, checks.checkpoint, 1, ".zip"),
}


@cache
def order(names: tuple[str, ...]) -> tuple[str, ...]:
    """Kinds in turn, each as often as its share says."""
    return tuple(name for name in names for _ in range(KINDS[name].share))


def made(names: tuple[str, ...], seed: int, number: int) -> tuple[str, bytes]:
    """The kind and bytes of an input; the same seed and number always give the same."""
    turn = order(names)
    kind = turn[number % len(turn)]
    return kind, KINDS[kind].make(Random(f"{seed}/{kind}/{number}"))


def warm_up() -> None:
    """Import what the checks need, so that no input pays for it."""
    with tempfile.TemporaryDirectory() as name:
        fuzz_dicom.segmentation(1)
        checks.request(json.dumps({"what": "list", "token": fuzz_json.TOKEN}).encode(), Path(name))
        checks.table(b"rsna\npatientId,x,y,width,height,Target\nchest,4,5,9,9,1\n", Path(name))
        checks.state(json.dumps({"format": 1, "cases": [], "copies": {}}).encode(), Path(name))
        checks.drawings(b"[]", Path(name))
        checks.export(fuzz_folders.zipped({"state.json": b'{"format": 1, "cases": [], "copies": {}}'}), Path(name))
