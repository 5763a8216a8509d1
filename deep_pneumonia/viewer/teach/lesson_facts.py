"""Figures that the lesson quotes: what `evaluate` and `train` wrote of the shipped checkpoints, and its pictures."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import read_document
from deep_pneumonia.errors import CheckpointError


@dataclass(frozen=True)
class Figure:
    """A figure of test patients with its 95% interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"

    def overlaps(self, other: "Figure") -> bool:
        """Whether the two intervals have a point in common."""
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True)
class Facts:
    """What is known of a shipped checkpoint: its `name`, what `evaluate` found, and what `train` says of itself."""

    name: str
    metrics: dict[str, Any]
    model: dict[str, Any]

    def figure(self, *path: str) -> Figure:
        """One figure of metrics.json, such as ("localisation", "nih", "attention", "iou")."""
        found: Any = self.metrics
        for part in path:
            found = found[part]
        return Figure(found["value"], found["low"], found["high"])

    def named(self, source: str, predicted: str) -> tuple[int, int]:
        """How many test images of a source were called `predicted`, and how many there are."""
        confusion = self.metrics["classification"][source]["confusion"]
        column = confusion["classes"].index(predicted)
        return sum(row[column] for row in confusion["matrix"]), self.metrics["classification"][source]["n"]

    def labelled(self, source: str, name: str) -> int:
        """How many test images of a source have a class."""
        return int(self.metrics["classification"][source]["counts"].get(name, 0))

    @property
    def counts(self) -> dict[str, int]:
        """Training images of each class."""
        sources = self.model["training"]["counts"]["train"].values()
        return {name: sum(s.get(name, 0) for s in sources) for name in self.model["classes"]}

    def largest_source(self, name: str) -> tuple[str, int]:
        """The source that most training images of a class are from, and how many."""
        sources = self.model["training"]["counts"]["train"]
        source = max(sources, key=lambda s: sources[s].get(name, 0))
        return source, sources[source].get(name, 0)

    @property
    def beta(self) -> float:
        """Of the class-balanced weights in training."""
        return float(self.model["training"]["options"]["beta"])

    @property
    def repeats(self) -> int:
        """How many times an image with a drawn lesion stood in an epoch."""
        return int(self.model["training"]["options"]["lesion_repeats"])


@cache
def facts(folder: Path = shipped.CHECKPOINT) -> Facts:
    """What is known of a shipped checkpoint.

    Raises:
        CheckpointError: metrics.json or model.json cannot be read.
    """
    try:
        metrics, model = (json.loads((folder / f"{n}.json").read_text(encoding="utf-8")) for n in ("metrics", "model"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"The figures in {folder} cannot be read ({error}); get the folder whole, as it is in the repository."
        ) from error
    return Facts(model["name"], metrics, model)


def plain() -> Facts:
    """What is known of the checkpoint that was trained without doctors' masks.

    Raises:
        CheckpointError: metrics.json or model.json cannot be read.
    """
    return facts(shipped.PLAIN_CHECKPOINT)


def frames(folder: Path = shipped.LESSON) -> dict[str, Any]:
    """The lesson's pictures as its lesson.json describes them: "frames" and "lettered".

    Raises:
        CasesError: it is missing or damaged.
    """
    return read_document(folder, "lesson.json", "frames")
