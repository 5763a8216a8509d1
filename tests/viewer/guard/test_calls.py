"""Wrong calls of the endpoints get one sentence, and no call makes the server reach for an address."""

import socket
from typing import Any

import pytest
from gradio.queueing import Queue

from deep_pneumonia.limits import MAX_SESSIONS, MAX_WAITING
from deep_pneumonia.viewer.guard.middleware import BUSY
from tests.guarded_viewer import API, Served, filedata

URL = "http://no.such.example/chest.png"


@pytest.fixture
def chest(served: Served, radiograph: bytes) -> dict[str, Any]:
    """An uploaded radiograph, as a program names it."""
    return filedata(served.upload(radiograph).json()[0])


@pytest.fixture(autouse=True)
def nothing_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = socket.getaddrinfo

    def watched(host: Any, *given: Any, **options: Any) -> Any:
        assert host in ("127.0.0.1", b"127.0.0.1"), f"{host} was looked up"
        return plain(host, *given, **options)

    monkeypatch.setattr(socket, "getaddrinfo", watched)


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("predict", ["chest.png", []], "file must be a file, not text; upload it with gradio_client.handle_file"),
        ("predict", [7, []], "file must be a file, not a number"),
        ("predict", [{"path": 7}, []], "file must be a file, not one object"),
        ("predict", ["CHEST", "doctor.png"], "masks must be a list of files, not text; send [] for none"),
        ("predict", ["CHEST", "CHEST"], "masks must be a list of files, not one object"),
        ("predict", ["CHEST", ["doctor.png"]], "masks must be a file, not text"),
        ("predict", ["CHEST"], "1 arguments were sent, but 2 are needed: file, masks"),
        ("predict", [filedata(URL), []], "file is an address; this server fetches nothing"),
        ("predict", [filedata("HTTPS" + URL[4:]), []], "file is an address"),
        ("predict", ["CHEST", [filedata(URL)]], "masks is an address"),
        ("agreement", ["CHEST", [], [{"deep": [filedata(URL)]}]], "drawings is an address"),
        ("compare", ["CHEST", [], filedata(URL), "random", None], "a is an address"),
        ("predict", [filedata("/etc/passwd"), []], "file is not a file that was uploaded to this server"),
        ("predict", [filedata("\0"), []], "file is not a file that was uploaded"),
        ("agreement", ["CHEST", [], "text"], "Drawings must be a list"),
        ("predict", [None, []], "No file was sent"),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong_in_one_sentence(
    served: Served, chest: dict[str, Any], name: str, data: list[Any], sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = len(served.lines)
    answer = served.call(name, [chest if part == "CHEST" else part for part in data])
    assert "event: error" in answer
    assert sentence in answer
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""
    assert [line for line in served.lines[before:] if "fault" in line] == []


def test_whoever_finds_the_line_full_is_told_to_come_later(
    served: Served, chest: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Queue, "__len__", lambda _: MAX_WAITING)
    answer = served.ask("POST", f"{API}/call/predict", json={"data": [chest, []]})
    assert answer.status_code == 503
    assert answer.json() == {"detail": BUSY}
    assert answer.headers["retry-after"] == "60"
    assert capfd.readouterr() == ("", "")
    monkeypatch.undo()
    assert '"predicted"' in served.call("predict", [chest, []])


def test_a_right_call_is_answered(served: Served, chest: dict[str, Any]) -> None:
    assert '"predicted"' in served.call("predict", [chest, []])


def test_nothing_is_kept_of_a_call_once_it_is_answered(served: Served, chest: dict[str, Any]) -> None:
    holder = served.blocks.state_holder
    before = set(holder.session_data)
    assert '"predicted"' in served.call("predict", [chest, []])
    assert "event: error" in served.call("predict", [None, []])
    assert set(holder.session_data) == set(holder.time_last_used) == before
    assert holder.capacity == MAX_SESSIONS


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{API}/call/nothing", {"data": []}),
        (f"{API}/call/v2/nothing", {}),
        (f"{API}/queue/join", {"data": [], "fn_index": 10**6, "session_hash": "x"}),
        (f"{API}/queue/join", {"data": [], "fn_index": -1, "session_hash": "x"}),
    ],
)
def test_a_call_of_nothing_is_one_line_in_the_log(
    served: Served, path: str, body: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    before = len(served.lines)
    answer = served.ask("POST", path, json=body)
    assert answer.status_code == 500
    assert answer.json()["detail"].startswith("The server cannot use this request")
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""
    assert len([line for line in served.lines_after(before, 1) if "fault" in line]) == 1


def test_a_page_that_asks_for_an_unknown_element_is_one_line(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    page, before = served.page(), len(served.lines)
    answer = page.client.post(f"{API}/component_server", json={**page.request(), "component_id": 10**6})
    assert answer.status_code == 500
    assert answer.json()["detail"].startswith("The server cannot use this request")
    assert [line.get("fault") for line in served.lines_after(before, 1)] == ["KeyError"]
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""
