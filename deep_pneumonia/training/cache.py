"""Images and masks of a manifest in the model's frame, decoded once into memory-mapped uint8 arrays."""

import io
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.errors import TrainingError
from deep_pneumonia.files import sha256, why_unwritten
from deep_pneumonia.partial_files import partial_folder, sweep
from deep_pneumonia.prediction.model_frame import InputRecipe, mask_to_model, to_model
from deep_pneumonia.radiographs.radiograph import decode

# Part of the key; raise it when the decoder, the meaning of a recipe or the layout below changes.
CACHE_FORMAT = 4

Frames = NDArray[np.uint8]


class Cache:
    """The decoded images and masks of `cases`, built on first use and then found by a key.

    The key is a hash of the image and mask files and of the recipe. Files of the cache that are missing, cut short or
    of another size are made anew.

    images: uint8 (N, S, S). masks: uint8 (M, S, S), 255 times the mean over readers of the share of each pixel that
    is lesion; only cases with a lesion have a row. mask_rows: int64 (N,), the row of each case in `masks`, -1 without
    a lesion. known: bool (N,), whether a reader drew a mask or read the image as normal.

    Raises:
        RadiographError, AnnotationError: a file cannot be read.
        TrainingError: the cache cannot be written, as on a full disk.
    """

    def __init__(self, cases: Sequence[Case], recipe: InputRecipe, folder: Path, *, progress: bool = True) -> None:
        self.cases = list(cases)
        self.recipe = recipe
        has_lesion = np.array([c.has_lesion for c in cases])
        self.mask_rows = np.where(has_lesion, np.cumsum(has_lesion) - 1, -1).astype(np.int64)
        self.known = np.array([bool(c.masks) for c in cases])
        home = folder / self._key()
        sweep(folder)
        if (found := self._open(home)) is None:
            self._build(home, progress)
            found = self._open(home)
        if found is None:
            raise TrainingError(f"The cache {home} cannot be read back after it was written; choose another --cache.")
        self.images, self.masks = found

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
        facts = [self.recipe.size, self.recipe.low, self.recipe.high, self.recipe.detail]
        text = json.dumps([CACHE_FORMAT, facts, files])
        return sha256(text.encode())[:16]

    @property
    def _counts(self) -> dict[str, int]:
        """How many frames each file has."""
        return {"images": len(self.cases), "masks": int(self.mask_rows.max(initial=-1)) + 1}

    def _open(self, home: Path) -> tuple[Frames, Frames] | None:
        """The arrays in a folder; None where a file is missing, or is not what this cache needs."""
        files = [(home / f"{name}.npy", count) for name, count in self._counts.items()]
        try:
            images, masks = (_opened(path, count, self.recipe.size) for path, count in files)
        except (OSError, ValueError):
            return None
        return images, masks

    def _build(self, home: Path, progress: bool) -> None:
        try:
            with partial_folder(home) as partial:
                self._decode(partial, progress)
                if self._open(home) is None:  # another process may have built the same cache in the meantime
                    shutil.rmtree(home, ignore_errors=True)
                    partial.rename(home)
        except OSError as error:
            raise TrainingError(why_unwritten(home, error)) from error

    def _decode(self, folder: Path, progress: bool) -> None:
        """Decode every case into the files of a folder, on all cores."""
        with ExitStack() as stack:
            store_image, store_mask = (
                stack.enter_context(frame_file(folder / f"{name}.npy", count, self.recipe.size))
                for name, count in self._counts.items()
            )

            def store(index: int) -> None:
                image, mask = model_frame(self.cases[index], self.recipe)
                store_image(index, image)
                if self.mask_rows[index] >= 0:
                    store_mask(int(self.mask_rows[index]), mask)

            pool = stack.enter_context(ThreadPoolExecutor(os.cpu_count()))
            try:
                done = pool.map(store, range(len(self.cases)))
                list(tqdm(done, "Decoding", len(self.cases), unit="image", disable=not progress))
            except BaseException:
                pool.shutdown(cancel_futures=True)  # or an error, or Ctrl-C, would wait for all images
                raise


@contextmanager
def frame_file(path: Path, count: int, side: int) -> Iterator[Callable[[int, Frames], None]]:
    """Give a function that writes frame `index`, uint8 (side, side), of a new .npy file of `count` frames.

    It can be called from several threads. The room on the disk is taken first: a memory-mapped file would end the
    process with a signal where the disk is full.

    Raises:
        OSError: there is no room on the disk.
    """
    lock, header = threading.Lock(), _header(count, side)
    with path.open("wb") as stream:
        stream.write(header)
        _reserve(stream, len(header) + count * side * side)

        def write(index: int, frame: Frames) -> None:
            with lock:
                stream.seek(len(header) + index * side * side)
                stream.write(frame.tobytes())
                stream.flush()

        yield write
        os.fsync(stream.fileno())


def _header(count: int, side: int) -> bytes:
    """The first bytes of a .npy file of uint8 (count, side, side)."""
    stream = io.BytesIO()
    facts = {"descr": "|u1", "fortran_order": False, "shape": (count, side, side)}
    np.lib.format.write_array_header_1_0(stream, facts)
    return stream.getvalue()


def _opened(path: Path, count: int, side: int) -> Frames:
    """The array of a .npy file, memory-mapped.

    Raises:
        ValueError: it is no such file, or has another size: touching what is missing would end the process.
        OSError: the file is missing or cannot be read.
    """
    header = _header(count, side)
    with path.open("rb") as stream:
        if stream.read(len(header)) != header or path.stat().st_size != len(header) + count * side * side:
            raise ValueError(f"{path} is not as it was written")
        return np.memmap(stream, np.uint8, "r", len(header), (count, side, side))


def _reserve(stream: BinaryIO, size: int) -> None:
    """Make a file `size` bytes long, with all of its room on the disk."""
    stream.flush()
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(stream.fileno(), 0, size)
    else:  # Windows and macOS
        stream.truncate(size)


def _stamp(path: Path | None) -> list[str | int] | None:
    """Path, size and time of a file, which change when the file does.

    None stands for an image read as normal, which has no mask file but counts in the mean mask. It also stands for a
    missing file, which `model_frame` reports.
    """
    if path is None or not path.is_file():
        return None
    status = path.stat()
    return [str(path), status.st_size, status.st_mtime_ns]


def model_frame(case: Case, recipe: InputRecipe) -> tuple[Frames, Frames]:
    """One case in the model's frame: the image and the mean mask over readers, each uint8 (S, S).

    Raises:
        RadiographError, AnnotationError: a file cannot be read.
    """
    radiograph = decode(case.image)
    masks = [a.mask for a in case.annotations(radiograph.size)] or [np.zeros(radiograph.size, np.bool_)]
    mean = np.asarray(np.mean(masks, axis=0), np.float32)
    return to_model(radiograph.pixels, recipe), mask_to_model(mean, recipe.size)
