"""The gate knows what the training radiographs are like, and says so of nothing else."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import chi2

from deep_pneumonia import checkpoint as checkpoints
from deep_pneumonia import fit_gate
from deep_pneumonia.cases import SHIPPED_CASES, TeachingCase, load_cases
from deep_pneumonia.errors import DamagedCheckpointError
from deep_pneumonia.gate import Gate
from deep_pneumonia.gate_fit import LEAST, fit
from deep_pneumonia.inspect import summary
from deep_pneumonia.radiograph import Radiograph, decode
from deep_pneumonia.reader import SHIPPED, UNLIKE, Reader
from deep_pneumonia.report import page
from deep_pneumonia.viewer import words


def drawn(count: int, seed: int, spread: tuple[float, ...] = (1.0, 3.0, 0.5), shift: float = 0.0) -> torch.Tensor:
    random = np.random.default_rng(seed)
    turned = np.linalg.qr(np.random.default_rng(9).normal(size=(3, 3)))[0]
    return torch.from_numpy((random.normal(size=(count, 3)) * spread) @ turned + shift).float()


def test_the_distance_is_that_of_mahalanobis() -> None:
    gate = Gate(torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 0.0], [0.0, 0.25]]), limit=2.0)
    assert gate.distance(torch.tensor([[1.0, 2.0], [4.0, 2.0], [1.0, 10.0]])).tolist() == [0.0, 1.5, 2.0]


def test_of_a_normal_cloud_the_limit_is_the_one_of_its_chi_square() -> None:
    gate = fit(drawn(20_000, 1), drawn(20_000, 2), np.array(["a"] * 20_000))
    assert gate is not None
    assert gate.limit == pytest.approx(chi2.ppf(0.995, df=3) ** 0.5, rel=0.03)
    assert float((gate.distance(drawn(20_000, 3)) > 1).float().mean()) == pytest.approx(0.005, abs=0.002)
    assert (gate.distance(drawn(100, 4, shift=30)) > 1).all()


def test_a_small_source_is_not_refused_more_than_the_others() -> None:
    held_out = torch.cat([drawn(1000, 2), drawn(50, 3, spread=(2.0, 6.0, 1.0))])
    sources = np.array(["large"] * 1000 + ["small"] * 50)
    gate = fit(drawn(1000, 1), held_out, sources)
    assert gate is not None
    assert float((gate.distance(held_out[1000:]) > 1).float().mean()) <= 1 / 50


def test_of_few_radiographs_no_gate_is_made() -> None:
    assert fit(drawn(LEAST - 1, 1), drawn(50, 2), np.array(["a"] * 50)) is None
    assert fit(drawn(LEAST, 1), drawn(0, 2), np.array([], dtype=str)) is None


@pytest.fixture
def copy(trained: Path, tmp_path: Path) -> Path:
    """A little checkpoint without a gate, to be given one."""
    return Path(shutil.copytree(trained / "checkpoint", tmp_path / "checkpoint"))


def test_a_gate_is_saved_with_the_checkpoint_and_comes_back(copy: Path) -> None:
    made = checkpoints.load(copy)
    assert made.gate is None
    gate = Gate(torch.tensor([1.0, 2.0]), torch.eye(2), 3.0)
    checkpoints.add_gate(copy, gate)
    found = checkpoints.load(copy)
    assert found.gate is not None
    assert found.sha256 == made.sha256
    assert (found.gate.limit, found.gate.mean.tolist()) == (3.0, [1.0, 2.0])
    checkpoints.save(replace(found, training={}), copy)
    assert checkpoints.load(copy).gate is not None


@pytest.mark.parametrize("harm", ["cut", "gone", "digest", "limit"])
def test_a_damaged_gate_is_named(copy: Path, harm: str) -> None:
    checkpoints.add_gate(copy, Gate(torch.zeros(2), torch.eye(2), 3.0))
    path, model = copy / "gate.safetensors", copy / "model.json"
    facts = json.loads(model.read_text())
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-4])
    elif harm == "gone":
        path.unlink()
    else:
        facts["gate"]["sha256" if harm == "digest" else "limit"] = "x"
        model.write_text(json.dumps(facts))
    with pytest.raises(DamagedCheckpointError):
        checkpoints.load(copy)


def test_the_verb_fits_one_and_changes_nothing_else(
    copy: Path, tmp_path: Path, drawn_set: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["--checkpoint", str(copy), "--manifest", str(drawn_set), "--cache", str(tmp_path / "c"), "--device", "cpu"]
    assert fit_gate.main(asked) == 2
    assert "a gate needs 200 and some to validate on" in capsys.readouterr().err
    before = (copy / "model.safetensors").read_bytes()
    monkeypatch.setattr("deep_pneumonia.gate_fit.LEAST", 4)
    assert fit_gate.main(asked) == 0
    assert (copy / "model.safetensors").read_bytes() == before
    assert checkpoints.load(copy).gate is not None


@pytest.fixture(scope="module")
def shipped() -> Reader:
    return Reader.load(SHIPPED, "cpu")


@pytest.mark.parametrize("case", load_cases(SHIPPED_CASES), ids=lambda c: c.id)
def test_the_shipped_gate_lets_every_teaching_case_in(shipped: Reader, case: TeachingCase) -> None:
    reading = shipped.read(decode(case.image))
    assert not reading.is_refused


@pytest.mark.parametrize("kind", ["noise", "grey", "on its side", "inverted", "stripes"])
def test_the_shipped_gate_refuses_what_is_no_upright_chest(shipped: Reader, kind: str) -> None:
    chest = decode(load_cases(SHIPPED_CASES)[1].image).pixels
    pixels = {
        "noise": np.random.default_rng(0).random(chest.shape),
        "grey": np.full(chest.shape, 0.5),
        "on its side": np.rot90(chest),
        "inverted": 1 - chest,
        "stripes": np.tile(np.arange(chest.shape[1]) // 16 % 2, (chest.shape[0], 1)),
    }[kind]
    picture = Radiograph(np.ascontiguousarray(pixels, np.float32), None, "PNG")
    reading = shipped.read(picture)
    assert reading.is_refused
    assert not reading.shows_map
    assert reading.warnings[0].code == UNLIKE
    said = words.summary("photo.png", reading)
    assert "<h2>No reading</h2>" in said
    assert "What it would have said" in said
    assert summary(reading).startswith("No reading")
    assert "photo.png: no reading" in str(page("photo.png", picture, (), reading, day="2026-01-01").texts)


def test_a_checkpoint_without_a_gate_refuses_nothing(trained: Path) -> None:
    reader = Reader.load(trained / "checkpoint", "cpu")
    reading = reader.read(Radiograph(np.random.default_rng(0).random((80, 80)).astype(np.float32), None, "PNG"))
    assert not reading.is_refused
