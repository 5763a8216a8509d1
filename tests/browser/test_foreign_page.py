"""A page of another program on this machine, in a real browser, tries to use a viewer with a shared work list."""

import json
import re
import threading
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.serving import served
from tests.work_lists import small_workspace

VERDICT = {"what": "judge", "token": "a" * 32, "id": 1, "version": 0, "reviewer": "Mallory", "verdict": "agree"}
# What a page of another site can do without asking: a plain form's type, and JSON that needs a preflight.
ATTACK = """async ([address, body]) => {
  const tried = [];
  for (const type of ["text/plain", "application/json"])
    for (const mode of ["no-cors", "cors"])
      try {
        const answer = await fetch(`${address}gradio_api/component_server`,
          { method: "POST", mode, credentials: "include", headers: { "Content-Type": type }, body });
        tried.push(answer.type === "opaque" ? "opaque" : await answer.text());
      } catch { tried.push("refused"); }
  const picture = new Image();
  const shown = await new Promise((done) => {
    picture.onload = () => done("shown");
    picture.onerror = () => done("not shown");
    picture.src = `${address}static/img/logo.svg`;
  });
  return { tried, shown };
}"""


OWN_REQUEST = """([body]) => fetch("gradio_api/component_server",
  { method: "POST", body, headers: { "Content-Type": "application/json" } })"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """The address of another program's page."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<!doctype html><title>Elsewhere</title><p>Hello")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "site")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


def verdicts(page: Page) -> list[str]:
    rows = page.evaluate("window.deepPneumonia.review.rows().flatMap(({ verdicts }) => Object.keys(verdicts))")
    return [*rows]


def test_it_writes_no_verdict_shows_no_picture_and_frames_nothing(
    browser: Browser, elsewhere: str, trained: Path, tmp_path: Path
) -> None:
    workspace = small_workspace(tmp_path).folder
    with served(trained / "checkpoint", "--workspace", str(workspace)) as address:
        html = urllib.request.urlopen(address).read().decode()
        config = re.search(r"window\.gradio_config = (\{.*?\});</script>", html, re.DOTALL)
        assert config
        review = next(c for c in json.loads(config[1])["components"] if c["props"].get("elem_id") == "review")
        body = {"data": VERDICT, "component_id": review["id"], "session_hash": "x", "fn_name": "asked"}
        context = browser.new_context()
        try:
            own = context.new_page()
            own.goto(f"{address}#review")  # the visitor has the viewer open, with its cookie
            own.wait_for_function("window.deepPneumonia?.review?.rows().length === 2")
            page = context.new_page()
            page.goto(elsewhere)
            found = page.evaluate(ATTACK, [address, json.dumps(body)])
            assert found["shown"] == "not shown"
            assert [text for text in found["tried"] if "row" in text] == []
            page.set_content(f'<iframe src="{address}"></iframe>')
            page.wait_for_function("document.querySelector('iframe').contentWindow.length === 0")
            frame = page.frames[1]
            frame.wait_for_load_state()
            assert frame.url != address, "the browser shows its own error"
            own.reload()
            own.wait_for_function("window.deepPneumonia?.review?.rows().length === 2")
            assert verdicts(own) == []
            own.evaluate(OWN_REQUEST, [json.dumps(body)])
            own.reload()
            own.wait_for_function("window.deepPneumonia?.review?.rows().length === 2")
            assert verdicts(own) == ["Mallory"], "the same request from the viewer's own page is served"
        finally:
            context.close()
