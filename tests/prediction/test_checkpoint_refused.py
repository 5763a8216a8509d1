"""Checkpoints that would give predictions without meaning are refused when they are loaded."""

import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from deep_pneumonia.errors import CheckpointError, DamagedCheckpointError, DeepPneumoniaError, ForeignCheckpointError
from deep_pneumonia.prediction.checkpoint import WEIGHTS, Checkpoint, load, save, write_card
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import Radiograph
from tests.full_disk import room_for

Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def original() -> Checkpoint:
    torch.manual_seed(0)
    network = AttentionNet(ModelConfig("shufflenet_v2_x0_5", 2, 8)).eval()
    return Checkpoint(network, ("Normal", "Opacity"), "Normal", InputRecipe(64), name="tiny")


@pytest.fixture
def saved(original: Checkpoint, tmp_path: Path) -> Path:
    save(original, tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def change(folder: Path, text: str, by: str) -> None:
    """Replace a piece of model.json."""
    before = (folder / "model.json").read_text(encoding="utf-8")
    assert text in before
    (folder / "model.json").write_text(before.replace(text, by), encoding="utf-8")


def rewrite(folder: Path, alter: Callable[[Tensors], object]) -> None:
    """Change the tensors, with a digest that fits."""
    tensors, before = load_file(folder / WEIGHTS), hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    alter(tensors)
    save_file(tensors, folder / WEIGHTS)
    change(folder, before, hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest())


@pytest.mark.parametrize(
    ("text", "by", "place"),
    [
        ('"temperature": 1.0', '"temperature": 0', "temperature"),
        ('"temperature": 1.0', '"temperature": -1', "temperature"),
        ('"temperature": 1.0', '"temperature": 1e-320', "temperature"),
        ('"temperature": 1.0', '"temperature": true', "temperature"),
        ('"temperature": 1.0', '"temperature": "1.0"', "temperature"),
        ('"finding": 0.0', '"finding": [0]', "thresholds.finding"),
        ('"finding": 0.0', '"finding": 1.5', "thresholds.finding"),
        ('"attention": 0.5', '"attention": "0.5"', "thresholds.attention"),
        ('"classes": [', '"classes": "Normal", "x": [', "classes"),
        ('"Opacity"', '["Opacity"]', r"classes\[1\]"),
        ('"Opacity"', '"\\ud800"', "model.json cannot be read"),
        ('"normal": "Normal"', '"normal": ["Normal"]', "normal"),
        ('"name": "tiny"', '"name": {"a": "tiny"}', "name"),
        ('"size": 64', '"size": 64.0', "recipe.size"),
        ('"size": 64', '"size": 1000000', "recipe.size"),
        ('"width": 8', '"width": 1000000000', "architecture.width"),
        ('"floor": 0.02', '"floor": 0', "architecture.floor"),
        ('"backbone": "shufflenet_v2_x0_5"', '"backbone": ["resnet18"]', "architecture.backbone"),
        ('"training": {}', '"training": []', "training"),
        ('"training": {}', '"training": {"a": NaN}', "model.json cannot be read"),
        ('"training": {}', '"training": {"a": 1e999}', "model.json cannot be read"),
        ('"training": {}', '"training": {"a": ' + "[" * 100_000, "model.json cannot be read"),
    ],
)  # fmt: skip
def test_an_entry_of_another_type_or_range_is_named(text: str, by: str, place: str, saved: Path) -> None:
    change(saved, text, by)
    with pytest.raises(DamagedCheckpointError, match=place):
        load(saved)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("entry", ['"temperature": 1.0', '"low": 0.5', '"grad_cam": 0.5', '"floor": 0.02'])
def test_a_number_that_is_none_is_refused(entry: str, value: str, saved: Path) -> None:
    change(saved, entry, f"{entry.partition(':')[0]}: {value}")
    with pytest.raises(DamagedCheckpointError, match=r"fetch the checkpoint again"):
        load(saved)


def _huge(tensors: Tensors) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point():
            tensors[name] = torch.full(tensor.shape, 3e38)


def _first(tensors: Tensors, part: str) -> str:
    return next(name for name in tensors if part in name)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("part", ["classifier.weight", "bias", "running_mean", "attend.0.0"])
def test_weights_that_are_no_numbers_are_refused(part: str, value: float, saved: Path) -> None:
    def spoil(tensors: Tensors) -> None:
        tensor = tensors[_first(tensors, part)]
        tensor[(0,) * tensor.dim()] = value

    rewrite(saved, spoil)
    with pytest.raises(DamagedCheckpointError, match=r"no finite numbers or cannot be, in '.*fetch the checkpoint"):
        load(saved)


def test_weights_whose_products_are_no_numbers_are_refused(saved: Path) -> None:
    rewrite(saved, _huge)
    with pytest.raises(DamagedCheckpointError, match="in what they compute"):
        load(saved)


def test_a_negative_variance_is_refused(saved: Path) -> None:
    rewrite(saved, lambda tensors: tensors[_first(tensors, "running_var")].fill_(-1))
    with pytest.raises(DamagedCheckpointError, match="running_var"):
        load(saved)


@pytest.mark.parametrize(
    "alter",
    [
        lambda t: t.pop(_first(t, "classifier.weight")),
        lambda t: t.update(more=torch.ones(1)),
        lambda t: t.update({_first(t, "bias"): torch.ones(1)}),
        lambda t: t.update({n: v.to(torch.int8) for n, v in t.items() if "classifier.weight" in n}),
        lambda t: t.clear(),
    ],
    ids=["missing", "too much", "another shape", "whole numbers", "none"],
)
def test_tensors_that_are_not_the_networks_are_refused(alter: Callable[[Tensors], object], saved: Path) -> None:
    rewrite(saved, alter)
    with pytest.raises(ForeignCheckpointError, match="do not fit the architecture"):
        load(saved)


def test_other_precisions_are_read(original: Checkpoint, saved: Path) -> None:
    rewrite(saved, lambda t: t.update({n: v.double() for n, v in t.items() if v.is_floating_point()}))
    loaded = load(saved).network.state_dict()
    assert all(torch.allclose(loaded[n], v, atol=1e-3) for n, v in original.network.state_dict().items())


def test_a_prediction_without_numbers_is_an_error(original: Checkpoint) -> None:
    network = copy.deepcopy(original.network)
    with torch.no_grad():
        network.classifier.bias[0] = torch.nan
    predictor = Predictor(replace(original, network=network), torch.device("cpu"))
    radiograph = Radiograph(np.random.default_rng(0).random((64, 64), np.float32), None, "PNG")
    with pytest.raises(DamagedCheckpointError, match="tiny gives no finite numbers for this radiograph"):
        predictor.predict(radiograph)


@pytest.mark.parametrize("text", ["[]", '{"checkpoint": []}', '{"checkpoint": {"sha256": 1}}', "NaN", "\\ud800", "{"])
def test_metrics_that_are_none_are_as_if_missing(text: str, saved: Path) -> None:
    (saved / "metrics.json").write_text(text)
    assert load(saved).metrics is None
    write_card(saved)
    assert "Not evaluated." in (saved / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "rest", [{}, {"classification": [], "localisation": {}}, {"classification": {"nih": {"n": 1}}}]
)
def test_metrics_of_another_make_are_named(rest: dict[str, Any], saved: Path) -> None:
    metrics = {"checkpoint": {"sha256": load(saved).sha256}, **rest}
    (saved / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(CheckpointError, match=r"metrics\.json is not what evaluate writes .*evaluate again"):
        write_card(saved)


@pytest.mark.parametrize("room", [100, 8192, 100_000])
def test_a_full_disk_leaves_the_former_checkpoint(room: int, original: Checkpoint, saved: Path) -> None:
    former = {p.name: p.read_bytes() for p in saved.iterdir()}
    with room_for(room), pytest.raises(DeepPneumoniaError, match="no room left on its disk"):
        save(replace(original, name="new"), saved)
    assert {p.name: p.read_bytes() for p in saved.iterdir()} == former
    assert [p.name for p in saved.parent.iterdir()] == ["checkpoint"]


@pytest.mark.parametrize("version", ["e" * 5000, {"a": "e" * 5000}, 10**400])
def test_a_message_quotes_the_start_of_a_long_value(version: Any, saved: Path) -> None:
    facts = json.loads((saved / "model.json").read_text())
    (saved / "model.json").write_text(json.dumps(facts | {"format": version}))
    with pytest.raises(CheckpointError) as refused:
        load(saved)
    assert len(str(refused.value)) < 400
