"""The wheel: built, installed in another folder and used from there, where nothing of the checkout can be found."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen
from zipfile import ZipFile

import pytest

from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import decode
from tests.paths import ROOT

CASE = ROOT / "assets" / "cases" / "right-upper-lobe" / "right-upper-lobe.png"
# The model card, and the picture outside assets/ that it shows.
CARD = {"deep_pneumonia/MODEL_CARD.md", "deep_pneumonia/docs/ablation/real/ablation.png"}
THREE_LINES = """
from deep_pneumonia import Predictor, decode
prediction = Predictor.load(device="cpu").predict(decode("chest.png"))
print(prediction.predicted, prediction.probabilities, prediction.attention.shape)
"""
PLACES = """
import deep_pneumonia
from deep_pneumonia import shipped
from deep_pneumonia.prediction import hub
for module in (deep_pneumonia, hub): print(module.__file__)
for path in (shipped.CHECKPOINT, shipped.PLAIN_CHECKPOINT, shipped.CASES, shipped.LESSON, shipped.MODEL_CARD):
    print(path)
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel is installed in; what it depends on comes from the environment of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    uv = Path(sys.executable).with_name("uv")
    words = [
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--python",
        sys.executable,
        "--target",
        folder,
        wheel,
    ]
    subprocess.run([uv, *words], check=True)
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with a radiograph, outside the checkout."""
    shutil.copy(CASE, tmp_path / "chest.png")
    return tmp_path


def variables(installed: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}


def run(installed: Path, folder: Path, *words: str | Path) -> str:
    done = subprocess.run(words, cwd=folder, env=variables(installed), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_all_that_runs_and_nothing_else(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"deep_pneumonia", "deep_pneumonia-0.1.0.dist-info"}
    assert "deep_pneumonia/py.typed" in names
    sources = [*ROOT.glob("deep_pneumonia/**/*"), *ROOT.glob("assets/**/*")]
    expected = {
        p.relative_to(ROOT).as_posix().replace("assets/", "deep_pneumonia/assets/", 1)
        for p in sources
        if p.is_file() and "__pycache__" not in p.parts
    }
    assert {n for n in names if n.startswith("deep_pneumonia/")} == expected | CARD
    assert [n for n in names if "node_modules" in n or "test" in n] == []


def test_three_lines_of_python_predict_a_radiograph_with_what_was_installed(installed: Path, elsewhere: Path) -> None:
    (elsewhere / "three.py").write_text(THREE_LINES + PLACES)
    printed, *places = run(installed, elsewhere, sys.executable, "three.py").splitlines()
    here = Predictor.load(device="cpu").predict(decode(CASE))
    assert printed == f"{here.predicted} {here.probabilities} {here.attention.shape}"
    assert len(places) == 7
    assert [p for p in map(Path, places) if not p.is_relative_to(installed) or not p.exists()] == []


def test_the_command_predicts_a_radiograph(installed: Path, elsewhere: Path) -> None:
    command = installed / "bin" / "deep-pneumonia"
    assert run(installed, elsewhere, command, "--version") == "deep-pneumonia 0.1.0\n"
    answer = json.loads(run(installed, elsewhere, command, "predict", "chest.png", "--device", "cpu", "--json", "-"))
    assert answer["size"] == [1024, 1024]
    facts = json.loads((ROOT / "assets" / "checkpoint" / "model.json").read_text(encoding="utf-8"))
    assert answer["checkpoint"]["sha256"] == facts["weights"]["sha256"]


@pytest.fixture
def address(installed: Path, elsewhere: Path) -> Iterator[str]:
    """The address at which the installed command serves the viewer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    process = subprocess.Popen(
        [installed / "bin" / "deep-pneumonia", "app", "--device", "cpu"],
        cwd=elsewhere,
        env=variables(installed) | {"GRADIO_SERVER_PORT": port, "GRADIO_TEMP_DIR": str(elsewhere / "uploads")},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert any(f"http://127.0.0.1:{port}/" in line for line in process.stdout), "it ended without its address"
        yield f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_installed_viewer_serves_scripts_cases_and_the_model_card(address: str, installed: Path) -> None:
    with urlopen(f"{address}/config") as answer:
        config = answer.read().decode()
    package = installed / "deep_pneumonia"
    files = set(re.findall(rf"file=({re.escape(str(package))}[^\"'\\ )]+)", config))
    assert f"{package}/viewer/static/main.js" in files
    served = [*files, *package.glob("viewer/static/**/*.js"), *package.glob("assets/cases/*/*.png")]
    for file in served:
        with urlopen(f"{address}/gradio_api/file={quote(str(file))}") as answer:
            assert answer.read() == Path(file).read_bytes()
    assert config.count("data:image/png;base64,") >= 2, "the pictures of the model card"
