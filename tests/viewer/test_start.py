"""The verb app says in one line why it does not start."""

from pathlib import Path

import pytest

import app as start
from deep_pneumonia import app
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer import serving
from tests.blocks import inside


def test_a_bad_checkpoint_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["--checkpoint", str(tmp_path), "--device", "cpu"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "model.json" in printed.err


def test_ctrl_c_while_loading_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Predictor, "load", interrupted)
    assert app.main([]) == 130


def test_a_stop_right_after_the_first_answer_ends_with_status_0(monkeypatch: pytest.MonkeyPatch, trained: Path) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt  # while Gradio, which serves already, is still being started

    monkeypatch.setattr(serving, "start", stopped)
    assert inside(lambda: app.main(["--checkpoint", str(trained / "checkpoint"), "--device", "cpu"])) == 0


def test_an_mcp_server_without_its_package_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], trained: Path
) -> None:
    monkeypatch.setattr(serving.importlib.util, "find_spec", lambda _: None)
    assert app.main(["--checkpoint", str(trained / "checkpoint"), "--device", "cpu", "--mcp"]) == 2
    assert "pip install 'deep-pneumonia[mcp]'" in capsys.readouterr().err


def test_a_workspace_that_cannot_be_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], trained: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    asked = ["--checkpoint", str(trained / "checkpoint"), "--device", "cpu", "--workspace", str(tmp_path / "file")]
    assert app.main(asked) == 2
    assert "file cannot be made a folder" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["many", "-1", "65536"])
def test_a_port_that_is_no_number_is_one_line(
    port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRADIO_SERVER_PORT", port)
    assert app.main([]) == 2
    assert capsys.readouterr().err == f"error: GRADIO_SERVER_PORT is {port!r}; give a number from 1 to 65535.\n"


def test_the_work_list_lies_where_the_option_or_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(app.WORKSPACE_VARIABLE, raising=False)
    assert app.parser().parse_args([]).workspace == ""
    monkeypatch.setenv(app.WORKSPACE_VARIABLE, "/mounted/list")
    assert app.parser().parse_args([]).workspace == "/mounted/list"
    assert app.parser().parse_args(["--workspace", ""]).workspace == ""
    assert app.parser().parse_args(["--workspace", "here"]).workspace == "here"


def test_the_file_that_spaces_runs_is_the_same_verb() -> None:
    assert start.main is app.main
