"""What the server tells whoever runs it: health, counts, and lines without anything of a visitor."""

import json
import re

import pytest

from deep_pneumonia.limits import MAX_LOGINS
from deep_pneumonia.version import __version__
from deep_pneumonia.viewer.guard.counting import Attempts
from deep_pneumonia.viewer.guard.journal import Journal
from deep_pneumonia.viewer.guard.tokens import Tokens
from tests.guarded_viewer import API, Served


def test_health_names_the_model_the_version_and_the_line_whatever_the_host(served: Served) -> None:
    answer = served.ask("GET", "/healthz", headers={"host": "10.1.2.3"})
    assert answer.json() == {
        "model_loaded": True, "checkpoint": "resnet18-288", "version": __version__, "queue_length": 0,
    }  # fmt: skip
    assert served.ask("POST", "/healthz").status_code == 405


def test_counts_are_in_the_format_of_prometheus(served: Served) -> None:
    served.ask("GET", "/secret-name.png")
    text = served.ask("GET", "/metrics").text
    sample = re.compile(r'deep_pneumonia_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.]+')
    assert [line for line in text.splitlines() if not line.startswith("# TYPE ") and not sample.fullmatch(line)] == []
    assert 'deep_pneumonia_requests_total{method="GET",route="other",status="404"}' in text
    assert 'deep_pneumonia_refused_total{reason="unknown-path"}' in text
    assert "deep_pneumonia_queue_length 0" in text
    assert "secret-name" not in text


def test_a_line_holds_nothing_that_a_visitor_sent(served: Served) -> None:
    page, before = served.page(), len(served.lines)
    named = {"x-secret": "secret", "user-agent": "secret", "cookie": "secret=secret"}
    page.client.get(
        f"{API}/file=/secret/secret.png?secret=secret", headers={**named, "origin": "http://secret.example"}
    )
    served.ask("GET", "/secret", headers={**named, "host": "secret.example"})
    lines = served.lines[before:]
    assert [line["refused"] for line in lines] == ["origin", "host"]
    assert "secret" not in json.dumps(lines)
    assert set(lines[0]) == {"time", "method", "route", "status", "milliseconds", "refused"}


def test_requests_are_written_on_demand_and_faults_always() -> None:
    lines: list[str] = []
    for every in (False, True):
        journal = Journal(all_requests=every, write=lines.append)
        journal.request("GET", "/", 200, 0.0123)
        journal.request("BR\nEW", "/", 405, 0.5, "method")
    assert [json.loads(line)["method"] for line in lines] == ["other", "GET", "other"]
    assert json.loads(lines[1])["milliseconds"] == 12.3
    try:
        raise KeyError("secret")
    except KeyError as error:
        journal.fault(error, "call")
    fault = json.loads(lines[-1])
    assert (fault["fault"], fault["during"]) == ("KeyError", "call")
    assert fault["at"].startswith("test_journal.py:")
    assert "secret" not in lines[-1]


def test_a_token_is_good_in_its_own_process_only() -> None:
    tokens, others = Tokens(), Tokens()
    token = tokens.new()
    assert tokens.visitor(token) == token.partition(".")[0] != ""
    assert others.visitor(token) == tokens.visitor(f"x{token}") == tokens.visitor("") == tokens.visitor(".") == ""
    assert "SameSite=Lax" in tokens.set_cookie(token, secure=False, embedded=False)
    assert tokens.set_cookie(token, secure=True, embedded=True).endswith("; SameSite=None; Secure; Partitioned")


def test_one_address_may_not_try_many_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = Attempts()
    assert [attempts.allow("a") for _ in range(MAX_LOGINS + 1)] == [True] * MAX_LOGINS + [False]
    assert attempts.allow("b")
    monkeypatch.setattr("deep_pneumonia.viewer.guard.counting.MAX_LOGIN_ADDRESSES", 1)
    assert attempts.allow("a"), "what is remembered is bounded"
