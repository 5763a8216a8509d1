"""A case as a visitor opens it: files and drawings become a radiograph, its masks and the prediction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from deep_pneumonia.errors import AnnotationError, UnknownMaskError, UnreadableFileError
from deep_pneumonia.limits import MAX_CASE_READERS, MAX_DRAWN_RUNS
from deep_pneumonia.masks.annotation import KINDS, Annotation, Kind, check_masks
from deep_pneumonia.masks.reading_apart import decode_apart, looks_apart, read_apart
from deep_pneumonia.names import distinct, reader_name, shown
from deep_pneumonia.prediction.predictor import Prediction
from deep_pneumonia.radiographs.radiograph import Radiograph

Drawing = Mapping[str, Any]
Predict = Callable[[Radiograph, Sequence[Annotation]], Prediction]


@dataclass(frozen=True, eq=False)
class Opened:
    """A radiograph under the name of its file, and its masks.

    notes: what was found in each file of masks, or why nothing was.
    """

    name: str
    radiograph: Radiograph
    masks: tuple[Annotation, ...]
    notes: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, eq=False)
class Case(Opened):
    """An opened radiograph and the model's prediction for it."""

    prediction: Prediction


def open_case(
    predict: Predict, file: str, masks: Sequence[str] = (), drawings: Sequence[Drawing] | None = None
) -> Case:
    """Open files and call `predict` on the radiograph: `Predictor.predict`, or a wrapper that runs it elsewhere.

    Raises:
        DeepPneumoniaError: a file cannot be read; the message gives the file's name, never its folder.
    """
    case = opened(file, masks, drawings)
    prediction = predict(case.radiograph, case.masks)
    return Case(case.name, case.radiograph, case.masks, prediction, notes=case.notes)


def opened(file: str, masks: Sequence[str] = (), drawings: Sequence[Drawing] | None = None) -> Opened:
    """The radiograph in an uploaded file with the masks in other files, or with drawings instead of masks.

    A drawing is {"reader", "kind", "counts"}; counts are the lengths of alternating runs of 0 and 1 in row order.

    Raises:
        DeepPneumoniaError: a file cannot be read; the message gives the file's name, never its folder.
    """
    name = Path(file).name
    if gone := [Path(f).name for f in (file, *masks) if not Path(f).exists()]:
        raise UnreadableFileError(f"{gone[0]} is gone; upload it again. Uploads are deleted within an hour.")
    check_count(len(masks if drawings is None else drawings))
    radiograph = decode_apart(file)
    notes: list[str] = []
    if drawings is None:
        found = read_masks(masks, radiograph.size, name, notes)
    else:
        found = all_drawn(drawings, radiograph.size)
    # Two readers with the same name could not be told apart on the screen or in a saved file.
    names = distinct([a.reader for a in found])
    named = (Annotation(a.mask, reader, a.kind) for a, reader in zip(found, names, strict=True))
    return Opened(name, radiograph, tuple(named), notes=tuple(notes))


def check_count(masks: int) -> None:
    """Check how many masks a case would have, before any is read.

    Raises:
        AnnotationError: more than MAX_CASE_READERS.
    """
    if masks > MAX_CASE_READERS:
        raise AnnotationError(f"Got {masks} masks, but a case holds at most {MAX_CASE_READERS}; open it with fewer.")


def read_masks(files: Sequence[str], size: tuple[int, int], radiograph: str, notes: list[str]) -> list[Annotation]:
    """The masks in files, for a radiograph of `size` (H, W) in a file that is named `radiograph`.

    notes: gets a line for each file. A file that does not say whether anybody looked at the radiograph gives no mask.

    Raises:
        AnnotationError: a file cannot be read, or all hold more than MAX_CASE_READERS masks; each file's masks are
            counted before they are built.
    """
    found: list[Annotation] = []
    for file in files:
        left = MAX_CASE_READERS - len(found)
        if not left:
            check_count(MAX_CASE_READERS + 1)
        name = Path(file).name
        try:
            masks = read_apart(file, size, name=name, radiograph=radiograph, readers=left)
        except UnknownMaskError as error:
            notes.append(str(error))
            continue
        notes.append(f"{shown(name)}: " + ", ".join(f"{a.reader} ({a.kind})" for a in masks))
        found += masks
    return found


