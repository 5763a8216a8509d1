"""Tensors in safetensors files, which hold no code: written whole or not at all, and never pickled."""

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.files import why_unwritten
from deep_pneumonia.partial_files import partial_folder


def write_tensors(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Write contiguous tensors, on the CPU and without shared memory, by their names.

    Raises:
        DeepPneumoniaError: the file cannot be written, as on a full disk. An earlier file at `path` stays.
    """
    try:
        # safetensors writes a temporary file of its own beside the target, which stays when the process is killed.
        with partial_folder(path) as folder:
            save_file(dict(tensors), folder / path.name)
            (folder / path.name).replace(path)
    except (OSError, SafetensorError) as error:
        raise DeepPneumoniaError(why_unwritten(path.name, _as_os_error(error))) from error


def _as_os_error(error: Exception) -> OSError:
    """safetensors tells the system's error only in its text: "... No space left on device (os error 28)"."""
    if isinstance(error, OSError):
        return error
    found = re.search(r"os error (\d+)", str(error))
    number = int(found[1]) if found else errno.EIO
    return OSError(number, os.strerror(number))


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file by their names, on the CPU.

    Raises:
        OSError, SafetensorError: the file is missing, cut short or no safetensors file.
    """
    return load_file(path)
