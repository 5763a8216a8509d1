"""Checkpoints: a folder with float16 safetensors, a model.json and a README.md.

Only this module and those that it imports touch weights on disk.

Everything a prediction depends on travels together: classes, input recipe, architecture, thresholds, temperature
and training facts. Weights are never pickled. Matrices are stored as float16; vectors (biases, batch statistics)
take little room and are stored as float32.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from deep_pneumonia.errors import DamagedCheckpointError, DeepPneumoniaError
from deep_pneumonia.files import sha256, why_unwritten, write_bytes, write_json
from deep_pneumonia.partial_files import partial_folder
from deep_pneumonia.prediction.card import card
from deep_pneumonia.prediction.checkpoint_facts import (
    FORMAT,
    MODEL,
    PACKAGE,
    check_facts,
    read_facts,
    read_json,
)
from deep_pneumonia.prediction.checkpoint_weights import fill, verified_tensors
from deep_pneumonia.prediction.gate import GRID_SIDE, Gate
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig
from deep_pneumonia.prediction.tensor_file import write_tensors

FORMAT_1_RECIPE = ("size", "low", "high")
METRICS, README = "metrics.json", "README.md"
WEIGHTS, GATE = "model.safetensors", "gate.safetensors"


@dataclass(frozen=True)
class Thresholds:
    """Thresholds in [0, 1], chosen on validation images.

    attention, grad_cam: map value from which a cell counts as lesion. finding: probability of any finding below
    which no map is shown.
    """

    attention: float = 0.5
    grad_cam: float = 0.5
    finding: float = 0.0


@dataclass(frozen=True)
class Checkpoint:
    """A network with everything its predictions depend on.

    classes: names in the order of the logits. normal: the class without a finding. temperature: logits are
    divided by it. training: facts for people (data counts per source, options, commit, seed, metrics).
    sha256: of the weights file, "" before it was saved. metrics: content of metrics.json as `evaluate` wrote it for
    these weights, None if they were not evaluated. gate: decides which inputs are rejected, None if none was fitted.
    """

    network: AttentionNet
    classes: tuple[str, ...]
    normal: str
    recipe: InputRecipe
    thresholds: Thresholds = Thresholds()
    temperature: float = 1.0
    training: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    sha256: str = ""
    gate: Gate | None = None
    metrics: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        backbone = self.network.backbone
        if (backbone.mean, backbone.std) != (self.recipe.mean, self.recipe.std):
            raise ValueError(f"The network expects the grey levels {backbone.mean}, {backbone.std}, not {self.recipe}.")

    @property
    def key(self) -> str:
        """SHA-256 of everything a prediction depends on: weights, recipe, thresholds, temperature and gate."""
        # Limit and bias stand for the gate's tensors, because another fit gives other values.
        gate = (self.gate.limit, self.gate.bias) if self.gate else None
        # Entries that later formats added count only where they differ from their default, so that checkpoints of
        # format 1 keep their keys.
        recipe = {k: v for k, v in asdict(self.recipe).items() if k in FORMAT_1_RECIPE or v != getattr(InputRecipe, k)}
        facts = [self.sha256, self.classes, self.normal, recipe, asdict(self.thresholds), self.temperature]
        return sha256(json.dumps([*facts, gate]).encode())


def save(checkpoint: Checkpoint, folder: Path) -> None:
    """Write the checkpoint to `folder`. An existing checkpoint is replaced only when the new one is complete.

    Raises:
        DeepPneumoniaError: it cannot be written, as on a full disk.
    """
    old = folder.with_name(folder.name + ".old")
    try:
        with partial_folder(folder) as partial:
            _write(checkpoint, partial, checkpoint.name or folder.name)
            if folder.exists():
                shutil.rmtree(old, ignore_errors=True)  # left by a save that was killed
                folder.replace(old)
            partial.replace(folder)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise DeepPneumoniaError(why_unwritten(folder, error)) from error


def _write(checkpoint: Checkpoint, folder: Path, name: str) -> None:
    state = {
        k: (v.half() if v.is_floating_point() and v.dim() > 1 else v).detach().cpu().contiguous()
        for k, v in checkpoint.network.state_dict().items()
    }
    write_tensors(state, folder / WEIGHTS)
    facts: dict[str, Any] = {
        "package": PACKAGE,
        "format": FORMAT,
        "name": name,
        "classes": list(checkpoint.classes),
        "normal": checkpoint.normal,
        "recipe": asdict(checkpoint.recipe),
        "architecture": asdict(checkpoint.network.config),
        "thresholds": asdict(checkpoint.thresholds),
        "temperature": checkpoint.temperature,
        "weights": {"file": WEIGHTS, "sha256": sha256(folder / WEIGHTS)},
        "training": dict(checkpoint.training),
    }
    if checkpoint.gate:
        facts["gate"] = _write_gate(checkpoint.gate, folder)
    write_json(facts, folder / MODEL)
    if checkpoint.metrics and _measured(checkpoint.metrics) == facts["weights"]["sha256"]:
        write_json(checkpoint.metrics, folder / METRICS)
    write_card(folder)


def load(folder: str | Path, *, with_gate: bool = True) -> Checkpoint:
    """Load a checkpoint folder. The network is in evaluation mode, float32, on the CPU.

    `with_gate=False` leaves the gate out, for a checkpoint whose gate is being replaced.

    Raises:
        ForeignCheckpointError: not a checkpoint of this package, or weights of another architecture.
        NewerCheckpointError: written by a later version of this package.
        DamagedCheckpointError: a file is missing, cut short or altered, an entry has a wrong type or range, or a
            weight is no finite number.
    """
    folder = Path(folder)
    facts = read_facts(folder)
    check_facts(facts, folder, gate=with_gate)
    try:
        recipe, thresholds = InputRecipe(**facts["recipe"]), Thresholds(**facts["thresholds"])
        config = ModelConfig(**facts["architecture"])
    except TypeError as error:  # an entry that this version does not know
        raise DamagedCheckpointError(
            f"{folder / MODEL} lacks an entry or has a wrong one ({error}); fetch the checkpoint again."
        ) from error
    network = AttentionNet(config, recipe.mean, recipe.std).eval()
    digest = facts["weights"]["sha256"]
    fill(network, verified_tensors(folder / WEIGHTS, digest), folder)
    gate = _gate(folder, facts.get("gate"), network.backbone.channels[1]) if with_gate else None
    return Checkpoint(
        network, tuple(facts["classes"]), facts["normal"], recipe, thresholds, float(facts["temperature"]),
        facts["training"], facts["name"], digest, gate, _metrics(folder, digest),
    )  # fmt: skip


def write_card(folder: Path) -> None:
    """Write README.md, the model card of a checkpoint folder, from its model.json and metrics.json.

    Raises:
        CheckpointError: the folder is not a checkpoint, or its metrics.json is not what `evaluate` writes.
    """
    facts = read_facts(folder)
    check_facts(facts, folder, gate=False)
    try:
        text = card(facts, _metrics(folder, facts["weights"]["sha256"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedCheckpointError(
            f"{folder / METRICS} is not what evaluate writes ({type(error).__name__}: {error}); evaluate again."
        ) from error
    write_bytes(text.encode(), folder / README)


def add_gate(folder: Path, gate: Gate) -> None:
    """Add a gate to a saved checkpoint or replace its gate; its weights and other facts stay.

    Raises:
        DeepPneumoniaError: the folder is not a checkpoint, or cannot be written to.
    """
    facts = read_facts(folder)
    facts["gate"] = _write_gate(gate, folder)
    write_json(facts, folder / MODEL)
    write_card(folder)


def _write_gate(gate: Gate, folder: Path) -> dict[str, Any]:
    values = {"mean": gate.mean, "precision": gate.precision, "weights": gate.weights}
    write_tensors({name: value.contiguous() for name, value in values.items()}, folder / GATE)
    return {"file": GATE, "sha256": sha256(folder / GATE), "limit": gate.limit, "bias": gate.bias}


def _gate(folder: Path, facts: Any, features: int) -> Gate | None:
    """The gate in a folder; `features`: how many the backbone has.

    Raises:
        DamagedCheckpointError: a part is missing, or is not what this backbone's gate has.
    """
    if facts is None:
        return None
    values = verified_tensors(folder / GATE, facts["sha256"])
    shapes = {"mean": (features,), "precision": (features, features), "weights": (features * GRID_SIDE**2,)}
    wrong = [
        name
        for name, shape in shapes.items()
        if (t := values.get(name)) is None or t.shape != shape or t.dtype != torch.float32 or not t.isfinite().all()
    ]
    if wrong:
        raise DamagedCheckpointError(
            f"The gate in {folder} lacks an entry or has a wrong one ({wrong[0]}), or is of an earlier version; fetch "
            "the checkpoint again, or fit the gate anew with: deep-pneumonia fit-gate."
        )
    return Gate(values["mean"], values["precision"], float(facts["limit"]), values["weights"], float(facts["bias"]))


def _metrics(folder: Path, digest: str) -> dict[str, Any] | None:
    """What metrics.json says about the weights with this SHA-256; None where it is missing or about others."""
    try:
        metrics = read_json(folder / METRICS)
    except DamagedCheckpointError:
        return None
    return metrics if _measured(metrics) == digest else None


def _measured(metrics: Any) -> str:
    """The SHA-256 of the weights that metrics are about, "" if they do not say."""
    about = metrics.get("checkpoint") if isinstance(metrics, Mapping) else None
    return str(about.get("sha256", "")) if isinstance(about, Mapping) else ""
