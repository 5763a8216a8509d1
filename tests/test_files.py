"""Files: read within a bound, hashed in one way, written whole or not at all."""

import hashlib
import math
import os
import re
from pathlib import Path

import pytest

from deep_pneumonia.errors import AnnotationError, DeepPneumoniaError, TooLargeError, UnreadableFileError
from deep_pneumonia.files import read_bytes, sha256, whole, write_json


def test_a_file_its_bytes_and_a_view_of_them_have_one_digest(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(data)
    assert sha256(tmp_path / "a") == sha256(data) == sha256(memoryview(data)) == hashlib.sha256(data).hexdigest()
    with pytest.raises(FileNotFoundError):
        sha256(tmp_path / "b")


def test_a_file_is_read_up_to_the_limit_and_no_further(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_bytes(tmp_path / "a", error=AnnotationError, limit=5) == b"12345"
    assert read_bytes(b"12345", error=AnnotationError, limit=5) == b"12345"
    for file in (tmp_path / "a", b"12345"):
        with pytest.raises(TooLargeError, match=r"a\.png has more than 4 bytes; choose a smaller file"):
            read_bytes(file, "a.png", error=AnnotationError, too_large=TooLargeError, limit=4)
    with (tmp_path / "sparse").open("wb") as stream:
        stream.truncate(2**40)  # a terabyte that takes no room on the disk and would not fit into memory
    with pytest.raises(AnnotationError, match="sparse has more than 64 MiB"):
        read_bytes(tmp_path / "sparse", error=AnnotationError)


@pytest.mark.parametrize(
    ("name", "words"),
    [("absent", "does not exist"), (".", "is a folder"), ("pipe", "is a folder or a device"),
     ("a\0b", "cannot be read"), ("empty", "is empty")],
)  # fmt: skip
def test_an_unreadable_file_raises_the_callers_error_and_names_the_file_as_asked(
    name: str, words: str, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    with pytest.raises(UnreadableFileError, match=f"^my scan {words}"):
        read_bytes(tmp_path / name, "my scan", error=UnreadableFileError)
    with pytest.raises(UnreadableFileError, match=re.escape(str(tmp_path / name))):
        read_bytes(tmp_path / name, error=UnreadableFileError)


def test_a_file_is_replaced_only_when_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json({"a": 1}, path)
    with pytest.raises(ValueError, match="JSON"):
        write_json({"a": math.nan}, path)
    with pytest.raises(ZeroDivisionError), whole(path) as partial:
        partial.write_text(str(1 / 0))
    assert path.read_text() == '{\n "a": 1\n}\n'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("path", ["missing/a.json", "/"])
def test_a_place_that_cannot_be_written_is_named(path: str, tmp_path: Path) -> None:
    with pytest.raises(DeepPneumoniaError, match=r"cannot be written|is a folder"):
        write_json([], tmp_path / path)