def sorted_files(files: Sequence[str], masks: Sequence[str]) -> tuple[str | None, list[str]]:
    """The radiograph among files that were dropped together, and the given masks followed by the dropped ones.

    Raises:
        UnreadableFileError: more than one of the files could be a radiograph.
    """
    found = [f for f in files if looks_apart(f)] if len(files) > 1 else []
    others = [f for f in files if f not in found]
    if len(others) > 1:
        names = ", ".join(Path(f).name for f in others[:4])
        raise UnreadableFileError(
            f"{len(others)} of these files could be radiographs ({names}); give one radiograph and its masks."
        )
    if not others and files:
        return files[0], [*masks, *found[1:]]
    return (others[0] if others else None), [*masks, *found]


def all_drawn(drawings: Sequence[Drawing], size: tuple[int, int]) -> list[Annotation]:
    """The annotations that drawings describe, each checked before the first is built; see `drawn`.

    Raises:
        AnnotationError: there are more than MAX_CASE_READERS, or one is malformed.
    """
    check_count(len(drawings))
    checked = [_checked(drawing, size) for drawing in drawings]
    check_masks(len(checked), size, "The request", most=MAX_CASE_READERS)
    if sum(len(one.counts) for one in checked) > MAX_DRAWN_RUNS:
        raise AnnotationError(f"The drawings have more than {MAX_DRAWN_RUNS} runs in all; send fewer of them.")
    return [_built(one, size) for one in checked]


def drawn(drawing: Drawing, size: tuple[int, int]) -> Annotation:
    """The annotation that a drawing describes, for a radiograph of `size` (H, W).

    A radiograph with more pixels than the browser receives is drawn on at a whole fraction of its size. The drawing's
    own "size" says so, and each of its pixels then stands for a square.

    Raises:
        AnnotationError: a field is missing or of a wrong type, or the runs do not fill the radiograph.
    """
    return _built(_checked(drawing, size), size)


@dataclass(frozen=True, eq=False)
class _Checked:
    """A drawing whose runs fill the radiograph; `step` is the side of the square that each of its pixels stands for."""

    reader: str
    kind: str
    frame: tuple[int, int]
    counts: NDArray[np.int64]
    step: int


def _checked(drawing: Drawing, size: tuple[int, int]) -> _Checked:
    try:
        reader, kind = reader_name(drawing["reader"], "reader"), str(drawing.get("kind", "pixel"))
        height, width = (int(n) for n in drawing.get("size") or size)
        counts = np.asarray(drawing["counts"], dtype=np.int64)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise AnnotationError(
            'A drawing is malformed; expected {"reader": name, "kind": kind, "counts": run lengths in row order}.'
        ) from error
    step = max(1, -(-size[0] // max(1, height)))
    pixels = height * width
    fits = (height, width) == tuple(-(-n // step) for n in size)
    if not fits or counts.ndim != 1 or (counts < 0).any() or (counts > pixels).any() or int(counts.sum()) != pixels:
        raise AnnotationError(
            f"The run lengths of {reader}'s drawing do not fill the {size[0]} x {size[1]} pixels of the radiograph; "
            "send the drawing of this radiograph."
        )
    return _Checked(reader, kind, (height, width), counts, step)


def _built(drawing: _Checked, size: tuple[int, int]) -> Annotation:
    lesion = np.arange(len(drawing.counts)) % 2 == 1
    mask = np.repeat(lesion, drawing.counts).reshape(drawing.frame)
    if drawing.step > 1:
        mask = mask.repeat(drawing.step, axis=0).repeat(drawing.step, axis=1)[: size[0], : size[1]]
    mask.setflags(write=False)  # so that it is not copied
    known = drawing.kind in KINDS and not (drawing.kind == "normal" and mask.any())
    return Annotation(mask, drawing.reader, cast(Kind, drawing.kind) if known else "pixel")


def runs(mask: NDArray[np.bool_]) -> list[int]:
    """Lengths of the alternating runs of 0 and 1 of a mask (H, W) in row order, starting with 0."""
    flat = mask.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    counts = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    return [0, *counts] if flat[0] else counts
