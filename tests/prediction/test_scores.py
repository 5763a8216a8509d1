"""The table of scores is complete, and the glossary repeats it word for word."""

import json
import re
from dataclasses import fields

from deep_pneumonia import shipped
from deep_pneumonia.estimate import DASH
from deep_pneumonia.prediction.agreement import Scores
from deep_pneumonia.prediction.scores import SCORES, score_text
from tests.paths import ROOT

GLOSSARY = ROOT / "docs" / "glossary.md"
# | Hit rate | `hit` | What it means. | 0 to 1 |
ROW = re.compile(r"^\| (?P<name>[^|]+) \| `(?P<key>\w+)` \| (?P<hint>[^|]+) \| (?P<low>\S+) to (?P<high>\S+) \|$")


def test_each_value_of_an_agreement_has_one_entry_in_the_same_order() -> None:
    assert [score.key for score in SCORES] == [field.name for field in fields(Scores)]


def test_means_are_found_in_the_metrics_of_the_shipped_checkpoint() -> None:
    metrics = json.loads((shipped.CHECKPOINT / "metrics.json").read_text(encoding="utf-8"))
    attention = metrics["localisation"]["nih"]["attention"]
    assert [score.key_of_mean for score in SCORES] == list(attention)


def test_the_glossary_repeats_the_table() -> None:
    text = GLOSSARY.read_text(encoding="utf-8")
    section = text.split("\n## Scores\n", 1)[1].split("\n## ", 1)[0]
    rows = [found for line in section.splitlines() if (found := ROW.match(line))]
    described = [(r["key"], r["name"], r["hint"], float(r["low"]), float(r["high"])) for r in rows]
    assert described == [(s.key, s.name, s.hint, s.low, s.high) for s in SCORES]


def test_scores_as_text() -> None:
    assert [score_text(value) for value in (True, False, None)] == ["yes", "no", DASH]
    assert [score_text(value) for value in (0.0, 1.0, 0.256)] == ["0.00", "1.00", "0.26"]
