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
from deep_pneumonia.prediction.model_frame import InputRecipe, mask_to_model, to_model
from deep_pneumonia.radiographs.radiograph import decode

# Part of the key; raise it when the decoder, the meaning of a recipe or the layout below changes.
CACHE_FORMAT = 3


class Cache:
    """The decoded images and masks of `cases`, built on first use and then found by a key.

    The key is a hash of the image and mask files and of the recipe.

    images: uint8 (N, S, S). masks: uint8 (M, S, S), 255 times the mean over readers of the share of each pixel that
    is lesion; only cases with a lesion have a row. mask_rows: int64 (N,), the row of each case in `masks`, -1 without
    a lesion. known: bool (N,), whether a reader drew a mask or read the image as normal.

    Raises:
        RadiographError, AnnotationError: a file cannot be read.
    """

    def __init__(self, cases: Sequence[Case], recipe: InputRecipe, folder: Path, *, progress: bool = True) -> None:
        self.cases = list(cases)
        self.recipe = recipe
        has_lesion = np.array([c.has_lesion for c in cases])
        self.mask_rows = np.where(has_lesion, np.cumsum(has_lesion) - 1, -1).astype(np.int64)
        self.known = np.array([bool(c.masks) for c in cases])
        home = folder / self._key()
        if not home.is_dir():
            self._build(home, progress)
        self.images: NDArray[np.uint8] = np.load(home / "images.npy", mmap_mode="r")
        self.masks: NDArray[np.uint8] = np.load(home / "masks.npy", mmap_mode="r")

    def batch(
        self, indices: Sequence[int] | NDArray[np.int64], device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Images and masks of some cases, each float32 (B, 1, S, S) in [0, 1]; masks that are not drawn are 0."""
        images, rows = self.images[indices], self.mask_rows[indices]
        masks = np.zeros_like(images)
        masks[rows >= 0] = self.masks[rows[rows >= 0]]
        on_device = (torch.from_numpy(part).to(device)[:, None].float() / 255 for part in (images, masks))
        return next(on_device), next(on_device)

    def _key(self) -> str:
        files = [[_stamp(p) for p in (c.image, *(m.path for m in c.masks))] for c in self.cases]
        text = json.dumps([CACHE_FORMAT, self.recipe.__dict__, files])
        return sha256(text.encode())[:16]

    def _build(self, home: Path, progress: bool) -> None:
        size = self.recipe.size
        counts = {"images": len(self.cases), "masks": int(self.mask_rows.max(initial=-1)) + 1}
        partial = home.with_name(f"{home.name}.{os.getpid()}.partial")
        partial.mkdir(parents=True)
        try:
            images, masks = (
                np.lib.format.open_memmap(partial / f"{name}.npy", "w+", np.uint8, (count, size, size))
                for name, count in counts.items()
            )

            def store(index: int) -> None:
                images[index], mask = model_frame(self.cases[index], self.recipe)
                if self.mask_rows[index] >= 0:
                    masks[self.mask_rows[index]] = mask

            with ThreadPoolExecutor(os.cpu_count()) as pool:
                done = pool.map(store, range(len(self.cases)))
                list(tqdm(done, "Decoding", len(self.cases), unit="image", disable=not progress))
            for array in (images, masks):
                array.flush()
            if not home.is_dir():  # another process may have built the same cache in the meantime
                partial.rename(home)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _stamp(path: Path | None) -> list[str | int] | None:
    """Path, size and time of a file, which change when the file does.

    None stands for an image read as normal, which has no mask file but counts in the mean mask. It also stands for a
    missing file, which `model_frame` reports.
    """
    if path is None or not path.is_file():
        return None
    status = path.stat()
    return [str(path), status.st_size, status.st_mtime_ns]


def model_frame(case: Case, recipe: InputRecipe) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """One case in the model's frame: the image and the mean mask over readers, each uint8 (S, S).

    Raises:
        RadiographError, AnnotationError: a file cannot be read.
    """
    radiograph = decode(case.image)
    masks = [a.mask for a in case.annotations(radiograph.size)] or [np.zeros(radiograph.size, np.bool_)]
    mean = np.asarray(np.mean(masks, axis=0), np.float32)
    return to_model(radiograph.pixels, recipe), mask_to_model(mean, recipe.size)
