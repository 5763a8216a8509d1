"""Images and masks of a manifest in the model's frame, decoded once into memory-mapped uint8 arrays."""

import hashlib
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

from deep_pneumonia.geometry import InputRecipe, mask_to_model, to_model
from deep_pneumonia.manifest import Case
from deep_pneumonia.radiograph import decode

# Part of the key: raise it when the decoder, the recipe's meaning or the layout below changes.
FORMAT = 1


class Cache:
    """`cases` as arrays, built on first use and found again by a key of files, masks and recipe.

    images: (N, S, S) uint8. masks: (N', S, S) uint8, 255 times the mean over readers of the share covered;
    only cases with a lesion have a row, `mask_rows` (N,) int64 names it and is -1 elsewhere.
    known: (N,) bool, a reader drew or read the image as normal.
    """

    def __init__(self, cases: Sequence[Case], recipe: InputRecipe, folder: Path, *, progress: bool = True) -> None:
        self.cases = list(cases)
        self.recipe = recipe
        drawn = [i for i, c in enumerate(cases) if c.has_lesion]
        self.mask_rows = np.full(len(cases), -1, np.int64)
        self.mask_rows[drawn] = np.arange(len(drawn))
        self.known = np.array([bool(c.masks) for c in cases])
        home = folder / self._key()
        if not home.is_dir():
            self._build(home, drawn, progress)
        self.images: NDArray[np.uint8] = np.load(home / "images.npy", mmap_mode="r")
        self.masks: NDArray[np.uint8] = np.load(home / "masks.npy", mmap_mode="r")

    def batch(
        self, indices: Sequence[int] | NDArray[np.int64], device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Images and masks of some cases, float32 (B, 1, S, S) in [0, 1]; a mask that is not drawn is 0."""
        rows = self.mask_rows[indices]
        masks = np.zeros((len(rows), self.recipe.size, self.recipe.size), np.uint8)
        masks[rows >= 0] = self.masks[rows[rows >= 0]]
        pair = (torch.from_numpy(x).to(device)[:, None].float() / 255 for x in (self.images[indices], masks))
        images, lesions = pair
        return images, lesions

    def _key(self) -> str:
        files = [[_stamp(p) for p in (c.image, *(m.path for m in c.masks))] for c in self.cases]
        text = json.dumps([FORMAT, self.recipe.__dict__, files])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _build(self, home: Path, drawn: Sequence[int], progress: bool) -> None:
        size = self.recipe.size
        partial = home.with_name(f"{home.name}.{os.getpid()}.partial")
        partial.mkdir(parents=True)
        try:
            images, masks = (
                np.lib.format.open_memmap(partial / name, "w+", np.uint8, (count, size, size))
                for name, count in (("images.npy", len(self.cases)), ("masks.npy", len(drawn)))
            )

            def read(index: int) -> None:
                images[index], mask = model_frame(self.cases[index], self.recipe)
                if self.mask_rows[index] >= 0:
                    masks[self.mask_rows[index]] = mask

            with ThreadPoolExecutor(os.cpu_count()) as pool:
                done = pool.map(read, range(len(self.cases)))
                list(tqdm(done, "Decoding", len(self.cases), unit="image", disable=not progress))
            images.flush()
            masks.flush()
            partial.rename(home)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def _stamp(path: Path | None) -> list[str | int] | None:
    """What changes when a file does. None for a reading as normal, which has no file but counts in the mean
    mask, and for a missing file, which `model_frame` then names."""
    if path is None or not path.is_file():
        return None
    status = path.stat()
    return [str(path), status.st_size, status.st_mtime_ns]


def model_frame(case: Case, recipe: InputRecipe) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """One case in the model's frame: image and mean mask over readers, both uint8 (S, S).

    Raises:
        RadiographError, AnnotationError: a file cannot be read.
    """
    radiograph = decode(case.image)
    masks = [a.mask for a in case.annotations(radiograph.size)] or [np.zeros(radiograph.size, np.bool_)]
    mean = np.asarray(np.mean(masks, axis=0), np.float32)
    return to_model(radiograph.pixels, recipe), mask_to_model(mean, recipe.size)
