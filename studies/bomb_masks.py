"""Handmade mask files, drawings and exports for `studies.bombs`."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from pydicom import Dataset
from pydicom.uid import SegmentationStorage

from studies.bomb_pictures import SIDE, flat, written

FULL = [0, SIDE * SIDE]  # run lengths of a mask that is lesion everywhere
Made = Callable[[], bytes]


def coco(readers: int, segmentation: Any, *, last: Any = None) -> Made:
    """COCO with one annotation for each reader; `last` replaces the segmentation of the last one."""

    def made() -> bytes:
        drawn = [segmentation] * (readers - 1) + [segmentation if last is None else last]
        annotations = [
            {"id": n, "image_id": 1, "category_id": 1, "segmentation": s, "attributes": {"reader": f"R{n}"}}
            for n, s in enumerate(drawn)
        ]
        image = {"id": 1, "file_name": "chest.png", "height": SIDE, "width": SIDE}
        return json.dumps({"images": [image], "annotations": annotations}).encode()

    return made


SQUARE = [[0, 0, SIDE, 0, SIDE, SIDE, 0, SIDE]]
RUNS = {"size": [SIDE, SIDE], "counts": FULL}
DAMAGED_RUNS = {"size": [SIDE, SIDE], "counts": [1, 2]}


def star(points: int) -> Made:
    """A polygon of many points over the whole picture."""
    corners = [value for n in range(points) for value in ((n * 37) % SIDE, (n * 91) % SIDE)]
    return coco(1, [corners])


def long_runs() -> bytes:
    """COCO's compressed run lengths of 30 million characters."""
    return coco(1, {"size": [SIDE, SIDE], "counts": "1" * 30_000_000})()


def values(part: str, count: int) -> Made:
    """LabelMe JSON with many values."""
    return lambda: ('{"shapes": [' + ",".join([part] * count) + "]}").encode()


def deep() -> bytes:
    """JSON nested in ten million levels."""
    return b'{"shapes": ' + b"[" * 10_000_000


def wide_text() -> bytes:
    """JSON whose text takes four times its bytes in memory."""
    return ('{"shapes": [], "imageData": "' + "a" * 60_000_000 + '\U0001f4a3"}').encode()[:-1]


def table(line: str, count: int, header: str = "patientId,x,y,width,height,Target") -> Made:
    """RSNA's table with one line many times."""
    return lambda: (header + "\n" + (line + "\n") * count).encode()


def seg(frames: int, side: int, *, normal: bool = False) -> Made:
    """A DICOM segmentation, one segment for each frame; with `normal`, the last one contradicts its pixels."""

    def made() -> bytes:
        header = Dataset()
        header.SOPClassUID, header.SOPInstanceUID = SegmentationStorage, "1.2.3"
        header.Rows, header.Columns, header.NumberOfFrames, header.SamplesPerPixel = side, side, frames, 1
        header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 1, 1, 0, 0
        header.SegmentationType = "BINARY"
        header.SegmentSequence, header.PerFrameFunctionalGroupsSequence = [], []
        for number in range(1, frames + 1):
            segment, group, identity = Dataset(), Dataset(), Dataset()
            segment.SegmentNumber, segment.SegmentLabel = number, f"R{number}"
            identity.ReferencedSegmentNumber = number
            group.SegmentIdentificationSequence = [identity]
            header.SegmentSequence.append(segment)
            header.PerFrameFunctionalGroupsSequence.append(group)
        if normal:
            segment.SegmentDescription = "Kind: normal"
        return written(header, b"\xff" * (frames * side * side // 8))

    return made


mask_rgba = flat("RGBA", (255, 255, 255, 255), "PNG")


def drawings(count: int) -> list[dict[str, Any]]:
    """Drawings of the most pixels, as a program sends them."""
    return [{"reader": f"R{n}", "kind": "pixel", "counts": FULL} for n in range(count)]


def export(state: bytes) -> Made:
    """The ZIP of an export with this state.json."""

    def made() -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("state.json", state)
        return stream.getvalue()

    return made


def many_cases() -> bytes:
    """A state.json of three million empty cases."""
    return export(b'{"format": 1, "copies": {}, "cases": [' + b"{}," * 3_000_000 + b"{}]}")()


def many_copies() -> bytes:
    """A state.json that names a million copies."""
    pairs = ",".join(f'"{n:064x}":"{n:064x}"' for n in range(1_000_000))
    return export(('{"format": 1, "cases": [], "copies": {' + pairs + "}}").encode())()
