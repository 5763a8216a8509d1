"""The named endpoint of the served viewer, called as README's readers would."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from deep_pneumonia.reader import Reader
from deep_pneumonia.viewer.inspect import read
from tests.browser.conftest import ROOT


def test_the_endpoint_reads_files_refuses_in_words_and_is_the_only_one(
    address: str, trained: Path, uploads: Path
) -> None:
    client = Client(address, verbose=False)
    assert list(client.view_api(return_format="dict", print_info=False)["named_endpoints"]) == ["/read"]
    chest, mask = uploads / "chest.png", uploads / "doctor_a.png"
    case = read(Reader.load(trained / "checkpoint", "cpu"), str(chest), [str(mask)])
    answer = client.predict(file=handle_file(chest), masks=[handle_file(mask)], api_name="/read")
    assert set(answer) == set(case.reading.to_json("chest.png"))
    assert answer["file"] == "chest.png"
    assert answer["predicted"] == case.reading.predicted
    assert answer["agreement"][0]["iou"] == pytest.approx(case.reading.agreement[0].figures.iou)
    assert client.predict(file=handle_file(chest), api_name="/read")["agreement"] == []
    with pytest.raises(AppError, match=r"notes\.png is not a PNG"):
        client.predict(file=handle_file(uploads / "notes.png"), api_name="/read")
    with pytest.raises(AppError, match="give a radiograph"):
        client.predict(file=None, api_name="/read")
    client.close()


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
