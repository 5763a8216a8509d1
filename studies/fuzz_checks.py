"""What `studies.fuzz` does with an input of each kind, and what must hold of every result.

A check returns when the input was accepted and its result is sound. It raises a DeepPneumoniaError when the input was
refused, and BrokenError when a result is not what it promises.
"""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from studies import fuzz_pictures, fuzz_requests
from studies.fuzz_json import RADIOGRAPH, SIZE


class BrokenError(Exception):
    """An accepted input has a result that breaks a promise."""


def require(condition: object, promise: str) -> None:
    """Raise BrokenError with the promise unless the condition holds."""
    if not condition:
        raise BrokenError(promise)


def radiograph(data: bytes, _: Path) -> None:
    """Decode a radiograph."""
    from deep_pneumonia.radiographs.radiograph import decode

    found = decode(data)
    pixels = found.pixels
    require(pixels.dtype == np.float32 and pixels.ndim == 2, "pixels are float32 (H, W)")
    require(np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1, "pixels are finite and in [0, 1]")
    require(not pixels.flags.writeable, "pixels are read-only")
    require(0 <= found.colour <= 1, "colour is a share")
    spacing = found.spacing_mm
    require(spacing is None or all(np.isfinite(v) and v > 0 for v in spacing), "spacing is positive")
    stated = stated_size(data, found.source)
    require(
        stated is None or stated in (found.size, found.size[::-1]), f"size {found.size} is that of the header {stated}"
    )


def stated_size(data: bytes, source: str) -> tuple[int, int] | None:
    """(H, W) in the header of a file, read without the decoder; None for formats that take more than a few lines."""
    if source == "PNG":
        width, height = struct.unpack_from(">II", data, data.index(b"IHDR") + 4)
        return height, width
    if source == "BMP":
        width, height = struct.unpack_from("<ii", data, 18)
        return abs(height), width
    return None


def masks(data: bytes, name: str) -> list[Any]:
    """Read an annotation file for the radiograph, and check what holds of every mask."""
    from deep_pneumonia.masks.any_format import looks_like_annotation, read_annotations

    looks_like_annotation(data)
    found = read_annotations(data, SIZE, name=name, radiograph=RADIOGRAPH)
    require(found, "a file that is accepted gives a mask")
    for annotation in found:
        require(
            annotation.mask.dtype == np.bool_ and annotation.size == SIZE, "a mask is bool, of the radiograph's size"
        )
        require(annotation.kind != "normal" or annotation.is_empty, "normal means empty")
        require(annotation.reader and annotation.reader.isprintable(), "a reader has a printable name")
    return found


def mask_picture(data: bytes, _: Path) -> None:
    """Read a mask as a picture."""
    if all(a.is_empty for a in masks(data, "mask.png")):
        with warnings.catch_warnings(action="ignore"):
            pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
        opaque = pixels[..., 3] > pixels[..., 3].max() // 2
        require(not (pixels[opaque, :3] > 200).any(), "a mask with bright opaque pixels is not empty")


def mask_json(data: bytes, _: Path) -> None:
    """Read COCO or LabelMe JSON."""
    if not all(a.is_empty for a in masks(data, "masks.json")):
        return
    document = json.loads(data.decode("utf-8-sig"))
    if "shapes" in document and not ("images" in document and "annotations" in document):
        drawn = [s for s in document["shapes"] if s.get("shape_type") != "mask"]
        require(not drawn, "LabelMe shapes do not become an empty mask")
        return
    images = document["images"]
    named = [i for i in images if len(images) == 1 or i.get("file_name") == RADIOGRAPH]
    ids = {str(i.get("id")) for i in named}
    entries = [e for e in document["annotations"] if str(e.get("image_id")) in ids or len(images) == 1]
    drawn = [e for e in entries if not isinstance(e.get("segmentation"), dict)]
    require(not drawn, "COCO polygons and boxes do not become an empty mask")


