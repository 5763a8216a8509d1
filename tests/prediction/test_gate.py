"""The gate knows what the training radiographs are like, and says so of nothing else."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import chi2

from deep_pneumonia import fit_gate, shipped
from deep_pneumonia.datasets.manifest import read_manifests
from deep_pneumonia.datasets.teaching_cases import TeachingCase, load_cases
from deep_pneumonia.drawing.case_report import page
from deep_pneumonia.errors import DamagedCheckpointError
from deep_pneumonia.predict import summary
from deep_pneumonia.prediction import checkpoint as checkpoints
from deep_pneumonia.prediction.gate import Gate
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import Radiograph, decode
from deep_pneumonia.training.cache import Cache
from deep_pneumonia.training.gate_fitting import ACCEPTED_SHARE, MIN_RADIOGRAPHS, all_features, fit
from deep_pneumonia.training.gate_negatives import ALTERED_BY, altered, half
from deep_pneumonia.viewer import html as words


def drawn(count: int, seed: int, spread: tuple[float, ...] = (1.0, 3.0, 0.5), shift: float = 0.0) -> torch.Tensor:
    """Features (count, 3, 1, 1) of a cloud."""
    random = np.random.default_rng(seed)
    turned = np.linalg.qr(np.random.default_rng(9).normal(size=(3, 3)))[0]
    cloud = torch.from_numpy((random.normal(size=(count, 3)) * spread) @ turned + shift).float()
    return cloud[:, :, None, None]


def plain(mean: list[float], precision: torch.Tensor, limit: float) -> Gate:
    """A gate whose plane lies far away."""
    return Gate(torch.tensor(mean), precision, limit, torch.zeros(9 * len(mean)), -50.0)


def test_the_distance_is_that_of_mahalanobis_of_the_mean_over_the_cells() -> None:
    gate = plain([1.0, 2.0], torch.tensor([[1.0, 0.0], [0.0, 0.25]]), limit=2.0)
    seen = torch.tensor([[1.0, 2.0], [4.0, 2.0], [1.0, 10.0]])[:, :, None, None].tile(1, 1, 3, 3)
    seen[:, :, 0] += 5
    seen[:, :, 2] -= 5
    assert gate.strangeness(seen).tolist() == pytest.approx([0.0, 1.5, 2.0])


def test_the_plane_knows_where_in_the_picture_something_is() -> None:
    weights = torch.tensor([[1.0, -1.0], [0.0, 0.0]]).repeat(2, 1).flatten()  # of two features on 2 x 2 cells
    gate = Gate(torch.zeros(2), torch.eye(2) / 1e6, 1.0, weights, -1.0)
    upright = torch.tensor([[1.0, 2.0], [0.0, 0.0]]).repeat(1, 2, 1, 1)
    assert gate.odds(upright).tolist() == pytest.approx([np.exp(-3)])
    assert gate.odds(upright.flip(3)).tolist() == pytest.approx([np.exp(1)])
    assert gate.strangeness(100 * upright.flip(3)).tolist() == [100.0]


def test_of_a_normal_cloud_the_limits_are_those_of_its_chi_square_and_its_normal() -> None:
    gate = fit(drawn(20_000, 1), drawn(20_000, 5, shift=2), drawn(20_000, 2), np.array(["a"] * 20_000))
    assert gate is not None
    assert gate.limit == pytest.approx(chi2.ppf(ACCEPTED_SHARE, df=3) ** 0.5, rel=0.03)
    for part in (gate.distance, gate.odds):
        assert float((part(drawn(20_000, 3)) > 1).float().mean()) == pytest.approx(1 - ACCEPTED_SHARE, abs=0.0015)
    assert (gate.distance(drawn(100, 4, shift=30)) > 1).all()
    assert (gate.odds(drawn(100, 4, shift=9)) > 1).all()
    assert not (gate.odds(drawn(100, 4, shift=-9)) > 1).any()


def test_a_small_source_is_not_refused_more_than_the_others() -> None:
    held_out = torch.cat([drawn(1000, 2), drawn(50, 3, spread=(2.0, 6.0, 1.0))])
    sources = np.array(["large"] * 1000 + ["small"] * 50)
    gate = fit(drawn(1000, 1), drawn(1000, 5, shift=2), held_out, sources)
    assert gate is not None
    assert float((gate.strangeness(held_out[1000:]) > 1).float().sum()) <= 2


def test_of_few_radiographs_no_gate_is_made() -> None:
    assert fit(drawn(MIN_RADIOGRAPHS - 1, 1), drawn(9, 5), drawn(50, 2), np.array(["a"] * 50)) is None
    assert fit(drawn(MIN_RADIOGRAPHS, 1), drawn(9, 5), drawn(0, 2), np.array([], dtype=str)) is None


@pytest.mark.parametrize("number", range(2 * len(ALTERED_BY)))
def test_an_altered_radiograph_is_another_picture_of_the_same_size_every_time(number: int) -> None:
    frame = torch.rand(64, 64, generator=torch.Generator().manual_seed(1)).cumsum(0).cumsum(1) / 1300
    recipe = InputRecipe(64)
    made = altered(frame, number, recipe)
    assert made.shape == (64, 64)
    assert float(made.min()) == 0.0
    assert float(made.max()) == 1.0
    assert float((made - frame).abs().mean()) > 0.05
    assert torch.equal(made, altered(frame, number, recipe))


def test_one_half_is_left_right_upper_or_lower() -> None:
    frame = torch.arange(100.0).reshape(10, 10)
    found = set()
    for seed in range(40):
        part = half(frame, torch.Generator().manual_seed(seed))
        assert sorted(part.shape) in ([4, 10], [5, 10])
        begins, ends = part[0, 0] == 0, part[-1, -1] == 99
        found |= {side for side, is_it in (("upper", begins), ("lower", ends)) if is_it and part.shape[1] == 10} | {
            side for side, is_it in (("left", begins), ("right", ends)) if is_it and part.shape[0] == 10
        }
    assert found == {"upper", "left", "lower", "right"}


def test_each_radiograph_is_altered_in_another_way_the_second_time(copy: Path, drawn_set: Path, tmp_path: Path) -> None:
    predictor = Predictor.load(copy, "cpu")
    cases = [c for c in read_manifests([drawn_set]) if c.split == "train"]
    data = Cache(cases, predictor.checkpoint.recipe, tmp_path)
    assert len(cases) % len(ALTERED_BY) == 0
    made = all_features(predictor.network, data, predictor.device, altered_times=2, batch=5)
    assert len(made) == 2 * len(cases)
    whole = all_features(predictor.network, data, predictor.device, batch=5)
    first, second = made.split(len(cases))
    apart = [[float((a - b).abs().max()) > 1e-3 for a, b in zip(one, other, strict=True)]
             for one, other in ((first, whole), (second, whole), (first, second))]  # fmt: skip
    assert all(apart[0] + apart[1])
    assert sum(apart[2]) >= len(cases) - 1  # turned by 180 degrees and mirrored is upside down


def test_radiographs_are_turned_over_and_inverted() -> None:
    frame = torch.arange(16.0).reshape(4, 4) / 15
    made = [ALTERED_BY[i](frame, torch.Generator()) for i in range(5)]
    assert [round(float(m[0, 0]) * 15) for m in made] == [3, 12, 15, 12, 15]


@pytest.fixture
def copy(trained: Path, tmp_path: Path) -> Path:
    """A little checkpoint without a gate, to be given one."""
    return Path(shutil.copytree(trained / "checkpoint", tmp_path / "checkpoint"))


def test_a_gate_is_saved_with_the_checkpoint_and_comes_back(copy: Path) -> None:
    made = checkpoints.load(copy)
    assert made.gate is None
    features = made.network.backbone.channels[1]
    gate = Gate(torch.arange(features) + 1.0, torch.eye(features), 3.0, torch.arange(9 * features) + 4.0, -6.0)
    checkpoints.add_gate(copy, gate)
    found = checkpoints.load(copy)
    assert found.gate is not None
    assert found.sha256 == made.sha256
    assert (found.gate.limit, found.gate.bias) == (3.0, -6.0)
    for name in ("mean", "precision", "weights"):
        assert torch.equal(getattr(found.gate, name), getattr(gate, name))
    checkpoints.save(replace(found, training={}), copy)
    assert checkpoints.load(copy).gate is not None


@pytest.mark.parametrize("harm", ["cut", "gone", "digest", "limit", "earlier", "size", "nan", "negative limit"])
def test_a_damaged_gate_is_named(copy: Path, harm: str) -> None:
    features = 2 if harm == "size" else checkpoints.load(copy).network.backbone.channels[1]
    gate = plain([0.0] * features, torch.eye(features), 3.0)
    if harm == "nan":
        gate.precision[1, 0] = torch.nan
    checkpoints.add_gate(copy, gate)
    path, model = copy / "gate.safetensors", copy / "model.json"
    facts = json.loads(model.read_text())
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-4])
    elif harm == "gone":
        path.unlink()
    elif harm == "negative limit":
        model.write_text(json.dumps(facts).replace('"limit": 3.0', '"limit": -3.0'))
    elif harm == "earlier":  # the first gates had no plane
        del facts["gate"]["bias"]
        model.write_text(json.dumps(facts))
    elif harm in ("digest", "limit"):
        facts["gate"]["sha256" if harm == "digest" else "limit"] = "x"
        model.write_text(json.dumps(facts))
    with pytest.raises(DamagedCheckpointError):
        checkpoints.load(copy)
    assert checkpoints.load(copy, with_gate=False).gate is None


def test_the_verb_fits_one_and_changes_nothing_else(
    copy: Path, tmp_path: Path, drawn_set: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["--checkpoint", str(copy), "--manifest", str(drawn_set), "--cache", str(tmp_path / "c"), "--device", "cpu"]
    assert fit_gate.main(asked) == 2
    assert "a gate needs at least 200 for training and 1 for validation" in capsys.readouterr().err
    before = (copy / "model.safetensors").read_bytes()
    monkeypatch.setattr("deep_pneumonia.training.gate_fitting.MIN_RADIOGRAPHS", 4)
    assert fit_gate.main(asked) == 0
    assert (copy / "model.safetensors").read_bytes() == before
    assert checkpoints.load(copy).gate is not None


@pytest.fixture(scope="module")
def shipped_predictor() -> Predictor:
    return Predictor.load(shipped.CHECKPOINT, "cpu")


@pytest.mark.parametrize("case", load_cases(shipped.CASES), ids=lambda c: c.id)
def test_the_shipped_gate_lets_every_teaching_case_in(shipped_predictor: Predictor, case: TeachingCase) -> None:
    prediction = shipped_predictor.predict(decode(case.image))
    assert not prediction.is_refused


KINDS = {
    "noise": lambda chest: np.random.default_rng(0).random(chest.shape),
    "on its side": np.rot90,
    "upside down": lambda chest: np.rot90(chest, 2),
    "inverted": lambda chest: 1 - chest,
    "a quarter of it": lambda chest: chest[: chest.shape[0] // 2, : chest.shape[1] // 2],
    "stripes": lambda chest: np.tile(np.arange(chest.shape[1]) // 16 % 2, (chest.shape[0], 1)),
}


def picture(pixels: np.ndarray, colour: float = 0.0) -> Radiograph:
    return Radiograph(np.ascontiguousarray(pixels, np.float32), None, "PNG", colour)


@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_gate_refuses_what_is_no_upright_chest(shipped_predictor: Predictor, kind: str) -> None:
    chest = decode(load_cases(shipped.CASES)[1].image).pixels
    radiograph = picture(KINDS[kind](chest))
    prediction = shipped_predictor.predict(radiograph)
    assert prediction.is_refused
    assert not prediction.shows_map
    assert shipped_predictor.strangeness(radiograph) > 1
    assert prediction.warnings[0].code == "unlike"
    said = words.summary("photo.png", prediction)
    assert "<h2>Image rejected: no prediction</h2>" in said
    assert "What the model would have predicted" in said
    assert summary(prediction).startswith("Rejected")
    assert "photo.png: rejected, no prediction" in str(
        page("photo.png", radiograph, (), prediction, day="2026-01-01").texts
    )


def test_a_chest_with_coloured_marks_is_read_and_a_picture_in_colours_is_not(shipped_predictor: Predictor) -> None:
    chest = decode(load_cases(shipped.CASES)[1].image).pixels
    marked, painted = (shipped_predictor.predict(picture(chest, colour)) for colour in (0.2, 0.5))
    assert not marked.is_refused
    assert [w.code for w in marked.warnings] == ["colour"]
    assert painted.is_refused
    assert "50% of this picture is coloured" in painted.warnings[0].message
    assert shipped_predictor.strangeness(picture(chest, 0.5)) == np.inf


@pytest.mark.parametrize(("spread", "codes"), [(0.0, True), (0.015, True), (0.025, False)])
def test_a_blank_is_refused_as_such_with_dust_and_without(trained: Path, spread: float, codes: bool) -> None:
    predictor = Predictor.load(trained / "checkpoint", "cpu")
    pixels = 0.5 + spread * np.linspace(0, 1.01, 300 * 300).reshape(300, 300)
    pixels[0, :8] = 1.0
    prediction = predictor.predict(picture(pixels))
    assert prediction.is_refused == codes
    assert ("blank" in {w.code for w in prediction.warnings}) == codes


def test_a_checkpoint_without_a_gate_refuses_nothing(trained: Path) -> None:
    predictor = Predictor.load(trained / "checkpoint", "cpu")
    prediction = predictor.predict(picture(np.random.default_rng(0).random((80, 80))))
    assert not prediction.is_refused
