"""What the repository ships: the checkpoint is whole, its figures are its own, and the documents quote them."""

import json
from pathlib import Path
from typing import Any

import pytest

from deep_pneumonia.evaluate import report
from deep_pneumonia.radiograph import Radiograph
from deep_pneumonia.reader import SHIPPED, Reader
from tests.phantom import draw

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def metrics() -> Any:
    return json.loads((SHIPPED / "metrics.json").read_text(encoding="utf-8"))


def test_the_checkpoint_reads_a_picture(metrics: Any) -> None:
    reader = Reader.load(device="cpu")
    pixels, _ = draw(5, (512, 480), lesion=True)
    reading = reader.read(Radiograph(pixels, None, "PNG", colour=0.0))
    assert set(reading.probabilities) == set(reader.checkpoint.classes)
    assert reader.checkpoint.normal in reader.checkpoint.classes
    assert reading.checkpoint_sha256 == metrics["checkpoint"]["sha256"]


def test_it_is_small_and_without_pickle() -> None:
    files = {f.name: f.stat().st_size for f in SHIPPED.iterdir()}
    assert set(files) == {"model.json", "model.safetensors", "metrics.json"}
    assert sum(files.values()) <= 30_000_000


def test_nothing_in_it_says_where_it_was_made() -> None:
    for name in ("model.json", "metrics.json"):
        text = (SHIPPED / name).read_text(encoding="utf-8")
        assert '"/' not in text
        assert "../" not in text


def test_the_model_card_quotes_the_evaluation(metrics: Any) -> None:
    assert report(metrics) in (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_attention_finds_lesions_far_better_than_chance(metrics: Any) -> None:
    for source, found in metrics["localisation"].items():
        if found["n"] >= 50:
            for control in ("random", "centre", "grad_cam"):
                assert found["attention"]["hit_rate"]["low"] > found[control]["hit_rate"]["high"], (source, control)
