"""Loaded at the start of a watched Python: it refuses what leaves this machine, and notes that and every file written.

Stands in the fresh environment beside a `.pth` file that imports it, so that child processes are watched too. The
notes go to the file that the variable GUARD_NOTES names, a line each: "network" or "wrote", and where to.
"""

import os
import sys
from pathlib import Path

NOTES = os.environ.get("GUARD_NOTES")
HERE = {"", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook (PEP 578): it sees what the interpreter is about to do, and may refuse it by raising."""
    if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        reached(arguments[0])
    elif event in {"socket.connect", "socket.sendto"}:
        if isinstance(arguments[1], tuple):  # else the path of a socket on this machine
            reached(arguments[1][0])
    elif (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING) or event == "os.mkdir":
        written(arguments[0])
    elif event == "os.rename":
        written(arguments[1])


def reached(host: object) -> None:
    """Note and refuse a host that is not this machine."""
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    if name not in HERE:
        note(f"network {name}")
        raise OSError(f"Nothing beyond this machine may be reached here, but {name} was asked for.")


def written(place: object) -> None:
    """Note a path; a bare descriptor was opened before, and noted then."""
    if isinstance(place, str | bytes | os.PathLike):
        note(f"wrote {Path(os.fsdecode(place)).absolute()}")


def note(line: str) -> None:
    """One line more in the notes; written to a descriptor, for opening a file here would be noted in turn."""
    os.write(DESCRIPTOR, f"{line}\n".encode())


if NOTES:
    DESCRIPTOR = os.open(NOTES, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sys.addaudithook(watch)
