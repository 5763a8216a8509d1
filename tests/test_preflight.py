"""What cannot work is said before the work: outputs, folders, backbones; and Ctrl-C while loading is one line."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from deep_pneumonia import __main__ as command
from deep_pneumonia import cli, evaluate, fit_gate, predict, prepare, pretrain, review, simulate, train
from deep_pneumonia.cli import guarded
from deep_pneumonia.errors import SimulationError
from deep_pneumonia.prediction import predictor as predicting
from deep_pneumonia.prediction.backbone import Backbone, backbones
from deep_pneumonia.training import cache
from tests.paths import ROOT
from tests.phantom import draw, make_set, save_png

VERBS = {
    "evaluate": evaluate.main, "fit-gate": fit_gate.main, "predict": predict.main, "prepare": prepare.main,
    "pretrain": pretrain.main, "review": review.main, "simulate": simulate.main, "train": train.main,
}  # fmt: skip
TRAINING = ["--epochs", "1", "--batch", "4", "--size", "32", "--device", "cpu"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A prepared set, a file where a folder is wanted, and no way to decode an image or load a checkpoint."""

    def never(*_: Any, **__: Any) -> None:
        pytest.fail("the work was begun")

    make_set(tmp_path / "set", patients=16)
    (tmp_path / "file").touch()
    save_png(draw(1)[0], tmp_path / "raw" / "Clear" / "a.png")
    for module, name in (
        (cache, "decode"), (predicting.checkpoints, "load"), (simulate, "healthy_chest"), (prepare, "prepare"),
        (predict, "decode"), (review, "load"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, never)
    monkeypatch.setattr(simulate, "data_folder", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "--out", "{0}/file/run", *TRAINING], "file is a file; choose another place"),
        (["train", "--out", "{0}/run", "--cache", "{0}/file", *TRAINING], "file is a file; choose another place"),
        (
            ["train", "--out", "{0}/run", "--backbone", "resnet19", *TRAINING],
            "'resnet19'; use one of efficientnet_lite0",
        ),
        (["train", "--out", "{0}/run", "--initial", "{0}/none", *TRAINING], "none is not a folder; give imagenet"),
        (["pretrain", "--out", "{0}/file", *TRAINING], "file is a file; choose another place"),
        (["pretrain", "--out", "{0}/run", "--backbone", "resnet", *TRAINING], "no backbone named 'resnet'"),
        (["evaluate", "--out", "{0}/file", "--device", "cpu"], "file is a file; choose another place"),
    ],
)
def test_a_run_that_cannot_work_is_refused_before_images_are_decoded(
    words: Sequence[str], sentence: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb, *options = (word.format(place) for word in words)
    before = sorted(place.rglob("*"))
    assert VERBS[verb]([*options, "--manifest", str(place / "set" / "manifest.csv")]) == 2
    assert sentence in capsys.readouterr().err.splitlines()[-1]
    assert sorted(place.rglob("*")) == before, "nothing was begun"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["predict", "{0}/raw/Clear/a.png", "--json", "{0}/none/a.json"], "none is no folder; make it"),
        (["predict", "{0}/raw/Clear/a.png", "--attention", "{0}/file/a.npy"], "file is no folder"),
        (["predict", "{0}/raw/Clear/a.png", "--report", "{0}/raw.pdf/"], "raw.pdf"),
        (["prepare", "folder", "{0}/raw", "--out", "{0}/file/out"], "file is a file"),
        (["simulate", "--out", "{0}/file"], "file is a file"),
        (["review", "add", "{0}/raw", "{0}/none", "--workspace", "{0}/list"], "none does not exist"),
        (["review", "import", "{0}/none.zip", "--workspace", "{0}/list"], "none.zip does not exist"),
        (["review", "report", "{0}/list.txt", "--workspace", "{0}/list"], "does not end in .pdf"),
        (["review", "report", "{0}/none/list.pdf", "--workspace", "{0}/list"], "none is no folder"),
        (["review", "export", "{0}/file/out.zip", "--workspace", "{0}/list"], "file is a file"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    words: Sequence[str], sentence: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb, *options = (word.format(place) for word in words)
    (place / "raw.pdf").mkdir()
    before = sorted(place.rglob("*"))
    assert VERBS[verb](options) == 2
    assert sentence in capsys.readouterr().err
    assert sorted(place.rglob("*")) == before


def test_another_run_in_the_folder_is_refused_before_images_are_decoded(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "run").mkdir()
    (place / "run" / "config.json").write_text('{"config": {"lr": 1}}')
    words = ["--out", str(place / "run"), "--manifest", str(place / "set" / "manifest.csv"), *TRAINING]
    assert train.main(words) == pretrain.main(words) == 2
    assert capsys.readouterr().err.count("holds a run with another") == 2


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "shufflenet_v2_x0_5", "regnet_y_400mf", "efficientnet_b0"])
def test_backbones_that_are_offered_work(name: str) -> None:
    assert name in backbones()
    assert len(Backbone(name).channels) == 2
    assert not {"vit_b_16", "swin_t", "alexnet", "lraspp_mobilenet_v3_large"} & set(backbones())


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(28, "No space left on device", "/data/a.png"), "no room left on the disk to write /data/a.png"),
        (OSError(122, "Disk quota exceeded"), "no room left on the disk to write the output"),
        (FileNotFoundError(2, "No such file", "a.png"), "the file a.png cannot be read or written (No such file)"),
        (UnicodeEncodeError("utf-8", "b\udce9.png", 1, 2, "no"), r"'b\udce9.png'); rename the file"),
        (SimulationError("a sentence"), "a sentence"),
    ],
)
def test_errors_of_the_system_are_one_sentence(
    error: Exception, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def verb() -> None:
        raise error

    assert guarded(verb) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert sentence in line


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_behind_standard_output_is_one_line() -> None:
    script = "import sys; from deep_pneumonia.cli import guarded; sys.exit(guarded(lambda: print('x')))"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "no room left on the disk to write the output" in done.stderr


SCRIPT = """
import os, signal, sys, threading
import deep_pneumonia.cli as cli
class Interrupting:
    def find_spec(self, name, *_):
        if name == "torch":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(cli.run_verb(sys.argv[1], ["--help"]))
"""


@pytest.mark.parametrize("verb", ["train", "predict"])
def test_ctrl_c_while_modules_are_imported_is_one_line(verb: str) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, verb], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Stopped.\n")


def test_ctrl_c_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with cli.leaving_at_ctrl_c():
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_verb_run_as_a_module_names_a_missing_extra(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deep_pneumonia", tmp_path / "deep_pneumonia", ignore=shutil.ignore_patterns("__pycache__"))
    hide = "raise ModuleNotFoundError('No module named lightning', name='lightning')"
    (tmp_path / "lightning.py").write_text(hide)
    words = [sys.executable, "-m", "deep_pneumonia.train", "--help"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith("install it with: pip install 'deep-pneumonia[train]'\n")
    assert len(done.stderr.splitlines()) == 1
    assert set(command.VERBS) == {*VERBS, "app"}
