"""Read radiographs and masks of unknown origin in a process of its own, which `reading_apart` starts.

A line of JSON on stdin asks for one file; the answer on stdout is a line of JSON, followed by as many bytes as it
states. The process ends with its stdin. Its memory is bounded, and the time of each request, so that a file which no
bound foresees ends this process and not the server.
"""

import json
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from deep_pneumonia.errors import AnnotationError, DeepPneumoniaError, TooLargeError
from deep_pneumonia.limits import MAX_DECODING_BYTES, MAX_DECODING_SECONDS
from deep_pneumonia.masks.any_format import looks_like_annotation, read_annotations
from deep_pneumonia.names import shown
from deep_pneumonia.radiographs.radiograph import decode

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

Answer = tuple[dict[str, Any], bytes | memoryview]


def _radiograph(request: dict[str, Any]) -> Answer:
    found = decode(request["path"])
    stated = {"size": found.size, "spacing_mm": found.spacing_mm, "source": found.source, "colour": found.colour}
    return stated, np.ascontiguousarray(found.pixels).data.cast("B")


def _masks(request: dict[str, Any]) -> Answer:
    options = {name: request[name] for name in ("name", "radiograph", "readers")}
    found = read_annotations(request["path"], tuple(request["size"]), **options)
    packed = b"".join(np.packbits(a.mask).tobytes() for a in found)
    return {"readers": [a.reader for a in found], "kinds": [a.kind for a in found]}, packed


def _looks(request: dict[str, Any]) -> Answer:
    return {"looks": looks_like_annotation(request["path"])}, b""


ANSWERS: dict[str, Callable[[dict[str, Any]], Answer]] = {"radiograph": _radiograph, "masks": _masks, "looks": _looks}


def answer(request: dict[str, Any]) -> Answer:
    """The answer to a request, or its error by the name of its class."""
    try:
        return ANSWERS[request["what"]](request)
    except DeepPneumoniaError as error:
        return {"error": type(error).__name__, "text": str(error)}, b""
    except MemoryError:
        kind = AnnotationError if request["what"] == "masks" else TooLargeError
        text = f"{shown(request['path'])} needs more memory than allowed; export a smaller copy."
        return {"error": kind.__name__, "text": text}, b""


def _allow_seconds(seconds: int) -> None:
    """Allow so many more seconds of CPU time; the system ends the process that takes more."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        soft = int(used.ru_utime + used.ru_stime) + seconds + 1
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))


def main() -> None:
    """Answer requests until stdin ends."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (int(MAX_DECODING_BYTES), int(MAX_DECODING_BYTES)))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out: BinaryIO = sys.stdout.buffer
    sys.stdout = sys.stderr  # so that nothing else is written between the answers
    for line in sys.stdin.buffer:
        _allow_seconds(int(MAX_DECODING_SECONDS))
        stated, data = answer(json.loads(line))
        out.write(json.dumps(stated | {"bytes": len(data)}).encode() + b"\n")
        out.write(data)
        out.flush()
        del data


if __name__ == "__main__":
    main()
