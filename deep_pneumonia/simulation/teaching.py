"""Render the images and masks of the teaching cases that the cases.json of a folder describes.

The "recipe" of each case has the entries "body", "pose", "view", "kind", "severity", "lobes", "confounders" and
"seed". Rendering writes "label", "image", "sha256", "spacing_mm", "contrast" and "readers"; other entries stay.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from deep_pneumonia.datasets.teaching_cases import read_document
from deep_pneumonia.errors import CasesError
from deep_pneumonia.files import sha256, write_json
from deep_pneumonia.masks.annotation import write_mask
from deep_pneumonia.simulation import confounders
from deep_pneumonia.simulation.body import draw_build, vary
from deep_pneumonia.simulation.chest_ct import LOBES, ChestCT
from deep_pneumonia.simulation.dataset import TRUTH, write_png
from deep_pneumonia.simulation.pneumonia import KINDS, NORMAL
from deep_pneumonia.simulation.scene import Recipe, Shadow, Simulated, draw_pose, expose, render
from deep_pneumonia.simulation.visible import HANDS

T = TypeVar("T")


def render_cases(ct: ChestCT, folder: Path, size: int, done: Callable[[], object]) -> None:
    """Render every case, `size` pixels a side; cases.json is written last, and `done` is called after each case.

    Raises:
        CasesError: cases.json is missing or damaged, or a recipe is incomplete.
        SimulationError: a lesion is not visible.
    """
    document = read_document(folder)
    path = folder / "cases.json"
    asked = [asked_of(path, entry) for entry in document["cases"]]  # all are checked before the first is rendered
    for entry, one in zip(document["cases"], asked, strict=True):
        entry.update(_made(ct, folder, one, size))
        done()
    write_json(document, path)


@dataclass(frozen=True)
class Asked:
    """A requested case: its name, the seed of its body, the number and view of its pose, and the recipe."""

    name: str
    body: int
    pose: int
    view: str
    recipe: Recipe


def asked_of(path: Path, entry: dict[str, Any]) -> Asked:
    """The case that an entry {"id", "recipe", ...} of the file at `path` requests.

    Raises:
        CasesError: a part of the entry is missing or invalid.
    """
    try:
        name, asked = str(entry["id"]), entry["recipe"]
        name.encode()  # half of a character cannot be the name of a folder
        if Path(name).name != name or name in ("", ".."):
            raise ValueError(f"the id {name!r}, which cannot be the name of a folder")
        body, pose = _natural(asked["body"]), _natural(asked["pose"])
        return Asked(name, body, pose, _one_of(("PA", "AP"), asked["view"]), _recipe(asked))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CasesError(f"A recipe in {path} has a missing or invalid part: {error}; correct it.") from error


def shadow_of(ct: ChestCT, asked: Asked, size: int) -> Shadow:
    """The healthy body in the requested pose, `size` pixels a side."""
    body = vary(ct, draw_build(np.random.default_rng(asked.body)))
    return expose(body, draw_pose(body, asked.view, np.random.default_rng((asked.body, asked.pose))), size)


def _made(ct: ChestCT, folder: Path, asked: Asked, size: int) -> dict[str, Any]:
    name, kind = asked.name, asked.recipe.kind
    shadow = shadow_of(ct, asked, size)
    case = render(shadow, asked.recipe)
    image = f"{name}/{name}.png"
    (folder / name).mkdir(exist_ok=True)
    write_png(case.pixels, folder / image)
    spacing, readers = round(shadow.pixel, 4), _drawn(folder, name, kind, case)
    return {
        "label": kind, "image": image, "sha256": sha256(folder / image),
        "spacing_mm": [spacing, spacing], "contrast": round(case.contrast, 3), "readers": readers,
    }  # fmt: skip


def _recipe(asked: dict[str, Any]) -> Recipe:
    severity = float(asked["severity"])
    if not 0 <= severity <= 1:
        raise ValueError(f"the severity {severity}")
    return Recipe(
        _one_of(KINDS, asked["kind"]), (_natural(asked["seed"]),), severity,
        tuple(_one_of(LOBES, lobe) for lobe in asked["lobes"]),
        tuple(_one_of(confounders.KINDS, name) for name in asked["confounders"]),
    )  # fmt: skip


def _natural(value: Any) -> int:
    if int(value) < 0:
        raise ValueError(f"the number {value}, below 0")
    return int(value)


def _one_of(known: Sequence[T], value: Any) -> T:
    if value not in known:
        raise ValueError(f"{value!r}, which is not among {', '.join(str(k) for k in known)}")
    return known[known.index(value)]


def _drawn(folder: Path, name: str, kind: str, case: Simulated) -> list[dict[str, str]]:
    if kind == NORMAL:
        for reader in (TRUTH, *(h.name for h in HANDS)):
            (folder / name / f"{reader}.png").unlink(missing_ok=True)  # left by an earlier recipe with a lesion
        return [{"name": reader, "kind": "normal"} for reader in (TRUTH, *(h.name for h in HANDS))]
    entries = []
    for reader, mask in {TRUTH: case.mask, **case.readers}.items():
        file = f"{name}/{reader}.png"  # the file alone then still tells who drew it
        write_mask(mask, folder / file)
        entries.append({"name": reader, "kind": "pixel" if reader == TRUTH else "polygon", "mask": file})
    return entries
