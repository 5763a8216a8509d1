"""The viewer as a Space runs it: requirements.txt suffices, it reads, and nothing leaves it or stays elsewhere."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import decode
from tests.hosting.space import Space, environment, room, serving
from tests.phantom import draw, save_png

# Byte code of the app, and Matplotlib's list of the machine's fonts.
CACHES = ("app/", ".cache/matplotlib", ".config/matplotlib")
EXIT_SECONDS = 600  # only a viewer that hangs takes longer, on a busy machine too


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with room(tmp_path_factory.mktemp("python")) as folder:
        yield environment(folder)


@pytest.fixture
def space(python: Path, tmp_path: Path) -> Iterator[Space]:
    with serving(python, tmp_path) as space:
        yield space


def test_a_space_reads_a_radiograph_and_ends_on_ctrl_c(space: Space, tmp_path: Path) -> None:
    radiograph = save_png(draw(1, (400, 300), lesion=True)[0], tmp_path / "chest.png")
    answer = space.read(radiograph)
    here = Predictor.load(device="cpu").predict(decode(radiograph)).to_json("chest.png")
    assert answer["predicted"] == here["predicted"]
    assert answer["probabilities"] == pytest.approx(here["probabilities"], abs=1e-4)
    space.process.send_signal(signal.SIGINT)
    assert space.process.wait(timeout=EXIT_SECONDS) == 0
    assert space.notes("network") == []
    # The guard itself sees: the upload was written, and nowhere but in the temporary folder.
    own = [str(space.folder), str(space.python.parent.parent), "/dev/"]
    assert [w for w in space.notes("wrote") if not w.startswith(tuple(own))] == []
    assert [w for w in space.notes("wrote") if w.endswith("chest.png")]
    home = space.folder / "home"
    files = [p.relative_to(home).as_posix() for p in home.rglob("*") if p.is_file()]
    assert [f for f in files if not f.startswith(CACHES)] == []
    # A stopped viewer leaves no upload behind.
    assert [p for p in (space.folder / "temporary").rglob("*") if p.name == "chest.png"] == []


def test_a_space_ends_when_its_container_is_stopped(space: Space) -> None:
    space.process.send_signal(signal.SIGTERM)
    assert space.process.wait(timeout=EXIT_SECONDS) in (0, -signal.SIGTERM)


def test_the_guard_lets_nothing_out(python: Path, tmp_path: Path) -> None:
    """Else the notes could be empty because nobody looked."""
    script = "import socket\ntry: socket.create_connection(('example.org', 80))\nexcept OSError as e: print(e)"
    notes = {"GUARD_NOTES": str(tmp_path / "notes")}
    done = subprocess.run([python, "-c", script], env=notes, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Nothing beyond this machine may be reached")
    assert (tmp_path / "notes").read_text() == "network example.org\n"
