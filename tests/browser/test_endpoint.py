"""The named endpoints of the served viewer, called as programs call them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from deep_pneumonia.prediction.explanation import compare
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer.opened_case import Case, open_case, runs
from tests.paths import ROOT


class like:  # noqa: N801
    """JSON that is equal but for the last digits of its numbers: two processes may add in another order."""

    def __init__(self, wanted: Any) -> None:
        self.wanted = wanted

    def __eq__(self, found: object) -> bool:
        return _alike(self.wanted, found)

    def __repr__(self) -> str:
        return repr(self.wanted)


def _alike(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, dict):
        return wanted.keys() == found.keys() and all(_alike(value, found[key]) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(wanted) == len(found) and all(map(_alike, wanted, found))
    return bool(found == pytest.approx(wanted, abs=1e-4)) if isinstance(wanted, float) else bool(wanted == found)


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    client = Client(address, verbose=False)
    yield client
    client.close()


@pytest.fixture
def case(trained: Path, uploads: Path) -> Case:
    predictor = Predictor.load(trained / "checkpoint", "cpu")
    return open_case(predictor.predict, str(uploads / "chest.png"), [str(uploads / "doctor_a.png")])


def test_there_are_three_endpoints_and_no_others(client: Client) -> None:
    found = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert {name: [p["parameter_name"] for p in about["parameters"]] for name, about in found.items()} == {
        "/predict": ["file", "masks"],
        "/agreement": ["file", "masks", "drawings"],
        "/compare": ["file", "masks", "a", "b", "drawings"],
    }


def test_a_radiograph_is_read_with_and_without_masks(client: Client, case: Case, uploads: Path) -> None:
    chest, mask = handle_file(uploads / "chest.png"), handle_file(uploads / "doctor_a.png")
    assert client.predict(chest, [mask], api_name="/predict") == like(case.prediction.to_json("chest.png"))
    assert client.predict(file=chest, api_name="/predict")["agreement"] == []


def test_drawings_are_measured_as_files_are(client: Client, case: Case, uploads: Path) -> None:
    drawing = {"reader": "doctor_a", "kind": "pixel", "counts": runs(case.masks[0].mask)}
    chest = handle_file(uploads / "chest.png")
    answer = client.predict(file=chest, drawings=[drawing], api_name="/agreement")
    assert answer == like(case.prediction.to_json("chest.png"))


def test_explanations_are_compared(client: Client, case: Case, trained: Path, uploads: Path) -> None:
    chest, mask = handle_file(uploads / "chest.png"), handle_file(uploads / "doctor_a.png")
    answer = client.predict(file=chest, masks=[mask], a="random", b="doctor:doctor_a", api_name="/compare")
    predictor = Predictor.load(trained / "checkpoint", "cpu")
    wanted = compare(case.radiograph, case.masks, "random", "doctor:doctor_a", predictor=predictor, other=predictor)
    assert answer == like(wanted.to_json("chest.png"))
    assert client.predict(file=chest, api_name="/compare")["b"]["key"] == "grad_cam"


def test_what_cannot_be_done_is_one_sentence(client: Client, uploads: Path) -> None:
    chest, notes = handle_file(uploads / "chest.png"), handle_file(uploads / "notes.png")
    with pytest.raises(AppError, match=r"notes\.png is not a PNG"):
        client.predict(file=notes, api_name="/predict")
    with pytest.raises(AppError, match="send a radiograph"):
        client.predict(file=None, api_name="/predict")
    with pytest.raises(AppError, match=r"small\.png has 200 x 380 pixels"):
        client.predict(file=chest, masks=[handle_file(uploads / "small.png")], api_name="/agreement")
    with pytest.raises(AppError, match="do not fill the 450 x 380 pixels"):
        client.predict(file=chest, drawings=[{"reader": "a", "counts": [7]}], api_name="/agreement")
    with pytest.raises(AppError, match="Drawings must be a list"):
        client.predict(file=chest, drawings={"reader": "a"}, api_name="/agreement")
    with pytest.raises(AppError, match="choose from attention, attention_b"):
        client.predict(file=chest, a="saliency", api_name="/compare")


def test_nothing_of_a_visitor_stays(address: str) -> None:
    client = Client(address, verbose=False)
    assert client.config["run_history"] is False
    assert client.config["analytics_enabled"] is False
    assert client.config["max_file_size"] == 64 * 2**20
    client.close()


def test_a_second_viewer_on_the_port_is_one_line_and_status_2(address: str, trained: Path) -> None:
    port = str(urlsplit(address).port)
    second = subprocess.run(
        [sys.executable, "app.py", "--checkpoint", str(trained / "checkpoint")],
        cwd=ROOT,
        env={**os.environ, "GRADIO_SERVER_PORT": port},
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 2
    assert second.stdout == ""
    assert second.stderr.count("\n") == 1
    assert f"port {port}: taken" in second.stderr
