"""Uploads read in processes of their own: the same results and errors, and no harm when such a process ends."""

import importlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from pkgutil import walk_packages

import numpy as np
import pytest

import deep_pneumonia
from deep_pneumonia import errors
from deep_pneumonia.errors import (
    AnnotationError,
    DeepPneumoniaError,
    MaskSizeError,
    NotARadiographError,
    NotATableError,
    TooLargeError,
)
from deep_pneumonia.masks import reading_apart, reading_process
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.masks.any_format import read_annotations
from deep_pneumonia.masks.coco import to_coco
from deep_pneumonia.masks.reading_apart import Pool, decode_apart, looks_apart, read_apart
from deep_pneumonia.radiographs.radiograph import decode
from tests.dicom_objects import RAMP, data_set, written
from tests.pictures import encode

MASK = np.arange(35).reshape(5, 7) % 3 == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "chest.dcm").write_bytes(written(data_set(RAMP, PixelSpacing=[0.2, 0.3])))
    (tmp_path / "chest.png").write_bytes(encode(RAMP))
    (tmp_path / "masks.json").write_bytes(
        to_coco([Annotation(MASK, "Dr Ä", "pixel"), Annotation(~MASK, "B", "box")], "a")
    )
    (tmp_path / "labels.csv").write_text("image,label\na.png,0\n")
    (tmp_path / "notes.txt").write_bytes(b"no picture, no mask")
    return tmp_path


@pytest.mark.parametrize("name", ["chest.dcm", "chest.png"])
def test_a_radiograph_is_the_same_as_here(folder: Path, name: str) -> None:
    here, apart = decode(folder / name), decode_apart(folder / name)
    np.testing.assert_array_equal(apart.pixels, here.pixels)
    assert (apart.spacing_mm, apart.source, apart.colour) == (here.spacing_mm, here.source, here.colour)
    assert not apart.pixels.flags.writeable


def test_masks_are_the_same_as_here(folder: Path) -> None:
    here = read_annotations(folder / "masks.json", MASK.shape, name="masks.json")
    apart = read_apart(folder / "masks.json", MASK.shape, name="masks.json")
    assert [(a.reader, a.kind) for a in apart] == [(a.reader, a.kind) for a in here]
    for a, b in zip(apart, here, strict=True):
        np.testing.assert_array_equal(a.mask, b.mask)
    assert [looks_apart(folder / name) for name in ("masks.json", "chest.dcm", "gone")] == [True, False, False]


def test_errors_are_the_same_as_here(folder: Path) -> None:
    with pytest.raises(NotARadiographError, match=r"notes\.txt is not a PNG"):
        decode_apart(folder / "notes.txt")
    with pytest.raises(MaskSizeError, match=r"masks\.json has 5 x 7 pixels .* 9 x 9"):
        read_apart(folder / "masks.json", (9, 9), name="masks.json")
    with pytest.raises(AnnotationError, match="has 2 masks of one radiograph, expected at most 1"):
        read_apart(folder / "masks.json", MASK.shape, name="masks.json", readers=1)
    with pytest.raises(NotATableError, match=r"^labels\.csv is not in a supported format"):
        read_apart(folder / "labels.csv", MASK.shape, name="labels.csv")


def test_every_error_can_be_told_from_one_process_to_another() -> None:
    for name in (m.name for m in walk_packages(deep_pneumonia.__path__, "deep_pneumonia.")):
        if not name.endswith("__main__"):
            importlib.import_module(name)
    kinds = [DeepPneumoniaError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    assert len(kinds) > 20
    assert [k for k in kinds if getattr(errors, k.__name__, None) is not k] == []


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool(1)
    yield made
    made.close()


ENDINGS = {
    "crash": "import os; os.abort()",
    "half an answer": "print('{\"bytes\": 9}\\n1234', end='')",
    "endless loop": "from deep_pneumonia.masks.reading_process import _allow_seconds as f; f(0)\nwhile True: pass",
    "waiting": "import time; time.sleep(1000)",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_process_that_ends_is_said_and_started_anew(
    ending: str, pool: Pool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = {"what": "radiograph", "path": str(folder / "chest.png")}
    with monkeypatch.context() as patch:
        patch.setattr(reading_apart, "COMMAND", (sys.executable, "-c", "input()\n" + ENDINGS[ending]))
        if ending == "waiting":
            patch.setattr(reading_apart, "WAITING_FACTOR", 0.1)
        with pytest.raises(NotARadiographError, match=r"chest\.png could not be read: it takes more than 30 s or made"):
            pool.ask(request, NotARadiographError)
    assert pool.ask(request, NotARadiographError)[0]["source"] == "PNG"


def test_too_little_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(reading_process, "ANSWERS", {"radiograph": full, "masks": full})
    text = "a.png needs more memory than allowed; export a smaller copy."
    for what, kind in (("radiograph", TooLargeError), ("masks", AnnotationError)):
        stated, _ = reading_process.answer({"what": what, "path": "/folder/a.png"})
        assert stated == {"error": kind.__name__, "text": text}


def test_the_process_answers_a_line_with_a_line_and_its_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    masks = {"what": "masks", "name": "masks.json", "radiograph": "", "readers": 8, "size": MASK.shape}
    asked = [
        {"what": "radiograph", "path": str(folder / "chest.png")},
        {**masks, "path": str(folder / "masks.json")},
        {"what": "looks", "path": str(folder / "masks.json")},
        {"what": "radiograph", "path": str(folder / "notes.txt")},
    ]
    out = io.BytesIO()
    monkeypatch.setattr(reading_process, "resource", None)  # its limits are for a process of its own
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO(b"".join(json.dumps(a).encode() + b"\n" for a in asked)))
    )
    monkeypatch.setattr(sys, "stdout", wrapper := io.TextIOWrapper(out))
    reading_process.main()
    out.seek(0)
    stated = json.loads(out.readline())
    pixels = np.frombuffer(out.read(stated["bytes"]), np.float32).reshape(stated["size"])
    np.testing.assert_array_equal(pixels, decode(folder / "chest.png").pixels)
    stated = json.loads(out.readline())
    assert stated["readers"] == ["Dr \u00c4", "B"]
    first = np.unpackbits(np.frombuffer(out.read(stated["bytes"]), np.uint8)[: -(-MASK.size // 8)], count=MASK.size)
    np.testing.assert_array_equal(first.reshape(MASK.shape), MASK)
    assert json.loads(out.readline()) == {"looks": True, "bytes": 0}
    assert json.loads(out.readline())["error"] == "NotARadiographError"
    assert out.read() == b""
    wrapper.detach()  # it must not close `out` before


def test_a_lack_of_memory_is_said_as_the_kind_of_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(reading_process, "ANSWERS", {"radiograph": full, "masks": full})
    said = {what: reading_process.answer({"what": what, "path": "/up/a.png"})[0] for what in ("radiograph", "masks")}
    assert (said["radiograph"]["error"], said["masks"]["error"]) == ("TooLargeError", "AnnotationError")
    assert said["masks"]["text"] == "a.png needs more memory than allowed; export a smaller copy."
