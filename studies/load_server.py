"""The viewer in a process of its own for `studies.load`, and the memory of that process with all its children."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

from deep_pneumonia.errors import DeepPneumoniaError

ROOT = Path(__file__).parent.parent
EXIT_SECONDS = 60


class Server:
    """`python app.py` on a free port, as a context manager; its log is a file in `folder`."""

    def __init__(self, checkpoint: str, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.log, self.text = folder / "server.log", ""  # what it holds in the end
        environment = {**os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
        self.process = subprocess.Popen(
            [sys.executable, "app.py", "--checkpoint", checkpoint, "--device", "cpu"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._started = threading.Event()
        self._reader = threading.Thread(target=self._copy, daemon=True)

    def _copy(self) -> None:
        assert self.process.stdout is not None
        with self.log.open("wb") as log:
            for line in self.process.stdout:
                log.write(line)
                log.flush()
                if b"is at http" in line:
                    self._started.set()
        self._started.set()

    def __enter__(self) -> Server:
        self._reader.start()
        self._started.wait()
        if not self.is_running:
            raise DeepPneumoniaError(f"The viewer does not start: {self.log.read_text()[-300:].strip()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.text = self.log.read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process.poll() is None

    def memory(self) -> int:
        """Bytes of memory of the process and all its descendants, each shared page once for each of them."""
        return sum(_resident(pid) for pid in descendants(self.process.pid))


def descendants(pid: int) -> list[int]:
    """A process and all processes below it."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:  # it has just ended
                continue
    return found


def _resident(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    return int(found[1]) * 1024 if found else 0
