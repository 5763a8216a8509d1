"""app.py says in one line why it does not start."""

from pathlib import Path

import pytest

import app
from deep_pneumonia.viewer import app as frame


def test_a_bad_checkpoint_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["--checkpoint", str(tmp_path), "--device", "cpu"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "model.json" in printed.err


def test_ctrl_c_while_loading_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app.Reader, "load", interrupted)
    assert app.main([]) == 130


def test_an_mcp_server_without_its_package_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], trained: Path
) -> None:
    monkeypatch.setattr(frame.importlib.util, "find_spec", lambda _: None)
    assert app.main(["--checkpoint", str(trained / "checkpoint"), "--device", "cpu", "--mcp"]) == 2
    assert "pip install 'deep-pneumonia[mcp]'" in capsys.readouterr().err
