"""Small workspaces for the tests of export and import."""

from pathlib import Path
from typing import Any

import numpy as np

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.worklist.history import history
from deep_pneumonia.worklist.workspace import Workspace
from tests.phantom import draw, save_png

SIZE = (24, 20)


def drawn(seed: int, reader: str = "Ana", size: tuple[int, int] = SIZE) -> Annotation:
    return Annotation(np.random.default_rng(seed).random(size) < 0.3, reader, "pixel")


def small(folder: Path, cases: int = 2) -> Workspace:
    """Cases of one small radiograph each, and nobody who has read them."""
    space = Workspace(folder / "space")
    images = [save_png(draw(n, SIZE)[0], folder / "images" / f"chest-{n}.png") for n in range(cases)]
    space.add(Case(image, f"p{n}", "own", "test", "Clear") for n, image in enumerate(images))
    return space


def full_state(space: Workspace) -> list[Any]:
    """All that a workspace holds but where its radiographs lie: two that are equal here are the same."""
    found = []
    for record in history(space):
        case = record.item.case
        facts = (case.image.name, case.patient, case.source, case.split, case.label, case.sex, case.age, case.view)
        drawings = [(d.reader, d.version, d.kind, d.digest, d.removed, d.author, d.time) for d in record.drawings]
        bytes_of = [d.mask.read_bytes() for d in record.drawings if d.mask]
        found.append((record.item.id, record.item.key, facts, drawings, bytes_of, record.verdicts))
    return found
