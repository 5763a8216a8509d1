"""Uploads: each visitor's own, gone when they are refused or cut off, and limited by visitor."""

import hashlib
import os
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from deep_pneumonia.viewer.guard import owners
from deep_pneumonia.viewer.guard.owners import OWNERS, sweep
from tests.guarded_viewer import API, WAIT_SECONDS, Served, filedata

UPLOAD = f"{API}/upload"


def files(served: Served) -> set[Path]:
    return {path for path in served.uploads.rglob("*") if path.is_file()}


def waited_for(served: Served, wanted: set[Path]) -> None:
    """Wait until exactly these files are there: the server ends a request that was cut off when it notices."""
    until = time.monotonic() + WAIT_SECONDS
    while files(served) != wanted:
        assert time.monotonic() < until, files(served) ^ wanted
        time.sleep(0.05)


def multipart(content: bytes) -> tuple[bytes, str]:
    request = httpx.Request("POST", "http://x", files={"files": ("chest.png", content)})
    return request.read(), request.headers["content-type"]


def test_one_visitor_cannot_fetch_or_use_what_another_uploaded(served: Served, radiograph: bytes) -> None:
    ana, ben = served.page(), served.page()
    own = ana.client.post(UPLOAD, files={"files": ("chest.png", radiograph)}).json()[0]
    assert ana.client.get(f"{API}/file={own}").content == radiograph
    assert ben.client.get(f"{API}/file={own}").status_code == 403
    assert served.ask("GET", f"{API}/file={own}").status_code == 403
    assert "is not a file that was uploaded" in served.call("predict", [filedata(own), []])
    added = ben.client.post(f"{API}/component_server", json=ben.request("add", files=[{"path": own, "name": "a.png"}]))
    assert "A file is gone" in added.json()["problem"]
    around = own.replace(str(served.uploads), f"{served.uploads}/../uploads/./x/..")
    assert ben.client.get(f"{API}/file={around}").status_code == 403


def test_who_has_a_file_cannot_ask_whether_another_uploaded_it(served: Served, radiograph: bytes) -> None:
    first, second = (served.upload(radiograph).json()[0] for _ in range(2))
    assert first != second, "the same file lies in two places"
    digest = hashlib.sha256(radiograph).hexdigest()
    assert served.page().client.get(f"{API}/file={served.uploads}/{digest}/chest.png").status_code == 403


def test_a_program_uploads_and_never_fetches(served: Served, radiograph: bytes) -> None:
    path = served.upload(radiograph).json()[0]
    assert served.ask("GET", f"{API}/file={path}").status_code == 403
    assert served.page().client.get(f"{API}/file={path}").status_code == 403


def test_nothing_stays_of_an_upload_that_is_cut_off(served: Served, radiograph: bytes) -> None:
    before = files(served)
    body, kind = multipart(radiograph * 4)
    place = urlsplit(served.address)
    head = (
        f"POST {UPLOAD} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((place.hostname, place.port)) as connection:
        connection.sendall(head.encode() + body[: len(body) // 2])
        until = time.monotonic() + WAIT_SECONDS
        while files(served) == before:  # its first half has arrived
            assert time.monotonic() < until
            time.sleep(0.01)
    waited_for(served, before)
    until = time.monotonic() + WAIT_SECONDS
    while served.lines[-1].get("refused") != "aborted":
        assert time.monotonic() < until, served.lines[-3:]
        time.sleep(0.01)


@pytest.mark.parametrize("name", ["missing boundary", "no name", "not multipart"])
def test_nothing_stays_of_an_upload_that_is_refused(served: Served, radiograph: bytes, name: str) -> None:
    before = files(served)
    body, kind = multipart(radiograph)
    if name == "missing boundary":
        kind = "multipart/form-data"
    elif name == "no name":
        body = body + body.replace(b'; name="files"', b"")
        body = body.replace(b"--\r\n--", b"\r\n--")
    else:
        body = b"\0" * 1000
    answer = served.ask("POST", UPLOAD, content=body, headers={"content-type": kind})
    assert answer.status_code in (400, 413)
    waited_for(served, before)


def test_an_upload_says_its_length(served: Served, radiograph: bytes) -> None:
    body, kind = multipart(radiograph)
    answer = served.ask("POST", UPLOAD, content=iter([body]), headers={"content-type": kind})
    assert (answer.status_code, answer.json()["detail"]) == (411, "Send an upload with its Content-Length.")


def test_a_visitor_who_holds_too_much_is_told_to_come_later(
    served: Served, radiograph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OWNERS, "_held", {})
    monkeypatch.setattr(owners, "MAX_UPLOADS_BYTES", 3 * owners.MIN_UPLOAD_BYTES)
    assert [served.upload(b"x").status_code for _ in range(3)] == [200, 200, 200]
    before = files(served)
    answer = served.upload(radiograph)
    assert answer.status_code == 400
    assert "uploads are deleted within the hour, try again later" in answer.text
    assert files(served) == before


def test_a_disk_that_is_nearly_full_takes_no_upload(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "MIN_FREE_BYTES", 2**60)
    assert "disk is nearly full; try again later" in served.upload(b"x").text


def test_the_sweep_leaves_what_is_new(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name / "digest").mkdir(parents=True)
        (tmp_path / name / "digest" / "chest.png").write_bytes(b"x")
    (tmp_path / "stray").write_bytes(b"")
    for place in [tmp_path / "stray", tmp_path / "old", *(tmp_path / "old").rglob("*")]:
        os.utime(place, (1000, 1000))
    (tmp_path / "new").touch()
    sweep(tmp_path, 2000)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    sweep(tmp_path / "missing", 2000)
