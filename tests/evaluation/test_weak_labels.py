"""Figures on what is normal by report alone, by hand."""

from pathlib import Path

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.evaluation.per_image import Row
from deep_pneumonia.evaluation.weak_labels import weak_scores


def row(patient: str, ill: float, *, label: str = "", weak: str = "", shown: bool = False, source: str = "a") -> Row:
    case = Case(Path("x.png"), patient, source, "test", label, weak_label=weak)
    probabilities = {"Clear": 1 - ill, "Ill": ill}
    return Row(case, max(probabilities, key=lambda c: probabilities[c]), probabilities, 0.5, shown)


def test_weak_normals_are_counted_and_ranked_against_what_doctors_called_ill() -> None:
    rows = [
        row("1", 0.9, weak="Clear", shown=True), row("2", 0.2, weak="Clear"), row("3", 0.1, weak="Clear"),
        row("4", 0.4, weak="Clear", shown=True), row("5", 0.8, label="Ill"), row("6", 0.3, label="Ill"),
        row("7", 0.0, label="Clear", weak="Clear"), row("8", 0.0, weak="Ill"), row("9", 0.0),
        row("10", 0.0, label="Ill", source="b"),
    ]  # fmt: skip
    found = weak_scores(rows, ["a", "b"], "Clear")
    assert found.keys() == {"a"}  # b has none
    assert (found["a"]["n"], found["a"]["patients"]) == (4, 4)
    assert found["a"]["called_abnormal"]["value"] == 1 / 4
    assert found["a"]["map_shown"]["value"] == 2 / 4
    # 0.8 ranks above 0.2, 0.1 and 0.4; 0.3 above 0.2 and 0.1: 5 of 8 pairs.
    assert found["a"]["auroc_abnormal"]["value"] == 5 / 8
