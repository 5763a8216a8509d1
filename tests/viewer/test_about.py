"""The About screen says what was measured of the checkpoint that is loaded, and of no other."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from deep_pneumonia import shipped
from deep_pneumonia.prediction import checkpoint as checkpoints
from deep_pneumonia.viewer.about import about, card, metrics_of


@pytest.fixture(scope="module")
def shipped_checkpoint() -> checkpoints.Checkpoint:
    return checkpoints.load(shipped.CHECKPOINT)


def test_the_figures_are_those_that_evaluate_wrote(shipped_checkpoint: checkpoints.Checkpoint) -> None:
    written = json.loads((shipped.CHECKPOINT / "metrics.json").read_text(encoding="utf-8"))
    page = about([shipped_checkpoint])
    assert f"<code>{shipped_checkpoint.sha256[:12]}</code>" in page
    for source, found in written["localisation"].items():
        for name in ("attention", "random", "centre", "grad_cam"):
            e = found[name]["hit_rate"]
            assert f"{e['value']:.3f} <span>({e['low']:.3f} to {e['high']:.3f})</span>" in page, (source, name)
    assert "Not a medical device" in page


def test_two_checkpoints_have_a_letter_each(shipped_checkpoint: checkpoints.Checkpoint) -> None:
    page = about([shipped_checkpoint, checkpoints.load(shipped.PLAIN_CHECKPOINT)])
    assert re.findall(r"Checkpoint (\w): ([\w-]+)", page) == [
        ("A", shipped_checkpoint.name),
        ("B", checkpoints.load(shipped.PLAIN_CHECKPOINT).name),
    ]


def test_of_any_other_checkpoint_no_figure_is_claimed(shipped_checkpoint: checkpoints.Checkpoint) -> None:
    page = about([replace(shipped_checkpoint, sha256="0" * 64, name="<b>mine</b>")])
    assert metrics_of("0" * 64) is None
    assert "deep-pneumonia evaluate" in page
    assert "AUROC" not in page
    assert "<b>mine" not in page


def test_the_card_needs_no_other_file(tmp_path: Path) -> None:
    text = card(shipped.MODEL_CARD)
    assert "data:image/png;base64," in text
    links = re.findall(r"(?<!!)\[[^\]]+\]\(([^)]+)\)", text)
    assert all(link.startswith(("http:", "https:")) for link in links)
    other = tmp_path / "card.md"
    other.write_text("see [the data](docs/data.md) and [paper](https://example.org/x)", encoding="utf-8")
    assert card(other) == "see the data and [paper](https://example.org/x)"
