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

    monkeypatch.setattr(app.Predictor, "load", interrupted)
    assert app.main([]) == 130


def test_an_mcp_server_without_its_package_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], trained: Path
) -> None:
    monkeypatch.setattr(frame.importlib.util, "find_spec", lambda _: None)
    assert app.main(["--checkpoint", str(trained / "checkpoint"), "--device", "cpu", "--mcp"]) == 2
    assert "pip install 'deep-pneumonia[mcp]'" in capsys.readouterr().err


def test_a_workspace_that_cannot_be_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], trained: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    asked = ["--checkpoint", str(trained / "checkpoint"), "--device", "cpu", "--workspace", str(tmp_path / "file")]
    assert app.main(asked) == 2
    assert "file cannot be made a folder" in capsys.readouterr().err


def test_storage_that_outlives_a_restart_is_taken_on_a_space_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "STORAGE", tmp_path)
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert app.persistent() == ""
    monkeypatch.setenv("SPACE_ID", "someone/deep-pneumonia")
    assert app.persistent() == str(tmp_path / "workspace")
    monkeypatch.setattr(app, "STORAGE", tmp_path / "nothing")
    assert app.persistent() == ""
