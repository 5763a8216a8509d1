"""Checkpoints of the first format, and what later formats add to the recipe."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from deep_pneumonia.prediction.checkpoint import Checkpoint, load, save
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig

SMALL = ModelConfig("shufflenet_v2_x0_5", classes=3, width=8)
IMAGES = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def original() -> Checkpoint:
    torch.manual_seed(0)
    return Checkpoint(AttentionNet(SMALL).eval(), ("Clear", "B", "C"), "Clear", InputRecipe(64, 1.0, 99.0), name="tiny")


def facts_of(folder: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return facts


def test_a_checkpoint_of_the_first_format_is_read_and_keeps_its_key(original: Checkpoint, tmp_path: Path) -> None:
    save(original, tmp_path / "c")
    now, facts = load(tmp_path / "c"), facts_of(tmp_path / "c")
    recipe = {"size": 64, "low": 1.0, "high": 99.0}
    facts |= {"format": 1, "recipe": recipe}
    (tmp_path / "c" / "model.json").write_text(json.dumps(facts))
    old = load(tmp_path / "c")
    assert old.recipe == now.recipe == InputRecipe(64, 1.0, 99.0)
    told = [old.sha256, old.classes, old.normal, recipe, facts["thresholds"], old.temperature, None]
    assert old.key == now.key == hashlib.sha256(json.dumps(told).encode()).hexdigest()


@pytest.mark.parametrize("entries", [{"detail": 32}, {"mean": 0.4, "std": 0.5}])
def test_a_recipe_that_changes_predictions_changes_the_key(entries: dict[str, Any], original: Checkpoint) -> None:
    recipe = replace(original.recipe, **entries)
    network = AttentionNet(SMALL, recipe.mean, recipe.std)
    assert replace(original, network=network, recipe=recipe).key != original.key


def test_grey_levels_of_network_and_recipe_must_agree(original: Checkpoint) -> None:
    with pytest.raises(ValueError, match=r"grey levels 0.5, 0.25, not InputRecipe"):
        replace(original, recipe=InputRecipe(64, mean=0.4))


def test_the_grey_levels_travel_with_the_weights(tmp_path: Path) -> None:
    network = AttentionNet(SMALL, 0.4, 0.5).eval()
    save(Checkpoint(network, ("A", "B", "C"), "A", InputRecipe(64, detail=48, mean=0.4, std=0.5)), tmp_path / "c")
    found = load(tmp_path / "c")
    assert found.recipe == InputRecipe(64, detail=48, mean=0.4, std=0.5)
    plain = AttentionNet(SMALL).eval()
    plain.load_state_dict(found.network.state_dict())
    with torch.inference_mode():
        same, other = (
            (n.backbone(IMAGES)[0] - network.backbone(IMAGES)[0]).abs().max() for n in (found.network, plain)
        )
    assert 10 * float(same) < float(other)