def mask_dicom(data: bytes, _: Path) -> None:
    """Read a DICOM segmentation."""
    found = masks(data, "masks.dcm")
    if all(a.is_empty for a in found):
        import pydicom

        header = pydicom.dcmread(io.BytesIO(data), force=True)
        binary = header.get("SegmentationType") == "BINARY"
        bits = int(header.get("NumberOfFrames") or 1) * SIZE[0] * SIZE[1]
        first = np.frombuffer(header.PixelData, np.uint8)[: bits // 8]
        require(not (binary and first.any()), "a binary segmentation with set bits is not empty")


def table(data: bytes, folder: Path) -> None:
    """Read a table by the reader that its first line names."""
    from deep_pneumonia.datasets import publisher_tables as tables

    name, _, content = data.partition(b"\n")
    path = folder / f"{name.decode()}.csv"
    path.write_bytes(content)
    match name.decode():
        case "rsna":
            found = masks(content, "boxes.csv")
            normal = all(a.is_empty for a in found)
            require(not normal or all(a.kind == "normal" for a in found), "an empty mask of a table is read as normal")
        case "manifest":
            _manifest(path)
        case "structure":
            require(isinstance(tables.read_structure(path), dict), "structure.csv gives crops")
        case "people":
            people = tables.read_people(path).values()
            require(all(p.age == "" or 0 <= int(p.age) <= 120 for p in people), "an age is 0 to 120 or unknown")
        case "panel":
            tables.read_panel(path)
        case "nih_boxes":
            boxes = [b for named in tables.read_nih_boxes(path).values() for b in named]
            require(all(np.isfinite(b.box).all() and min(b.box[2:]) > 0 for b in boxes), "boxes have an area")
        case "rsna_boxes":
            boxes = [b for some in tables.read_rsna_boxes(path).values() for b in some]
            require(all(np.isfinite(b).all() and min(b[2:]) > 0 for b in boxes), "boxes have an area")
        case "rsna_classes":
            known = {"Normal", "No Lung Opacity / Not Normal", "Lung Opacity"}
            require(set(tables.read_rsna_classes(path).values()) <= known, "classes are the publisher's")


def _manifest(path: Path) -> None:
    from deep_pneumonia.datasets.manifest import SPLITS, read_manifests, write_manifest

    for name in ("chest.png", "other.png", "mask.png"):
        Image.new("L", SIZE[::-1], 255).save(path.parent / name)
    cases = read_manifests([path])
    require(all(c.split in SPLITS and c.image.is_file() for c in cases), "a case has a split and a file")
    write_manifest(cases, path.parent / "again.csv")
    require(read_manifests([path.parent / "again.csv"]) == cases, "a manifest that is written again is the same")


def state(data: bytes, _: Path) -> None:
    """Read a state.json."""
    from deep_pneumonia.exchange.state import read_state

    found = read_state(data)
    for case in found.cases:
        require(all((d.mask is None) == (d.kind == "normal") for d in case.drawings), "only normal has no mask")


def drawings(data: bytes, folder: Path) -> None:
    """Read drawings as the endpoint /agreement does."""
    from deep_pneumonia.viewer.inspect import checked
    from deep_pneumonia.viewer.opened_case import opened

    path = _known_picture(folder)
    given = checked(json.loads(data))
    found = opened(str(path), (), given)
    require(all(a.size == SIZE for a in found.masks), "a drawing has the radiograph's size")
    require(len({a.reader for a in found.masks}) == len(found.masks), "readers have names of their own")


def request(data: bytes, folder: Path) -> None:
    """Answer a request of the Review page."""
    given = json.loads(data)
    found = fuzz_requests.answer(given, _known_picture(folder), folder / "space")
    require(isinstance(found, dict), "an answer is an object")
    if given["what"] == "judge" and given["verdict"].strip() and "conflict" not in found:
        require(found["row"]["verdicts"], "a verdict that is accepted is in the row")


def _known_picture(folder: Path) -> Path:
    path = folder / RADIOGRAPH
    fuzz_pictures.picture(Random(0), SIZE, "L").save(path)
    return path


def checkpoint(data: bytes, folder: Path) -> None:
    """Load a checkpoint, and predict with it."""
    from deep_pneumonia.prediction.predictor import Predictor
    from deep_pneumonia.radiographs.radiograph import decode

    with zipfile.ZipFile(io.BytesIO(data)) as file:
        file.extractall(folder / "checkpoint")
    predictor = Predictor.load(str(folder / "checkpoint"), "cpu")
    prediction = predictor.predict(decode(_known_picture(folder)))
    shares = list(prediction.probabilities.values())
    require(np.isfinite(shares).all() and abs(sum(shares) - 1) < 1e-3, "probabilities are finite and sum to one")
    json.dumps(prediction.to_json("chest.png"), allow_nan=False)


def export(data: bytes, folder: Path) -> None:
    """Import a work list: all of it or nothing, and a second time nothing more."""
    from deep_pneumonia.errors import DeepPneumoniaError
    from deep_pneumonia.exchange.merge import import_into
    from deep_pneumonia.worklist.workspace import Workspace

    path, workspace = folder / "export.zip", Workspace(folder / "space")
    path.write_bytes(data)
    try:
        import_into(workspace, path, local=False)
    except DeepPneumoniaError:
        require(not workspace.items(), "a refused import adds no case")
        raise
    for item in workspace.items():
        item.case.annotations(_size_of(item.case.image))
    again = import_into(workspace, path, local=False)
    require((again.cases, again.masks, again.verdicts) == (0, 0, 0), "a second import changes nothing")


def _size_of(path: Path) -> tuple[int, int]:
    from deep_pneumonia.radiographs.radiograph import decode

    return decode(path).size
