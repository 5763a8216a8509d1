"""model.json of a checkpoint, checked: a file of unknown origin must not give a prediction that means nothing."""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from deep_pneumonia.errors import DamagedCheckpointError, ForeignCheckpointError, NewerCheckpointError
from deep_pneumonia.files import read_bytes
from deep_pneumonia.strict_json import StrictModel, first_problem

FORMAT = 2  # 2 adds detail, mean and std to the recipe
PACKAGE = "deep-pneumonia"
MODEL = "model.json"
MAX_MODEL_BYTES = 16 * 2**20
MAX_CLASSES, MAX_WIDTH, MAX_SIDE = 1000, 8192, 4096

Name = Annotated[str, Field(max_length=1000)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Percentile = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class _Recipe(StrictModel):
    size: Annotated[int, Field(ge=32, le=MAX_SIDE)] = 224
    low: Percentile = 0.5
    high: Percentile = 99.5
    detail: Annotated[int, Field(ge=0, le=MAX_SIDE)] = 0
    mean: Share = 0.5
    std: Annotated[float, Field(ge=1e-3, le=1e3, allow_inf_nan=False)] = 0.25


class _Architecture(StrictModel):
    backbone: Name = "resnet18"
    classes: Annotated[int, Field(ge=2, le=MAX_CLASSES)] = 2
    width: Annotated[int, Field(ge=1, le=MAX_WIDTH)] = 256
    # Without a floor, an empty map would divide zero by zero.
    floor: Annotated[float, Field(ge=1e-6, le=1e6, allow_inf_nan=False)] = 0.02


class _Thresholds(StrictModel):
    attention: Share = 0.5
    grad_cam: Share = 0.5
    finding: Share = 0.0


class _Weights(StrictModel):
    sha256: str


class GateFacts(StrictModel):
    """What model.json says about the gate. limit: of the distance. bias: of the linear classifier."""

    sha256: str
    limit: Annotated[float, Field(ge=1e-12, allow_inf_nan=False)]
    bias: Number


class _Facts(StrictModel):
    name: Name
    classes: Annotated[list[Name], Field(min_length=2, max_length=MAX_CLASSES)]
    normal: Name
    recipe: _Recipe
    architecture: _Architecture
    thresholds: _Thresholds
    # Far outside this range, probabilities would be no numbers, or all the same.
    temperature: Annotated[float, Field(ge=1e-3, le=1e3, allow_inf_nan=False)]
    weights: _Weights
    training: dict[str, Any]
    gate: GateFacts | None = None


def read_facts(folder: Path) -> dict[str, Any]:
    """What model.json says, checked to be a checkpoint of this package in a format that it knows.

    Raises:
        CheckpointError: as `checkpoint.load`.
    """
    path = folder / MODEL
    if not path.is_file():
        raise ForeignCheckpointError(f"{folder} holds no {MODEL}; give the folder of a checkpoint.")
    facts = read_json(path)
    if not isinstance(facts, dict) or facts.get("package") != PACKAGE:
        raise ForeignCheckpointError(f"{path} is not of {PACKAGE}; give the folder of a checkpoint that it wrote.")
    version = facts.get("format")
    if not isinstance(version, int) or version < 1:
        raise DamagedCheckpointError(f"{path} states the format {version!a:.60}, expected 1 or more; fetch it again.")
    if version > FORMAT:
        raise NewerCheckpointError(
            f"{folder} has format {version!r:.60}, this version of {PACKAGE} reads up to {FORMAT}; update {PACKAGE}."
        )
    return facts


def read_json(path: Path) -> Any:
    """The content of a JSON file of a checkpoint.

    Raises:
        DamagedCheckpointError: it cannot be read, is no JSON, or holds NaN, infinite numbers or halves of characters.
    """
    try:
        found = json.loads(read_bytes(path, error=DamagedCheckpointError, limit=MAX_MODEL_BYTES))
        json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
    except (DamagedCheckpointError, ValueError, RecursionError) as error:
        raise DamagedCheckpointError(f"{path} cannot be read ({error}); fetch the checkpoint again.") from error
    return found


def check_facts(facts: dict[str, Any], folder: Path, *, gate: bool) -> None:
    """Check every entry that a prediction depends on; the gate's only with `gate`.

    Raises:
        DamagedCheckpointError: an entry is missing, has another type or range, or contradicts another.
    """
    path = folder / MODEL
    try:
        found = _Facts.model_validate(facts if gate else {**facts, "gate": None})
    except ValidationError as error:
        raise DamagedCheckpointError(
            f"{path} lacks an entry or has a wrong one ({first_problem(error)}), or is of an earlier version; fetch "
            "the checkpoint again, or train it again."
        ) from error
    classes, recipe = found.classes, found.recipe
    if (
        found.normal not in classes
        or len(set(classes)) != len(classes)
        or len(classes) != found.architecture.classes
        or recipe.low >= recipe.high
    ):
        raise DamagedCheckpointError(f"{path} contradicts itself; fetch the checkpoint again.")
