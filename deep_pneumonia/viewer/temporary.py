"""The one folder in which a viewer keeps all that is temporary, so that nothing of a visitor stays.

It holds uploads, pages' own work lists and scratch files of every library. A stop deletes it, SIGTERM included. A kill
(SIGKILL, a power cut) cannot; the next start then does, because a viewer that runs holds a lock on its folder.
"""

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.partial_files import locked_folder
from deep_pneumonia.viewer.guard.owners import sweep

PREFIX = "deep-pneumonia-viewer-"
SWEEP_SECONDS = 300.0
LIFETIME_SECONDS = 1800.0  # of an upload
VARIABLES = ("GRADIO_TEMP_DIR", "TMPDIR")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Have this process and Gradio keep temporary files in a new folder, delete old uploads there, and in the end all.

    The folder lies in `GRADIO_TEMP_DIR` if that is set, else in the system's folder for temporary files.

    Raises:
        DeepPneumoniaError: that place cannot be written to.
    """
    before = {name: os.environ.get(name) for name in VARIABLES}
    parent = Path(before["GRADIO_TEMP_DIR"] or tempfile.gettempdir())
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder, lock = locked_folder(PREFIX, parent)
    except OSError as error:
        raise DeepPneumoniaError(
            f"{parent} cannot hold temporary files ({error.strerror}); set GRADIO_TEMP_DIR to another folder."
        ) from error
    uploads, scratch = folder / "uploads", folder / "scratch"
    uploads.mkdir()
    scratch.mkdir()
    stopping = threading.Event()
    sweeper = threading.Thread(target=_sweep, args=(uploads, stopping), name="upload sweeper", daemon=True)
    sweeper.start()
    os.environ.update(GRADIO_TEMP_DIR=str(uploads), TMPDIR=str(scratch))
    tempfile.tempdir = str(scratch)
    try:
        yield folder
    finally:
        stopping.set()
        sweeper.join()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        tempfile.tempdir = None
        _delete(folder)
        if lock is not None:
            os.close(lock)


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end the program as Ctrl-C does."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # only there a program may listen for signals
        yield
        return
    numbers = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None))]  # one on Windows
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _delete(folder: Path) -> None:
    """Delete a folder, again if an upload that is just arriving added to it meanwhile."""
    for _ in range(10):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return


def _sweep(uploads: Path, stopping: threading.Event) -> None:
    while not stopping.wait(SWEEP_SECONDS):
        sweep(uploads, time.time() - LIFETIME_SECONDS)
