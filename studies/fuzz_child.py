"""The process in which `studies.fuzz` tries inputs, so that a crash or a hang ends it and not the run."""

from __future__ import annotations

import os
import re
import resource
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from studies.fuzz_checks import BrokenError
from studies.fuzz_kinds import KINDS, warm_up

MAX_MESSAGE = 1000  # characters of a sentence
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\([^)]*\)")
SERVER_PATHS = re.compile(r"/(tmp|work|home|root|usr|var)/|site-packages|0x[0-9a-f]{6,}|<[a-z_.]+ object|Traceback")


@dataclass(frozen=True)
class Outcome:
    """What an input led to.

    accepted: True, False for refused, None if neither. finding: what is wrong, "" if nothing. place: where, to group
    equal findings. mebibytes: growth of memory. seconds: of CPU, with those of child processes.
    """

    accepted: bool | None
    finding: str = ""
    place: str = ""
    detail: str = ""
    mebibytes: float = 0.0
    seconds: float = 0.0


def serve(connection: Connection, log: str) -> None:
    """Try each (kind, bytes) that comes through the connection, and send back its Outcome, until None comes."""
    stream = os.open(log, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_APPEND)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    for category in (UserWarning, RuntimeWarning):
        warnings.simplefilter("always", category)
    warm_up()
    connection.send("ready")
    while (job := connection.recv()) is not None:
        connection.send(tried(*job, stream))


def tried(kind: str, data: bytes, log: int) -> Outcome:
    """Try one input, and measure it."""
    before = os.fstat(log).st_size
    _reset_peak()
    start, resident = _cpu_seconds(), _status("VmRSS")
    accepted, finding, place, detail = _judged(kind, data)
    sys.stdout.flush()
    sys.stderr.flush()
    mebibytes, seconds = max(0.0, _status("VmHWM") - resident) / 2**20, _cpu_seconds() - start
    if not finding and os.fstat(log).st_size > before:
        text = os.pread(log, 2000, before).decode(errors="replace")
        finding, place, detail = "written to the log", re.sub(r"[0-9]+", "N", text.splitlines()[0][:60]), text
    return Outcome(accepted, finding, place, detail, mebibytes, seconds)


def _judged(kind: str, data: bytes) -> tuple[bool | None, str, str, str]:
    from deep_pneumonia.errors import DeepPneumoniaError

    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        try:
            KINDS[kind].check(data, Path(folder))
        except DeepPneumoniaError as error:
            wrong = sentence_problem(str(error), folder)
            return False, wrong, type(error).__name__ if wrong else "", str(error)
        except BrokenError as error:
            return True, "broken promise", str(error), str(error)
        except BaseException as error:
            return None, f"raised {type(error).__name__}", _last_line(error), traceback.format_exc()[-3000:]
    return True, "", "", ""


def sentence_problem(text: str, given: str = "") -> str:
    """Why a message is not one plain sentence without paths of the machine; "" if it is. `given`: the user's folder."""
    plain = text.replace(given, "") if given else text
    if not text.endswith(".") or "\n" in text or not text.isprintable():
        return "message is not one line with a full stop"
    if len(text) > MAX_MESSAGE:
        return "message is long"
    if SERVER_PATHS.search(plain):
        return "message has a path or an object of the program"
    if re.search(r"[.!?] [A-Z]", QUOTED.sub("", plain)):
        return "message is several sentences"
    return ""


def _last_line(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "/deep_pneumonia/" in f.filename] or frames
    return f"{Path(own[-1].filename).name}:{own[-1].name}"


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")  # VmHWM counts anew


def _status(key: str) -> int:
    text = Path("/proc/self/status").read_text()
    return int(re.search(rf"{key}:\s+(\d+) kB", text)[1]) * 1024  # type: ignore[index]


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used) if used else time.process_time()
