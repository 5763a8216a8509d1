"""A viewer with a login: names and passwords from the command line or a file, checked by Gradio."""

import argparse
from pathlib import Path

import pytest
from gradio_client import Client

from deep_pneumonia import app
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.limits import MAX_LOGINS
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer.serving import Options, launch
from tests.guarded_viewer import API, guarded


def test_nobody_reaches_a_list_without_the_password(tmp_path: Path, shared_list: Path) -> None:
    predictor = Predictor.load(device="cpu")
    options = Options(accounts=[("ward", "s3cret")])
    with guarded(predictor, tmp_path, workspace=shared_list, options=options) as served:
        assert "auth_required" in served.ask("GET", "/").text
        for path in ("/config", f"{API}/info", f"{API}/queue/data?session_hash=x"):
            assert served.ask("GET", path).status_code == 401
        assert served.ask("POST", f"{API}/upload", files={"files": ("a", b"x")}).status_code == 401
        assert served.ask("POST", f"{API}/call/predict", json={"data": []}).status_code == 401
        assert served.ask("GET", "/healthz").status_code == 200
        client = Client(served.address, auth=("ward", "s3cret"), verbose=False)
        assert "/predict" in client.view_api(return_format="dict", print_info=False)["named_endpoints"]
        client.close()
        form = {"username": "ward", "password": "wrong"}
        answers = [served.ask("POST", "/login", data=form).status_code for _ in range(MAX_LOGINS + 1)]
        assert set(answers[:-2]) == {400}
        assert answers[-1] == 429


def test_accounts_are_lines_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.write_text("# the ward\nana:a:b\n\n ben :pass word\n")
    assert app.accounts_in(str(file)) == [("ana", "a:b"), ("ben", "pass word")]
    file.write_text("ana:x\nsecret\n")
    with pytest.raises(DeepPneumoniaError, match=r"line 2 is not of the form NAME:PASSWORD\.$"):
        app.accounts_in(str(file))
    file.write_text("\n")
    with pytest.raises(DeepPneumoniaError, match="has no account"):
        app.accounts_in(str(file))
    with pytest.raises(DeepPneumoniaError, match="missing cannot be read"):
        app.accounts_in(str(tmp_path / "missing"))
    with pytest.raises(argparse.ArgumentTypeError):
        app.accounts("nameonly")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(mcp=True, accounts=[("a", "b")]), "cannot log in"),
        (Options(allow_urls=True), "give --mcp too"),
        (Options(proxies=["proxy.example"]), "--proxy got proxy.example; give an IP address"),
    ],
)
def test_options_that_do_not_fit_are_said_before_serving(options: Options, said: str) -> None:
    with pytest.raises(DeepPneumoniaError, match=said):
        launch(Predictor.load(device="cpu"), options=options)
