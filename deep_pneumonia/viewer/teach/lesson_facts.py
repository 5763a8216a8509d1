"""What the lesson quotes: results of the shipped checkpoints by `evaluate` and `train`, and the lesson's pictures."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import Text, read_document
from deep_pneumonia.errors import CasesError, CheckpointError
from deep_pneumonia.estimate import Estimate
from deep_pneumonia.strict_json import StrictModel, first_problem


class _Picture(StrictModel):
    image: Text


class _Frame(_Picture):
    mask: Text | None
    severity: Annotated[float, Field(ge=0, le=1)] | None


class _Lesson(StrictModel):
    frames: Annotated[list[_Frame], Field(min_length=2, max_length=100)]
    lettered: _Picture


@dataclass(frozen=True)
class Facts:
    """What is known about a shipped checkpoint: its name, metrics.json of `evaluate` and model.json of `train`."""

    name: str
    metrics: dict[str, Any]
    model: dict[str, Any]

    def estimate(self, *path: str) -> Estimate:
        """One estimate of metrics.json, such as ("localisation", "nih", "attention", "iou")."""
        found: Any = self.metrics
        for part in path:
            found = found[part]
        return Estimate.from_json(found)

    def predicted(self, source: str, name: str) -> tuple[int, int]:
        """For how many test images of a source class `name` was predicted, and how many images there are."""
        confusion = self.metrics["classification"][source]["confusion"]
        column = confusion["classes"].index(name)
        return sum(row[column] for row in confusion["matrix"]), self.metrics["classification"][source]["n"]

    def labelled(self, source: str, name: str) -> int:
        """How many test images of a source are labelled `name`."""
        return int(self.metrics["classification"][source]["counts"].get(name, 0))

    @property
    def counts(self) -> dict[str, int]:
        """The number of training images of each class."""
        sources = self.model["training"]["counts"]["train"].values()
        return {name: sum(s.get(name, 0) for s in sources) for name in self.model["classes"]}

    @property
    def rarest_class(self) -> str:
        """The class with the fewest training images."""
        return min(self.counts, key=self.counts.__getitem__)

    def largest_source(self, name: str) -> tuple[str, int]:
        """The source with the most training images of a class, and how many it has."""
        sources = self.model["training"]["counts"]["train"]
        source = max(sources, key=lambda s: sources[s].get(name, 0))
        return source, sources[source].get(name, 0)

    @property
    def beta(self) -> float:
        """The beta of the class-balanced weights in training."""
        return float(self.model["training"]["options"]["beta"])

    @property
    def repeats(self) -> int:
        """How many times an image with a marked lesion was used in an epoch."""
        return int(self.model["training"]["options"]["lesion_repeats"])


@cache
def facts(folder: Path = shipped.CHECKPOINT) -> Facts:
    """What is known about a shipped checkpoint.

    Raises:
        CheckpointError: metrics.json or model.json cannot be read.
    """
    try:
        metrics, model = (json.loads((folder / f"{n}.json").read_text(encoding="utf-8")) for n in ("metrics", "model"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"metrics.json or model.json in {folder} cannot be read ({error}); restore the folder from the repository."
        ) from error
    return Facts(model["name"], metrics, model)


def plain() -> Facts:
    """What is known about the checkpoint that was trained without doctors' masks.

    Raises:
        CheckpointError: metrics.json or model.json cannot be read.
    """
    return facts(shipped.PLAIN_CHECKPOINT)


def frames(folder: Path = shipped.LESSON) -> dict[str, Any]:
    """The lesson's pictures as lesson.json describes them, under "frames" and "lettered".

    Raises:
        CasesError: lesson.json is missing or damaged.
    """
    document = read_document(folder, "lesson.json", "frames")
    try:
        _Lesson.model_validate(document)
    except ValidationError as error:
        raise CasesError(f"lesson.json: {first_problem(error)}; render the lesson again.") from None
    return document
