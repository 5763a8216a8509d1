"""What the benchmarks in a browser share: Chromium, `app.py` in its own process, a peer in Gradio, times as text."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import gradio as gr
from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).parent.parent


def chromium(playwright: Playwright) -> Browser:
    """A headless Chromium; ends the program with a sentence if none is installed."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        sys.exit("error: Chromium was not found, and this benchmark needs it; apt-get install chromium.")
    return playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


@contextmanager
def served(*options: str) -> Iterator[str]:
    """The address of `python app.py` on the CPU in its own process, with further options."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = {**os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": port}
    command = [sys.executable, "app.py", "--device", "cpu", *options]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line, address = process.stdout.readline(), f"http://127.0.0.1:{port}/"
        assert address.rstrip("/") in line or "is at" in line, f"app.py did not print its address but: {line!r}"
        yield address
    finally:
        process.kill()
        process.communicate()


@contextmanager
def served_blocks(blocks: gr.Blocks) -> Iterator[str]:
    """The address of a page of Gradio's own components, served by this process."""
    _, address, _ = blocks.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, share=False)
    try:
        yield address
    finally:
        blocks.close(verbose=False)


def summary(times: Sequence[float]) -> str:
    """Median and range of times in milliseconds as text."""
    return f"{median(times):.0f} ms (median of {len(times)}; {min(times):.0f} to {max(times):.0f})"


def verdict(times: Sequence[float], target: float) -> str:
    """Whether the median of times meets a target, all in milliseconds."""
    return "met" if median(times) <= target else f"missed by {median(times) - target:.0f} ms"
