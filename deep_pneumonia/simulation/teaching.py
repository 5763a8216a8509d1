"""Render the teaching cases that a folder's cases.json asks for: pictures and masks, and what is known of them.

Each case's "recipe" says how: {"body", "pose", "view", "kind", "severity", "lobes", "confounders", "seed"}. What a
person wrote stays; "label", "image", "sha256", "spacing_mm", "contrast" and "readers" are written anew.
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
from deep_pneumonia.simulation.dataset import TRUTH, save_picture
from deep_pneumonia.simulation.pneumonia import KINDS, NORMAL
from deep_pneumonia.simulation.scene import Recipe, Shadow, Simulated, draw_pose, expose, render
from deep_pneumonia.simulation.visible import HANDS

T = TypeVar("T")


def render_cases(ct: ChestCT, folder: Path, size: int, done: Callable[[], object]) -> None:
    """Render every case at `size` pixels a side; cases.json is written last. `done` is called after each.

    Raises:
        CasesError: cases.json is missing or damaged, or a recipe lacks a part.
        SimulationError: a lesion cannot be seen.
    """
    document = read_document(folder)
    path = folder / "cases.json"
    asked = [asked_of(path, entry) for entry in document["cases"]]  # all are understood before one is rendered
    for entry, one in zip(document["cases"], asked, strict=True):
        entry.update(_made(ct, folder, one, size))
        done()
    write_json(document, path)


@dataclass(frozen=True)
class Asked:
    """One case as it is asked for: its name, the seed of its body, its pose's number and view, and the recipe."""

    name: str
    body: int
    pose: int
    view: str
    recipe: Recipe


def asked_of(path: Path, entry: dict[str, Any]) -> Asked:
    """What an entry {"id", "recipe", ...} of the file at `path` asks for.

    Raises:
        CasesError: its recipe lacks or garbles a part.
    """
    try:
        name, asked = str(entry["id"]), entry["recipe"]
        if Path(name).name != name or name in ("", ".."):
            raise ValueError(f"the id {name!r}, which is no name of a folder")
        body, pose = _natural(asked["body"]), _natural(asked["pose"])
        return Asked(name, body, pose, _one_of(("PA", "AP"), asked["view"]), _recipe(asked))
    except (KeyError, TypeError, ValueError) as error:
        raise CasesError(f"A recipe in {path} lacks or garbles {error}; complete it.") from error


def shadow_of(ct: ChestCT, asked: Asked, size: int) -> Shadow:
    """The healthy body in the pose that are asked for, a square of `size` pixels."""
    body = vary(ct, draw_build(np.random.default_rng(asked.body)))
    return expose(body, draw_pose(body, asked.view, np.random.default_rng((asked.body, asked.pose))), size)


def _made(ct: ChestCT, folder: Path, asked: Asked, size: int) -> dict[str, Any]:
    name, kind = asked.name, asked.recipe.kind
    shadow = shadow_of(ct, asked, size)
    case = render(shadow, asked.recipe)
    image = f"{name}/{name}.png"
    (folder / name).mkdir(exist_ok=True)
    save_picture(case.pixels, folder / image)
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
        raise ValueError(f"{value!r}, which is none of {', '.join(str(k) for k in known)}")
    return known[known.index(value)]


def _drawn(folder: Path, name: str, kind: str, case: Simulated) -> list[dict[str, str]]:
    if kind == NORMAL:
        for reader in (TRUTH, *(h.name for h in HANDS)):
            (folder / name / f"{reader}.png").unlink(missing_ok=True)  # of a recipe that was ill before
        return [{"name": reader, "kind": "normal"} for reader in (TRUTH, *(h.name for h in HANDS))]
    entries = []
    for reader, mask in {TRUTH: case.mask, **case.readers}.items():
        file = f"{name}/{reader}.png"  # a viewer that is given the file alone still knows the reader
        write_mask(mask, folder / file)
        entries.append({"name": reader, "kind": "pixel" if reader == TRUTH else "polygon", "mask": file})
    return entries
