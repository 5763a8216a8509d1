"""The viewer behind its guard, served within the test's own process, and a page and programs that ask it."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer import app as frame
from deep_pneumonia.viewer.guard.calls import GuardedBlocks
from deep_pneumonia.viewer.guard.uploads import received_apart
from deep_pneumonia.viewer.review.workspaces import Workspaces
from deep_pneumonia.viewer.serving import DEFAULTS, Options, start
from tests.blocks import inside
from tests.ports import free_port

WAIT_SECONDS = 600.0  # a limit for what never comes, on a busy machine too
API = "/gradio_api"
LIST_TOKEN = "a" * 32


@dataclass
class Served:
    """A running viewer: its address, its folder of uploads, its elements, and the lines that it logged."""

    address: str
    uploads: Path
    blocks: GuardedBlocks
    lines: list[dict[str, Any]] = field(default_factory=list)
    clients: list[httpx.Client] = field(default_factory=list)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request, as a program sends it: without Origin, cookie or token."""
        return httpx.request(method, f"{self.address.rstrip('/')}{path}", timeout=WAIT_SECONDS, **options)

    def page(self) -> "Visit":
        """A visitor's page."""
        client = httpx.Client(base_url=self.address.rstrip("/"), timeout=WAIT_SECONDS, trust_env=False)
        self.clients.append(client)
        html = client.get("/").text
        token = re.search(r'name="page-token" content="([^"]+)"', html)
        config = re.search(r"window\.gradio_config = (\{.*?\});</script>", html, re.DOTALL)
        assert token
        assert config
        review = next(c for c in json.loads(config[1])["components"] if c["props"].get("elem_id") == "review")
        client.headers["x-page-token"] = token[1]
        return Visit(client, token[1], review["id"])

    def lines_after(self, before: int, count: int) -> list[dict[str, Any]]:
        """What was logged after the first `before` lines, once there are `count`: a line may follow its answer."""
        until = time.monotonic() + WAIT_SECONDS
        while len(self.lines) < before + count:
            assert time.monotonic() < until, self.lines[before:]
            time.sleep(0.01)
        return self.lines[before:]

    def upload(self, content: bytes, name: str = "chest.png", **headers: str) -> httpx.Response:
        return self.ask("POST", f"{API}/upload", files={"files": (name, content)}, headers=headers)

    def call(self, name: str, data: list[Any]) -> str:
        """The events that answer a call of a named endpoint, as text."""
        joined = self.ask("POST", f"{API}/call/{name}", json={"data": data})
        if joined.status_code != 200:
            return joined.text
        return self.ask("GET", f"{API}/call/{name}/{joined.json()['event_id']}").text


@dataclass
class Visit:
    """A page that was loaded: its client with cookies and the header of the token, and the Review screen's number."""

    client: httpx.Client
    token: str
    review: int

    def request(self, what: str = "list", **given: Any) -> dict[str, Any]:
        """The body with which a page asks the Review screen."""
        data = {"what": what, "token": LIST_TOKEN, **given}
        return {"data": data, "component_id": self.review, "session_hash": "session", "fn_name": "asked"}


def filedata(path: str) -> dict[str, Any]:
    """A file as `gradio_client` names it in a call."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def started(predictor: Predictor, workspaces: Workspaces, options: Options) -> tuple[GuardedBlocks, str]:
    """A viewer that serves in another thread, and its address."""
    blocks = frame.build(predictor, None, workspaces)
    return blocks, start(blocks, workspaces, predictor, options)


@contextmanager
def guarded(
    predictor: Predictor, folder: Path, *, workspace: Path | None = None, options: Options = DEFAULTS
) -> Iterator[Served]:
    """Serve the viewer with temporary files in `folder`."""
    uploads = folder / "uploads"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(uploads))
        patch.setenv("GRADIO_SERVER_NAME", "127.0.0.1")
        patch.setenv("GRADIO_SERVER_PORT", str(free_port()))
        patch.setenv("FORWARDED_ALLOW_IPS", "")
        shared = None if workspace is None else str(workspace)
        with frame.workspaces_for(predictor, shared) as workspaces, received_apart():
            blocks, address = inside(lambda: started(predictor, workspaces, options))
            assert blocks.journal is not None
            served = Served(address, uploads, blocks)
            blocks.journal.write = lambda line: served.lines.append(json.loads(line))
            try:
                yield served
            finally:
                for client in served.clients:
                    client.close()
                blocks.close(verbose=False)
