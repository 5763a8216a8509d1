"""The model card of a checkpoint: the Hub can read its front matter, and it says no more than the files beside it."""

import json
from typing import Any

import pytest
from huggingface_hub import ModelCard

from deep_pneumonia import shipped
from deep_pneumonia.prediction.card import card


@pytest.fixture
def facts() -> dict[str, Any]:
    return json.loads((shipped.CHECKPOINT / "model.json").read_text(encoding="utf-8"))


@pytest.fixture
def metrics() -> dict[str, Any]:
    return json.loads((shipped.CHECKPOINT / "metrics.json").read_text(encoding="utf-8"))


def test_the_hub_reads_the_front_matter(facts: dict[str, Any], metrics: dict[str, Any]) -> None:
    data = ModelCard(card(facts, metrics)).data
    assert (data.license, data.library_name, data.pipeline_tag) == (
        "apache-2.0",
        "deep-pneumonia",
        "image-classification",
    )
    assert "pneumonia" in data.tags
    assert "NIH ChestX-ray14" in data.datasets
    assert data.metrics == ["accuracy", "f1", "roc_auc"]
    assert data.model_name == "resnet18-288"
    found = {(r.dataset_type, r.metric_type): r.metric_value for r in data.eval_results}
    assert found["nih", "roc_auc"] == round(metrics["classification"]["nih"]["auroc_abnormal"]["value"], 3)
    assert ("covid", "roc_auc") not in found, "of one normal image an AUROC says nothing"


def test_the_text_holds_use_data_scores_and_limits(facts: dict[str, Any], metrics: dict[str, Any]) -> None:
    text = card(facts, metrics)
    assert "Research and teaching only" in text.replace("For research", "Research")
    assert "| train | [NIH ChestX-ray14](https://arxiv.org/abs/1705.02315) | 0 | 297 | 383 | 0 | 297 |" in text
    assert "| NIH ChestX-ray14 | 120 | AUROC, any finding | 0.956 (0.916 to 0.986) |" in text
    assert "rejected by the gate" in text
    assert "has no gate" in card({**facts, "gate": None}, metrics)


def test_the_python_in_it_is_python(facts: dict[str, Any]) -> None:
    _, code, _ = card(facts, None).split("```")
    lines = code.removeprefix("python\n")
    compile(lines, "README.md", "exec")
    assert len(list(filter(None, lines.splitlines()))) == 3


@pytest.mark.parametrize("counts", [None, 3, {"train": 40}, {"train": {"own": 3}}])
def test_a_checkpoint_that_states_no_data_and_no_scores_has_a_card_too(facts: dict[str, Any], counts: object) -> None:
    text = card({**facts, "training": {"counts": counts}}, None)
    assert "Not stated." in text
    assert "Not evaluated." in text
    data = ModelCard(text).data
    assert (data.datasets, data.metrics, data.eval_results) == (None, None, None)


def test_own_data_go_by_their_own_name_and_undefined_scores_are_a_dash(
    facts: dict[str, Any], metrics: dict[str, Any]
) -> None:
    facts["training"]["counts"] = {"train": {"our clinic": {"Normal": 2}}}
    metrics["localisation"]["nih"]["attention"]["iou"] = {"value": None, "low": None, "high": None}
    metrics["classification"]["nih"]["accuracy"] = {"value": None, "low": None, "high": None}
    text = card(facts, metrics)
    assert "| train | our clinic | 0 | 0 | 2 | 0 | 0 |" in text
    assert "| IoU of the attention map | \u2013 |" in text
    assert "| NIH ChestX-ray14 | 120 | Accuracy" not in text
