"""Requests that no page of the viewer sends: from other sites, under other names, of other types, without a token."""

import json
import socket

import httpx
import pytest

from deep_pneumonia.viewer.element import SCRIPTS
from tests.guarded_viewer import API, Served

ASKED = f"{API}/component_server"
FOREIGN = "http://other.example"
VERDICT = {"id": 1, "version": 0, "reviewer": "Mallory", "verdict": "agree", "comment": ""}


def last_refusal(served: Served) -> str:
    assert served.lines
    return str(served.lines[-1].get("refused"))


def test_a_page_reads_and_judges_the_shared_list(served: Served) -> None:
    """Else all that follows would be refused for another reason."""
    page = served.page()
    answer = page.client.post(ASKED, json=page.request("judge", **VERDICT))
    assert (answer.status_code, answer.json()["row"]["verdicts"]["Mallory"]["verdict"]) == (200, "agree")
    assert "rows" in page.client.post(ASKED, json=page.request(), headers={"origin": served.address.rstrip("/")}).json()


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": FOREIGN},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},  # another program of the same machine
        {"origin": "https://[broken"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    ],
)
def test_a_page_of_another_site_neither_judges_nor_reads(served: Served, headers: dict[str, str]) -> None:
    page = served.page()
    for kind in ("application/json", "text/plain"):
        sent = {**headers, "content-type": kind}
        answer = page.client.post(
            ASKED, content=httpx.Request("POST", FOREIGN, json=page.request()).content, headers=sent
        )
        assert (answer.status_code, last_refusal(served)) == (403, "origin")
        assert "access-control-allow-origin" not in answer.headers
    for path in (
        "/config",
        f"{API}/queue/data?session_hash=x",
        f"{API}/heartbeat/x",
        f"{API}/file=/x.png",
        f"{API}/info",
    ):
        assert page.client.get(path, headers=headers).status_code == 403


def test_preflights_of_another_site_are_not_granted(served: Served) -> None:
    asks = {"origin": FOREIGN, "access-control-request-method": "POST"}
    answer = served.ask("OPTIONS", ASKED, headers=asks)
    assert answer.status_code == 405
    assert [name for name in answer.headers if name.startswith("access-control-")] == []


def test_another_site_may_link_to_the_page(served: Served) -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert served.ask("GET", "/", headers=link).status_code == 200


@pytest.mark.parametrize("host", ["other.example", "other.example:80", "127.0.0.1.other.example", "", "[", "10.0.0.1"])
def test_another_name_reaches_nothing(served: Served, host: str) -> None:
    page = served.page()
    for method, path in (("GET", "/"), ("GET", "/config"), ("POST", ASKED), ("GET", "/metrics")):
        body = {"json": page.request()} if method == "POST" else {}
        answer = page.client.request(method, path, headers={"host": host}, **body)
        # An empty Host is malformed, which the server below the guard may say first.
        assert answer.status_code == 421
        assert last_refusal(served) == "host"


@pytest.mark.parametrize("host", ["localhost", "localhost:7860", "127.0.0.1", "[::1]:9", "LOCALHOST"])
def test_names_of_this_machine_reach_the_page(served: Served, host: str) -> None:
    assert served.ask("HEAD", "/", headers={"host": host}).status_code == 200


def test_forwarding_headers_of_nobody_in_particular_are_ignored(served: Served) -> None:
    sent = {"x-forwarded-host": "other.example", "x-forwarded-proto": "https", "x-gradio-server": FOREIGN}
    assert served.ask("GET", "/config", headers=sent).json()["root"] == served.address.rstrip("/")
    assert "other.example" not in served.ask("GET", "/", headers=sent).text


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_read_as_json(served: Served, kind: str) -> None:
    page = served.page()
    headers = {"content-type": kind} if kind else {}
    answer = page.client.post(ASKED, content=b"{}", headers=headers)
    assert (answer.status_code, last_refusal(served)) == (415, "type")


def test_the_shared_list_and_files_ask_for_a_token_of_the_page(served: Served) -> None:
    page = served.page()
    for token in ("", "0" * 32, f"{page.token[:-1]}{'0' if page.token[-1] != '0' else '1'}", "a.b", "é.é".encode()):
        answer = served.ask("POST", ASKED, json=page.request(), headers={"x-page-token": token})
        assert (answer.status_code, last_refusal(served)) == (403, "token")
    answer = page.client.post(ASKED, json=page.request()).json()
    page.client.post(ASKED, json=page.request("predict"))
    (row, *_) = json.loads(answer["rows"])
    thumbnail = f"{API}/file={answer['thumbnails']}/{row['key']}.webp"
    assert page.client.get(thumbnail).headers["content-type"] == "image/webp"
    assert served.ask("GET", thumbnail).status_code == 403
    assert served.ask("GET", f"{thumbnail}?page_token={page.token}").status_code == 200
    cookies = dict(page.client.cookies)
    assert served.ask("GET", thumbnail, cookies=cookies).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        f"{API}/proxy=https://someone-x.hf.space/file", f"{API}/deep_link?session_hash=x", "/monitoring", f"{API}/runs",
        f"{API}/dev/reload", f"{API}/token", f"{API}/vibe-code/", f"{API}/custom_component/a/client/b/c", "/.env",
        "/docs", f"{API}/stream/a/b/1/playlist.m3u8", f"{API}/profiling/traces",
    ],
)  # fmt: skip
def test_what_the_viewer_does_not_use_is_not_served(served: Served, path: str) -> None:
    answer = served.page().client.get(path)
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is nothing at this address.")


def test_calls_cannot_go_past_the_line(served: Served) -> None:
    for path in (f"{API}/run/predict", f"{API}/api/predict", f"{API}/process_recording"):
        assert served.ask("POST", path, json={"data": ["x", []]}).status_code == 404


def test_no_address_is_looked_up_for_a_file(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    page, plain = served.page(), socket.getaddrinfo

    def watched(host: object, *given: object, **options: object) -> object:
        assert host in ("127.0.0.1", b"127.0.0.1"), f"{host} was looked up"
        return plain(host, *given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", watched)
    for url in ("http://no.such.example/x", "HTTP://no.such.example/x", "//no.such.example/x", "file:///etc/passwd"):
        assert page.client.get(f"{API}/file={url}").status_code == 403


def test_every_answer_has_the_headers(served: Served) -> None:
    page = served.page()
    script = f"{API}/file={SCRIPTS / 'main.js'}"
    for path in ("/", "/config", "/healthz", "/nothing", f"{API}/info", script):
        answer = page.client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "frame-ancestors" in answer.headers["content-security-policy"]
        assert (answer.headers.get("cache-control") == "no-store") is (path != script), path
    policy = page.client.get("/").headers["content-security-policy"]
    assert "frame-ancestors 'self'" in policy
    assert "script-src 'self' 'unsafe-eval' 'nonce-" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert policy != page.client.get("/").headers["content-security-policy"], "a nonce is used once"
