"""Files from web addresses for tools of language models: only public ones, only where allowed, only so large."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deep_pneumonia.viewer import mcp
from deep_pneumonia.viewer.guard import fetching
from deep_pneumonia.viewer.guard.fetching import fetched

PNG = "data:image/png;base64,aGVsbG8="


class Served(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/elsewhere" else 200)
        if self.path == "/elsewhere":
            self.send_header("Location", "/chest.png")
        self.end_headers()
        self.wfile.write(b"x" * 1000)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Served)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take this machine's address for a public one."""

    async def verified(host: str) -> str:
        return host

    monkeypatch.setattr(fetching.safehttpx, "async_validate_url", verified)


def test_an_address_of_this_machine_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be fetched; give the address of a public file"):
        fetched(f"{address}/chest.png", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("public")
def test_a_public_file_is_fetched_up_to_a_size(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Path(fetched(f"{address}/chest.png", str(tmp_path))).read_bytes() == b"x" * 1000
    for url in (f"{address}/elsewhere", "http://", "http://[", "ftp://127.0.0.1/x"):
        with pytest.raises(ValueError, match="cannot be fetched"):
            fetched(url, str(tmp_path))
    monkeypatch.setattr(fetching, "MAX_FILE_BYTES", 999)
    with pytest.raises(ValueError, match="cannot be fetched"):
        fetched(f"{address}/chest.png", str(tmp_path))
    assert len(list(tmp_path.iterdir())) == 1


def tools(*, allow_urls: bool) -> Any:
    """Gradio's MCP server as `mend` leaves it, without the rest of Gradio."""
    parameters = [{"parameter_name": name, "type": {}} for name in ("file", "masks")]
    server = SimpleNamespace(api_info={"named_endpoints": {"/predict": {"parameters": parameters}}}, types=None)
    mcp.mend(SimpleNamespace(mcp_server_obj=server, upload_file_set=set()), allow_urls=allow_urls)
    return server


def test_tools_take_data_urls_and_addresses_only_where_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    asked: list[str] = []
    monkeypatch.setattr(mcp, "fetched", lambda url, _: asked.append(url) or str(tmp_path))
    closed, opened = tools(allow_urls=False), tools(allow_urls=True)
    found = closed.convert_strings_to_filedata({"file": PNG, "masks": [PNG]}, None)
    assert Path(found["file"]["path"]).read_bytes() == b"hello"
    assert found["file"]["path"] != found["masks"][0]["path"], "a path must not tell what somebody else sent"
    for wrong in ("https://example.org/x.png", "/etc/passwd", 7, None):
        with pytest.raises(ValueError, match="must be given as a data URL"):
            closed.convert_strings_to_filedata({"file": wrong}, None)
    with pytest.raises(ValueError, match=r"masks must be a list of files; send \[\] for none"):
        closed.convert_strings_to_filedata({"file": PNG, "masks": PNG}, None)
    with pytest.raises(ValueError, match="A data URL must look like"):
        closed.convert_strings_to_filedata({"file": "data:image/png;base64,a"}, None)
    assert asked == []
    opened.convert_strings_to_filedata({"file": "https://example.org/x.png"}, None)
    with pytest.raises(ValueError, match="an http or https URL of a file, or a data URL"):
        opened.convert_strings_to_filedata({"file": "/etc/passwd"}, None)
    assert asked == ["https://example.org/x.png"]
