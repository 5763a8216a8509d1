"""A viewer's temporary folder: nothing of it outlives a stop, and the next start deletes what a kill left."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.viewer.temporary import PREFIX, temporary_folder
from tests.paths import ROOT
from tests.ports import free_port

WAIT_SECONDS = 600.0  # a limit for what never comes, on a busy machine too
HALF = b"\x89PNG" + b"\0" * 400_000


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "parent"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path / "parent"


def test_all_temporary_files_lie_in_one_folder_that_is_deleted(parent: Path) -> None:
    with temporary_folder() as folder:
        assert folder.parent == parent
        assert Path(os.environ["GRADIO_TEMP_DIR"]).parent == folder
        assert Path(tempfile.gettempdir()).parent == folder
        assert Path(os.environ["TMPDIR"]) == Path(tempfile.gettempdir())
        (folder / "uploads" / "chest.png").write_bytes(b"x")
    assert list(parent.iterdir()) == []
    assert os.environ["GRADIO_TEMP_DIR"] == str(parent)
    assert not Path(tempfile.gettempdir()).is_relative_to(parent)


def test_a_start_deletes_what_a_killed_viewer_left_and_nothing_else(parent: Path) -> None:
    for name in (f"{PREFIX}deadline", "other", f"{PREFIX}of-somebody", "deep-pneumonia-20261130"):
        (parent / name).mkdir(parents=True)
    (parent / f"{PREFIX}deadline" / "chest.png").touch()
    (parent / f"{PREFIX}linklink").symlink_to(parent / "other")
    with temporary_folder() as first, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(parent))
        with temporary_folder() as second:
            kept = {"other", f"{PREFIX}of-somebody", "deep-pneumonia-20261130", f"{PREFIX}linklink"}
            assert {path.name for path in parent.iterdir()} == {*kept, first.name, second.name}


def test_a_place_that_cannot_hold_files_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "file"))
    with (
        pytest.raises(DeepPneumoniaError, match=r"file cannot hold temporary files .* set GRADIO_TEMP_DIR"),
        temporary_folder(),
    ):
        pass


@contextmanager
def viewer(parent: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`python app.py` in a process of its own, and its address."""
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(parent), "GRADIO_SERVER_PORT": str(free_port())}
    process = subprocess.Popen(
        [sys.executable, "app.py", "--device", "cpu"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "is at" in line)
        yield process, line.split()[4]
    finally:
        process.kill()
        process.communicate()


def files(parent: Path) -> list[Path]:
    return [path for path in parent.rglob("*") if path.is_file()]


def half_an_upload(address: str, parent: Path) -> socket.socket:
    """A connection whose upload has arrived by half."""
    place = urlsplit(address)
    connection = socket.create_connection((place.hostname, place.port))
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {3 * len(HALF)}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    )
    part = '--b\r\nContent-Disposition: form-data; name="files"; filename="chest.png"\r\n\r\n'
    connection.sendall(head.encode() + part.encode() + HALF)
    until = time.monotonic() + WAIT_SECONDS
    while not any(path.stat().st_size for path in (parent).rglob("uploads/*/tmp*")):
        assert time.monotonic() < until, files(parent)
        time.sleep(0.05)
    return connection


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_during_an_upload_leaves_nothing(parent: Path, number: signal.Signals) -> None:
    with viewer(parent) as (process, address), half_an_upload(address, parent):
        process.send_signal(number)
        assert process.wait(timeout=WAIT_SECONDS) == 0
    assert list(parent.iterdir()) == []


@pytest.mark.slow
def test_a_kill_leaves_files_until_the_next_start(parent: Path) -> None:
    with viewer(parent) as (process, address), half_an_upload(address, parent):
        process.kill()
        process.wait(timeout=WAIT_SECONDS)
    assert files(parent)
    with temporary_folder() as folder:
        assert list(parent.iterdir()) == [folder]
