"""Partial files: hidden, held by a lock, taken over from a killed process, and swept."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deep_pneumonia import partial_files
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.files import check_new_file, check_new_folder, whole, write_bytes, write_json
from deep_pneumonia.partial_files import partial_file, partial_folder, sweep
from tests.full_disk import room_for
from tests.paths import ROOT

KILLED = """
import os, signal, sys
from pathlib import Path
from deep_pneumonia.partial_files import partial_file, partial_folder
with partial_file(Path(sys.argv[1]) / "a.txt") as file, partial_folder(Path(sys.argv[1]) / "b") as folder:
    file.write_text("half")
    (folder / "c.txt").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.fixture
def leftovers(tmp_path: Path) -> Path:
    """A folder in which a process was killed while it wrote a file and a folder."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert names(tmp_path) == [".a.txt.partial", ".b.partial"]
    return tmp_path


def test_a_leftover_is_taken_over_and_emptied(leftovers: Path) -> None:
    with partial_file(leftovers / "a.txt") as file, partial_folder(leftovers / "b") as folder:
        assert (file.name, file.read_text()) == (".a.txt.partial", "")
        assert (folder.name, names(folder)) == (".b.partial", [])
    assert names(leftovers) == []


def test_what_is_being_written_is_not_swept_and_not_shared(leftovers: Path) -> None:
    with partial_file(leftovers / "a.txt") as first, partial_file(leftovers / "a.txt") as second:
        first.write_text("1")
        sweep(leftovers)
        assert names(leftovers) == [".a.txt.2.partial", ".a.txt.partial"], "the folder of the killed one is gone"
        second.replace(leftovers / "a.txt")
        assert first.read_text() == "1"
    assert names(leftovers) == ["a.txt"]


def test_a_name_that_another_writer_took_after_a_rename_stays(tmp_path: Path) -> None:
    with partial_file(tmp_path / "a") as first:
        first.replace(tmp_path / "a")
        other = partial_file(tmp_path / "a")
        assert other.__enter__() == first
    assert names(tmp_path) == [".a.partial", "a"]
    other.__exit__(None, None, None)
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("locks", ["none", "refused"])
def test_without_locks_names_are_random_and_nothing_is_swept(
    locks: str, leftovers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    if locks == "none":
        monkeypatch.setattr(partial_files, "fcntl", None)
    else:
        monkeypatch.setattr(partial_files.fcntl, "flock", refused)
    sweep(leftovers)
    assert names(leftovers) == [".a.txt.partial", ".b.partial"]
    with partial_file(leftovers / "x") as one, partial_file(leftovers / "x") as two, partial_folder(leftovers / "y"):
        assert one != two
        write_json([1], leftovers / "z.json")
    assert names(leftovers) == [".a.txt.partial", ".b.partial", "z.json"]


def test_a_full_disk_is_one_sentence_and_leaves_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_bytes(b"before", path)
    with room_for(4096), pytest.raises(DeepPneumoniaError, match=r"a\.bin cannot be written, as there is no room left"):
        write_bytes(b"0" * 5000, path)
    assert path.read_bytes() == b"before"
    write_bytes(b"after", path, flush=True)
    assert (path.read_bytes(), names(tmp_path)) == (b"after", ["a.bin"])


def test_an_error_without_a_reason_of_the_system_is_told_too(tmp_path: Path) -> None:
    with pytest.raises(DeepPneumoniaError, match=r"a cannot be written \(encoder error -2\); choose another place"):
        _fail(tmp_path / "a", OSError("encoder error -2"))
    with pytest.raises(DeepPneumoniaError, match=r"\(OSError\)"):
        _fail(tmp_path / "a", OSError())
    assert names(tmp_path) == []


def _fail(path: Path, error: OSError) -> None:
    with whole(path):
        raise error


def test_places_are_checked_before_the_work_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    check_new_file(tmp_path / "a.json")
    check_new_folder(tmp_path)
    check_new_folder(tmp_path / "a" / "b")
    for check, place, words in (
        (check_new_file, "a/b.json", "no folder; make it"),
        (check_new_file, "", "is a folder; give the name of a file"),
        (check_new_file, "file/a.json", "no folder; make it"),
        (check_new_file, "a\0.json", "cannot be the name of a file"),
        (check_new_folder, "file", "is a file; choose another place"),
        (check_new_folder, "file/a/b", "is a file; choose another place"),
        (check_new_folder, "\ud800", "cannot be the name of a file"),
    ):
        with pytest.raises(DeepPneumoniaError, match=words):
            check(tmp_path / place)
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root, who may write anywhere
    for check in (check_new_file, check_new_folder):
        with pytest.raises(DeepPneumoniaError, match="is write-protected; choose another place"):
            check(tmp_path / "a")
    assert names(tmp_path) == ["file"]
