"""Read uploads in a few processes of their own.

A file that makes a decoder crash, hang or take gigabytes ends one of these processes: its visitor is told, the process
is started anew, and nobody else notices. Files of several visitors are read at the same time.
"""

from __future__ import annotations

import atexit
import io
import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from deep_pneumonia import errors
from deep_pneumonia.errors import AnnotationError, DeepPneumoniaError, NotARadiographError
from deep_pneumonia.limits import MAX_CASE_READERS, MAX_DECODERS, MAX_DECODING_SECONDS
from deep_pneumonia.masks.annotation import Annotation, Kind, Size
from deep_pneumonia.names import shown
from deep_pneumonia.radiographs.radiograph import Radiograph

COMMAND = (sys.executable, "-P", "-m", "deep_pneumonia.masks.reading_process")
PACKAGE_PARENT = str(Path(__file__).parents[2])
WAITING_FACTOR = 10  # seconds of a clock for each second of CPU, on a busy machine


class Worker:
    """One process, which is started when it is first needed, and again after it ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytearray]:
        """The answer to a request, and the bytes that follow it.

        Raises:
            EOFError: the process ended, or took too long and was ended.
        """
        process = self._started()
        timer = threading.Timer(WAITING_FACTOR * MAX_DECODING_SECONDS, process.kill)
        timer.daemon = True
        timer.start()
        try:
            return self._answered(process, request)
        except (OSError, ValueError) as error:
            raise EOFError from error
        finally:
            timer.cancel()
            if process.poll() is not None:
                self.close()

    def _answered(self, process: subprocess.Popen[bytes], request: dict[str, Any]) -> tuple[dict[str, Any], bytearray]:
        stdin, stdout = cast(BinaryIO, process.stdin), cast(io.BufferedReader, process.stdout)
        stdin.write(json.dumps(request).encode() + b"\n")
        stdin.flush()
        line = stdout.readline()
        if not line.endswith(b"\n"):
            process.wait()
            raise EOFError
        stated = json.loads(line)
        data = bytearray(stated["bytes"])
        if stdout.readinto(data) != len(data):
            process.wait()
            raise EOFError
        return stated, data

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            paths = [PACKAGE_PARENT, *filter(None, [os.environ.get("PYTHONPATH")])]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
            self._process = subprocess.Popen(  # noqa: S603  (no shell, no argument from outside)
                COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
                start_new_session=True,  # Ctrl-C is for the server, which ends this process
            )  # fmt: skip
        return self._process

    def close(self) -> None:
        """End the process; the next request starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError):  # what was not sent to it is lost with it
                    cast(BinaryIO, pipe).close()
            self._process = None


class Pool:
    """A few workers, each asked by one thread at a time; others wait."""

    def __init__(self, count: int) -> None:
        self._workers = [Worker() for _ in range(count)]
        self._idle: queue.LifoQueue[Worker] = queue.LifoQueue()  # the one used last is running already
        for worker in self._workers:
            self._idle.put(worker)

    def ask(self, request: dict[str, Any], failure: type[DeepPneumoniaError]) -> tuple[dict[str, Any], bytearray]:
        """The answer to a request about the file `path`, and the bytes that follow it.

        Raises:
            failure: the file made the process end.
            DeepPneumoniaError: the file cannot be read.
        """
        worker = self._idle.get()
        try:
            stated, data = worker.ask(request)
        except EOFError:
            raise failure(
                f"{shown(request['path'])} could not be read: it takes more than {MAX_DECODING_SECONDS} s or made its "
                "decoder stop; export it again, or a smaller copy."
            ) from None
        except OSError:  # no process can be started
            raise failure(f"{shown(request['path'])} cannot be read now, as the server is busy; try again.") from None
        finally:
            self._idle.put(worker)
        if "error" in stated:
            raise cast(type[DeepPneumoniaError], getattr(errors, stated["error"]))(stated["text"])
        return stated, data

    def close(self) -> None:
        """End all processes."""
        for worker in self._workers:
            worker.close()


POOL = Pool(MAX_DECODERS)
atexit.register(POOL.close)


def decode_apart(file: str | Path) -> Radiograph:
    """Decode a radiograph as `radiograph.decode` does, in a process of its own.

    Raises:
        RadiographError: as `decode`; NotARadiographError too if the file made the process end.
    """
    stated, data = POOL.ask({"what": "radiograph", "path": str(file)}, NotARadiographError)
    pixels = np.frombuffer(data, np.float32).reshape(stated["size"])
    pixels.setflags(write=False)
    spacing = stated["spacing_mm"]
    return Radiograph(pixels, tuple(spacing) if spacing else None, stated["source"], stated["colour"])


def read_apart(
    file: str | Path, size: Size, *, name: str, radiograph: str = "", readers: int = MAX_CASE_READERS
) -> list[Annotation]:
    """Read masks as `any_format.read_annotations` does, in a process of its own.

    Raises:
        AnnotationError: as `read_annotations`, and if the file made the process end.
    """
    request = {"what": "masks", "path": str(file), "size": size, "name": name, "radiograph": radiograph}
    stated, data = POOL.ask({**request, "readers": readers}, AnnotationError)
    packed = np.frombuffer(data, np.uint8).reshape(len(stated["readers"]), -(-size[0] * size[1] // 8))
    found = []
    for bits, reader, kind in zip(packed, stated["readers"], stated["kinds"], strict=True):
        mask = np.unpackbits(bits, count=size[0] * size[1]).view(np.bool_).reshape(size)
        mask.setflags(write=False)
        found.append(Annotation(mask, reader, cast(Kind, kind)))
    return found


def looks_apart(file: str | Path) -> bool:
    """Whether a file looks like an annotation, as `any_format.looks_like_annotation` says.

    False if the file made the process end.
    """
    try:
        return bool(POOL.ask({"what": "looks", "path": str(file)}, NotARadiographError)[0]["looks"])
    except DeepPneumoniaError:
        return False
