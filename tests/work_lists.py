"""Small workspaces, and rows of work lists, for the tests of what is made of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.masks.annotation import Annotation, Kind
from deep_pneumonia.worklist.history import history
from deep_pneumonia.worklist.records import VERDICTS
from deep_pneumonia.worklist.rows import ReaderScores, Row
from deep_pneumonia.worklist.workspace import Workspace
from tests.phantom import draw, save_png

SIZE = (24, 20)
LABELS = ("", "Normal", "Opacity")
UNIT = st.floats(0, 1)


def annotation(seed: int, reader: str = "Ana", size: tuple[int, int] = SIZE) -> Annotation:
    """A reader's mask of random pixels."""
    return Annotation(np.random.default_rng(seed).random(size) < 0.3, reader, "pixel")


def small_workspace(folder: Path, cases: int = 2) -> Workspace:
    """Cases of one small radiograph each, without readers."""
    space = Workspace(folder / "space")
    images = [save_png(draw(n, SIZE)[0], folder / "images" / f"chest-{n}.png") for n in range(cases)]
    space.add(Case(image, f"p{n}", "own", "test", "Clear") for n, image in enumerate(images))
    return space


def full_state(space: Workspace) -> list[Any]:
    """All that a workspace holds except where its radiographs lie: equal states are equal workspaces."""
    found = []
    for record in history(space):
        case = record.item.case
        facts = (case.image.name, case.patient, case.source, case.split, case.label, case.sex, case.age, case.view)
        drawings = [(d.reader, d.version, d.kind, d.digest, d.removed, d.author, d.time) for d in record.drawings]
        bytes_of = [d.mask.read_bytes() for d in record.drawings if d.mask]
        found.append((record.item.id, record.item.key, facts, drawings, bytes_of, record.verdicts))
    return found


def scores(reader: str, iou: float | None, hit: bool | None = None, kind: Kind = "pixel") -> ReaderScores:
    """One reader's scores in a row."""
    return {"reader": reader, "kind": kind, "hit": hit, "iou": iou, "dice": iou}


def mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def row(number: int, *agreement: ReaderScores, verdicts: dict[str, str] | None = None, **changes: Any) -> Row:
    """A case that is predicted as "Opacity"; verdicts are given as {reviewer: verdict}."""
    iou = mean([a["iou"] for a in agreement])
    made: Row = {
        "id": number,
        "key": f"{number:064x}",
        "name": f"chest-{number}.png",
        "source": "nih",
        "patient": f"p{number}",
        "split": "test",
        "label": "Opacity",
        "predicted": "Opacity",
        "probability": 0.8,
        "evidence": 0.9,
        "warnings": [],
        "problem": "",
        "agreement": list(agreement),
        "iou": iou,
        "hit": mean([a["hit"] for a in agreement]),
        "disagreement": None if iou is None else 1 - iou,
        "verdicts": {
            name: {"verdict": verdict, "comment": "", "time": "2026-11-25T10:00:00Z", "version": 1}
            for name, verdict in (verdicts or {}).items()
        },
    }
    return made | changes  # type: ignore[return-value]


def pending_row(number: int, *readers: str, **changes: Any) -> Row:
    """A case without a prediction."""
    nothing = {"predicted": None, "probability": None, "evidence": None}
    return row(number, *(scores(r, None) for r in readers), **nothing, **changes)


@st.composite
def row_lists(draw: st.DrawFn) -> list[Row]:
    """Work lists of up to 12 cases of few patients, some without a prediction, some with nothing drawn."""
    found = []
    for number in range(draw(st.integers(0, 12))):
        verdicts = draw(st.dictionaries(st.sampled_from(["Ana", "Ben", "Eva"]), st.sampled_from(VERDICTS)))
        head = {"label": draw(st.sampled_from(LABELS)), "verdicts": verdicts, "patient": draw(st.sampled_from("abc"))}
        readers = draw(st.lists(st.sampled_from(["Dr. A", "Dr. B"]), unique=True))
        if draw(st.booleans()):
            found.append(pending_row(100 + number, *readers, **head))
            continue
        known = [scores(r, *draw(st.one_of(st.tuples(UNIT, st.booleans()), st.just((None, None))))) for r in readers]
        found.append(row(100 + number, *known, predicted=draw(st.sampled_from(LABELS[1:])), **head))
    return found
