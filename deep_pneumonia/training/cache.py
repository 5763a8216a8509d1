"""Images and masks of a manifest in the model's frame, decoded once into memory-mapped uint8 arrays."""

import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.files import sha256
from deep_pneumonia.masks.annotation import read_mask
from deep_pneumonia.prediction.model_frame import InputRecipe, mask_to_model, to_model
from deep_pneumonia.radiographs.radiograph import decode

# Part of the key: raise it when the decoder, the recipe's meaning or the layout below changes.
FORMAT = 2


class Cache:
    """`cases` as arrays, built on first use and found again by a key of files, masks and recipe.

    images: (N, S, S) uint8. masks: (N', S, S) uint8, 255 times the mean over readers of the share covered;
    only cases with a lesion have a row, `mask_rows` (N,) int64 names it and is -1 elsewhere.
    cleared: (N'', S, S) uint8, the same of what is no lesion (`other_mask`), for the cases that `cleared_rows` names.
    known: (N,) bool, a reader drew or read the image as normal. boxed: (N,) bool, lesions were drawn as boxes only.
    """

    def __init__(self, cases: Sequence[Case], recipe: InputRecipe, folder: Path, *, progress: bool = True) -> None:
        self.cases = list(cases)
        self.recipe = recipe
        self.mask_rows = _rows(np.array([c.has_lesion for c in cases]))
        self.cleared_rows = _rows(np.array([c.other_mask is not None for c in cases]))
        self.known = np.array([bool(c.masks) for c in cases])
        self.boxed = np.array([bool(c.masks) and all(m.kind == "box" for m in c.masks) for c in cases])
        home = folder / self._key()
        if not home.is_dir():
            self._build(home, progress)
        self.images: NDArray[np.uint8] = np.load(home / "images.npy", mmap_mode="r")
        self.masks: NDArray[np.uint8] = np.load(home / "masks.npy", mmap_mode="r")
        self.cleared: NDArray[np.uint8] = np.load(home / "cleared.npy", mmap_mode="r")

    def batch(
        self, indices: Sequence[int] | NDArray[np.int64], device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Images and masks of some cases, float32 (B, 1, S, S) in [0, 1]; a mask that is not drawn is 0."""
        images = torch.from_numpy(self.images[indices]).to(device)[:, None].float() / 255
        return images, self._areas(self.masks, self.mask_rows[indices], device)

    def cleared_areas(self, indices: Sequence[int] | NDArray[np.int64], device: torch.device) -> torch.Tensor:
        """What is known to be no lesion in some cases, float32 (B, 1, S, S) in [0, 1]; 0 where nobody drew it."""
        return self._areas(self.cleared, self.cleared_rows[indices], device)

    def _areas(self, stored: NDArray[np.uint8], rows: NDArray[np.int64], device: torch.device) -> torch.Tensor:
        areas = np.zeros((len(rows), self.recipe.size, self.recipe.size), np.uint8)
        areas[rows >= 0] = stored[rows[rows >= 0]]
        return torch.from_numpy(areas).to(device)[:, None].float() / 255

    def _key(self) -> str:
        files = [[_stamp(p) for p in (c.image, *(m.path for m in c.masks), c.other_mask)] for c in self.cases]
        text = json.dumps([FORMAT, self.recipe.__dict__, files])
        return sha256(text.encode())[:16]

    def _build(self, home: Path, progress: bool) -> None:
        size = self.recipe.size
        counts = {"images": len(self.cases), "masks": self.mask_rows.max(initial=-1) + 1,
                  "cleared": self.cleared_rows.max(initial=-1) + 1}  # fmt: skip
        partial = home.with_name(f"{home.name}.{os.getpid()}.partial")
        partial.mkdir(parents=True)
        try:
            images, masks, cleared = (
                np.lib.format.open_memmap(partial / f"{name}.npy", "w+", np.uint8, (int(count), size, size))
                for name, count in counts.items()
            )

            def read(index: int) -> None:
                images[index], mask, other = model_frame(self.cases[index], self.recipe)
                if self.mask_rows[index] >= 0:
                    masks[self.mask_rows[index]] = mask
                if self.cleared_rows[index] >= 0:
                    cleared[self.cleared_rows[index]] = other

            with ThreadPoolExecutor(os.cpu_count()) as pool:
                done = pool.map(read, range(len(self.cases)))
                list(tqdm(done, "Decoding", len(self.cases), unit="image", disable=not progress))
            for array in (images, masks, cleared):
                array.flush()
            if not home.is_dir():  # another process may have built the same meanwhile
                partial.rename(home)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _stamp(path: Path | None) -> list[str | int] | None:
    """What changes when a file does. None for a reading as normal, which has no file but counts in the mean
    mask, and for a missing file, which `model_frame` then names."""
    if path is None or not path.is_file():
        return None
    status = path.stat()
    return [str(path), status.st_size, status.st_mtime_ns]


def _rows(has: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The row in which each case that has something is stored, -1 for the others."""
    return np.where(has, np.cumsum(has) - 1, -1).astype(np.int64)


def model_frame(case: Case, recipe: InputRecipe) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """One case in the model's frame: image, mean mask over readers, what is no lesion, each uint8 (S, S).

    Raises:
        RadiographError, AnnotationError: a file cannot be read.
    """
    radiograph = decode(case.image)
    empty = np.zeros(radiograph.size, np.bool_)
    mean = np.asarray(np.mean([a.mask for a in case.annotations(radiograph.size)] or [empty], axis=0), np.float32)
    other = read_mask(case.other_mask, radiograph.size).mask if case.other_mask else empty
    side = recipe.size
    return to_model(radiograph.pixels, recipe), mask_to_model(mean, side), mask_to_model(other, side)
