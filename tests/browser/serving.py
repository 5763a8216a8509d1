"""`python app.py` in its own process, for the tests that need a served viewer."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.paths import ROOT
from tests.ports import free_port

EXIT_SECONDS = 600  # only a viewer that hangs takes longer, on a busy machine too


@contextmanager
def served(checkpoint: Path, *options: str) -> Iterator[str]:
    """Yield the address that `python app.py` prints; afterwards Ctrl-C must end it with status 0."""
    port = str(free_port())
    process = subprocess.Popen(
        [sys.executable, "app.py", "--checkpoint", str(checkpoint), "--device", "cpu", *options],
        cwd=ROOT,
        env={**os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": port},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = f"http://127.0.0.1:{port}/"
    try:
        assert any(f"is at {address} -" in line for line in process.stdout), "app.py ended without its address"
        yield address
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=EXIT_SECONDS) == 0
    finally:
        process.kill()
        process.communicate()
