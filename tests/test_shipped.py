"""What the repository ships: the checkpoint is whole, its figures are its own, and the documents quote them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from deep_pneumonia import shipped
from deep_pneumonia.evaluate import report
from deep_pneumonia.prediction.checkpoint import write_card
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import Radiograph
from tests.paths import ROOT
from tests.phantom import draw

BOTH = (shipped.CHECKPOINT, shipped.PLAIN_CHECKPOINT)


@pytest.fixture(scope="module")
def metrics() -> Any:
    return json.loads((shipped.CHECKPOINT / "metrics.json").read_text(encoding="utf-8"))


def test_the_checkpoint_reads_a_picture(metrics: Any) -> None:
    predictor = Predictor.load(device="cpu")
    pixels, _ = draw(5, (512, 480), lesion=True)
    prediction = predictor.predict(Radiograph(pixels, None, "PNG", colour=0.0))
    assert set(prediction.probabilities) == set(predictor.checkpoint.classes)
    assert predictor.checkpoint.normal in predictor.checkpoint.classes
    assert prediction.checkpoint_sha256 == metrics["checkpoint"]["sha256"]


@pytest.mark.parametrize("folder", BOTH)
def test_it_is_small_and_without_pickle(folder: Path) -> None:
    files = {f.name: f.stat().st_size for f in folder.iterdir()}
    assert set(files) == {"README.md", "model.json", "model.safetensors", "gate.safetensors", "metrics.json"}
    assert sum(files.values()) <= 30_000_000


@pytest.mark.parametrize("folder", BOTH)
def test_its_card_is_what_the_code_writes_from_its_facts(folder: Path, tmp_path: Path) -> None:
    for name in ("model.json", "metrics.json"):
        shutil.copy(folder / name, tmp_path)
    write_card(tmp_path)
    written, kept = ((f / "README.md").read_text(encoding="utf-8") for f in (tmp_path, folder))
    again = f"from pathlib import Path; from {write_card.__module__} import write_card; write_card(Path('{folder}'))"
    assert kept == written, f'write it again: python -c "{again}"'


@pytest.mark.parametrize("folder", BOTH)
def test_nothing_in_it_says_where_it_was_made(folder: Path) -> None:
    for name in ("model.json", "metrics.json"):
        text = (folder / name).read_text(encoding="utf-8")
        assert '"/' not in text
        assert "../" not in text


def test_the_model_card_quotes_the_evaluation(metrics: Any) -> None:
    assert report(metrics) in (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_attention_finds_lesions_far_better_than_chance(metrics: Any) -> None:
    for source, found in metrics["localisation"].items():
        if found["n"] >= 50:
            for control in ("random", "centre", "grad_cam"):
                assert found["attention"]["hit_rate"]["low"] > found[control]["hit_rate"]["high"], (source, control)


def test_the_second_checkpoint_differs_by_the_doctors_masks_alone() -> None:
    first, second = (
        json.loads((folder / "model.json").read_text(encoding="utf-8"))
        for folder in (shipped.CHECKPOINT, shipped.PLAIN_CHECKPOINT)
    )
    guided, plain = (facts["training"]["options"] for facts in (first, second))
    changed = {name for name, value in plain.items() if guided[name] != value} - {"save_every"}
    assert changed == {"attention_weight", "hard_probability", "regulation_weight"}
    assert [plain[name] for name in sorted(changed)] == [0, 0, 0]
    assert first["training"]["counts"] == second["training"]["counts"]
    assert first["recipe"] == second["recipe"]


def test_without_masks_the_attention_lies_elsewhere(metrics: Any) -> None:
    plain = json.loads((shipped.PLAIN_CHECKPOINT / "metrics.json").read_text(encoding="utf-8"))
    found, without = (m["localisation"]["nih"]["attention"]["hit_rate"] for m in (metrics, plain))
    assert found["low"] > without["high"]
    assert Predictor.load(shipped.PLAIN_CHECKPOINT, "cpu").checkpoint.sha256 == plain["checkpoint"]["sha256"]
