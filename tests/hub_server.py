"""A stand-in for the Hugging Face Hub on this machine: the HTTP answers that a download and an upload need."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What the server holds, and what it was asked.

    address: its URL. files: by repository ("owner/name") and path. asked: method and path of each request, in order.
    tags: revisions beside "main", all at the one commit. created: the bodies of requests to create a repository.
    """

    address: str = ""
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    created: list[dict[str, Any]] = field(default_factory=list)
    large: dict[str, bytes] = field(default_factory=dict)  # uploaded objects by SHA-256
    down: bool = False

    def resolve(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        """The answer to GET or HEAD of /owner/name/resolve/REVISION/FILE: status, body and headers."""
        owner, name, _, revision, file = path.lstrip("/").split("/", 4)
        found = self.files.get(f"{owner}/{name}")
        if found is None:
            return 404, b"", {"X-Error-Code": "RepoNotFound"}
        if revision not in {"main", COMMIT, *self.tags}:
            return 404, b"", {"X-Error-Code": "RevisionNotFound"}
        if file not in found:
            return 404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}
        body = found[file]
        return 200, body, {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha256(body).hexdigest()}"'}

    def post(self, path: str, body: bytes) -> dict[str, Any]:
        """The answer to a request that is part of an upload."""
        if path == "/api/repos/create":
            asked = json.loads(body)
            self.created.append(asked)
            self.files.setdefault(f"{asked['organization']}/{asked['name']}", {})
            return {"url": f"{self.address}/{asked['organization']}/{asked['name']}"}
        if path == "/api/validate-yaml":  # the front matter of README.md
            return {"errors": [], "warnings": []}
        if "/preupload/" in path:
            names = [f["path"] for f in json.loads(body)["files"]]
            modes = {n: "lfs" if n.endswith(".safetensors") else "regular" for n in names}
            return {"files": [{"path": n, "uploadMode": m, "shouldIgnore": False} for n, m in modes.items()]}
        if path.endswith("/info/lfs/objects/batch"):
            sent = json.loads(body)["objects"]
            action = {o["oid"]: {"upload": {"href": f"{self.address}/large/{o['oid']}"}} for o in sent}
            return {"objects": [{**o, "actions": action[o["oid"]]} for o in sent]}
        _, _, _, owner, name, what, _ = path.split("/")
        assert what == "commit", f"no answer is known to POST {path}"
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                self.files[f"{owner}/{name}"][value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                self.files[f"{owner}/{name}"][value["path"]] = self.large[value["oid"]]
        return {"commitUrl": f"{self.address}/{owner}/{name}/commit/{COMMIT}", "commitOid": COMMIT}


@contextmanager
def serve() -> Iterator[Hub]:
    """A Hub that answers until the block ends."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            path = self.path.split("?")[0]
            hub.asked.append(f"{self.command} {path}")
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if hub.down:
                self.reply(403, b"", {"X-Error-Message": "closed today"})
            elif self.command == "POST":
                self.reply(200, json.dumps(hub.post(path, sent)).encode(), {"Content-Type": "application/json"})
            elif self.command == "PUT":
                hub.large[path.rpartition("/")[2]] = sent
                self.reply(200, b"", {})
            elif "/resolve/" in path:
                self.reply(*hub.resolve(path))
            else:
                self.reply(404, b"", {"X-Error-Code": "RepoNotFound"})

        do_GET = do_HEAD = do_POST = do_PUT = answer  # noqa: N815

        def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
