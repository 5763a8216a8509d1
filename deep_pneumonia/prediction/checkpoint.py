"""Checkpoints: a folder with float16 safetensors, a model.json and a README.md.

Only this module touches weights on disk.

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
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from deep_pneumonia.errors import DamagedCheckpointError, ForeignCheckpointError, NewerCheckpointError
from deep_pneumonia.files import sha256, whole, write_json
from deep_pneumonia.prediction.card import card
from deep_pneumonia.prediction.gate import Gate
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig

FORMAT = 1
PACKAGE = "deep-pneumonia"
MODEL, METRICS, README = "model.json", "metrics.json", "README.md"
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

    @property
    def key(self) -> str:
        """SHA-256 of everything a prediction depends on: weights, recipe, thresholds, temperature and gate."""
        # Limit and bias stand for the gate's tensors, because another fit gives other values.
        gate = (self.gate.limit, self.gate.bias) if self.gate else None
        facts = [self.sha256, self.classes, self.normal, asdict(self.recipe), asdict(self.thresholds), self.temperature]
        return sha256(json.dumps([*facts, gate]).encode())


def save(checkpoint: Checkpoint, folder: Path) -> None:
    """Write the checkpoint to `folder`. An existing checkpoint is replaced only when the new one is complete."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    state = {
        k: (v.half() if v.is_floating_point() and v.dim() > 1 else v).detach().cpu().contiguous()
        for k, v in checkpoint.network.state_dict().items()
    }
    save_file(state, partial / WEIGHTS)
    facts: dict[str, Any] = {
        "package": PACKAGE,
        "format": FORMAT,
        "name": checkpoint.name or folder.name,
        "classes": list(checkpoint.classes),
        "normal": checkpoint.normal,
        "recipe": asdict(checkpoint.recipe),
        "architecture": asdict(checkpoint.network.config),
        "thresholds": asdict(checkpoint.thresholds),
        "temperature": checkpoint.temperature,
        "weights": {"file": WEIGHTS, "sha256": sha256(partial / WEIGHTS)},
        "training": dict(checkpoint.training),
    }
    if checkpoint.gate:
        facts["gate"] = _write_gate(checkpoint.gate, partial)
    write_json(facts, partial / MODEL)
    if checkpoint.metrics and _measured(checkpoint.metrics) == facts["weights"]["sha256"]:
        write_json(checkpoint.metrics, partial / METRICS)
    write_card(partial)
    old = folder.with_name(folder.name + ".old")
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)  # left by a save that was killed
        folder.replace(old)
    partial.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def load(folder: str | Path, *, with_gate: bool = True) -> Checkpoint:
    """Load a checkpoint folder. The network is in evaluation mode, float32, on the CPU.

    `with_gate=False` leaves the gate out, for a checkpoint whose gate is being replaced.

    Raises:
        ForeignCheckpointError: not a checkpoint of this package, or weights of another architecture.
        NewerCheckpointError: written by a later version of this package.
        DamagedCheckpointError: a file is missing, cut short or altered.
    """
    folder = Path(folder)
    facts = read_facts(folder)
    try:
        classes, normal = tuple(map(str, facts["classes"])), str(facts["normal"])
        recipe, thresholds = InputRecipe(**facts["recipe"]), Thresholds(**facts["thresholds"])
        config, temperature = ModelConfig(**facts["architecture"]), float(facts["temperature"])
        digest, training, name = str(facts["weights"]["sha256"]), dict(facts["training"]), str(facts["name"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedCheckpointError(
            f"{folder / MODEL} lacks an entry or has a wrong one ({error}), or is of an earlier version; fetch "
            "the checkpoint again, or train it again."
        ) from error
    if normal not in classes or len(classes) != config.classes or temperature <= 0:
        raise DamagedCheckpointError(f"{folder / MODEL} contradicts itself; fetch the checkpoint again.")
    network = AttentionNet(config)
    state = _weights(folder / WEIGHTS, digest)
    try:
        network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    except RuntimeError as error:
        raise ForeignCheckpointError(
            f"The weights in {folder} do not fit the architecture {config.backbone!r} of its model.json; "
            "use the two files that were written together."
        ) from error
    gate = _gate(folder, facts.get("gate")) if with_gate else None
    metrics = _metrics(folder, digest)
    return Checkpoint(
        network.eval(), classes, normal, recipe, thresholds, temperature, training, name, digest, gate, metrics
    )  # fmt: skip


def write_card(folder: Path) -> None:
    """Write README.md, the model card of a checkpoint folder, from its model.json and metrics.json.

    Raises:
        CheckpointError: the folder is not a checkpoint.
    """
    facts = read_facts(folder)
    text = card(facts, _metrics(folder, facts["weights"]["sha256"]))
    with whole(folder / README) as path:
        path.write_text(text, encoding="utf-8")


def add_gate(folder: Path, gate: Gate) -> None:
    """Add a gate to a saved checkpoint or replace its gate; its weights and other facts stay."""
    facts = read_facts(folder)
    facts["gate"] = _write_gate(gate, folder)
    write_json(facts, folder / MODEL)
    write_card(folder)


def _write_gate(gate: Gate, folder: Path) -> dict[str, Any]:
    with whole(folder / GATE) as path:
        values = {"mean": gate.mean, "precision": gate.precision, "weights": gate.weights}
        save_file({name: value.contiguous() for name, value in values.items()}, path)
    return {"file": GATE, "sha256": sha256(folder / GATE), "limit": gate.limit, "bias": gate.bias}


def _gate(folder: Path, facts: Any) -> Gate | None:
    if facts is None:
        return None
    try:
        digest, limit, bias = str(facts["sha256"]), float(facts["limit"]), float(facts["bias"])
        values = _weights(folder / GATE, digest)
        return Gate(values["mean"], values["precision"], limit, values["weights"], bias)
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedCheckpointError(
            f"The gate in {folder} lacks an entry or has a wrong one ({error}), or is of an earlier version; fetch the "
            "checkpoint again, or fit the gate anew with deep_pneumonia.fit_gate."
        ) from error


def _metrics(folder: Path, digest: str) -> dict[str, Any] | None:
    """What metrics.json says about the weights with this SHA-256; None where it is missing or about others."""
    try:
        metrics = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return metrics if _measured(metrics) == digest else None


def _measured(metrics: Any) -> str:
    """The SHA-256 of the weights that metrics are about, "" if they do not say."""
    about = metrics.get("checkpoint") if isinstance(metrics, Mapping) else None
    return str(about.get("sha256", "")) if isinstance(about, Mapping) else ""


def read_facts(folder: Path) -> dict[str, Any]:
    """What model.json says, checked to be a checkpoint of this package in a format that it knows.

    Raises:
        CheckpointError: as `load`.
    """
    path = folder / MODEL
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ForeignCheckpointError(f"{folder} holds no model.json; give the folder of a checkpoint.") from error
    except (OSError, ValueError) as error:
        raise DamagedCheckpointError(f"{path} cannot be read ({error}); fetch the checkpoint again.") from error
    if not isinstance(facts, dict) or facts.get("package") != PACKAGE:
        raise ForeignCheckpointError(f"{path} is not of {PACKAGE}; give the folder of a checkpoint that it wrote.")
    version = facts.get("format")
    if not isinstance(version, int) or version < 1:
        raise DamagedCheckpointError(f"{path} states the format {version!r}, expected 1 or more; fetch it again.")
    if version > FORMAT:
        raise NewerCheckpointError(
            f"{folder} has format {version}, this version of {PACKAGE} reads up to {FORMAT}; update {PACKAGE}."
        )
    return facts


def _weights(path: Path, digest: str) -> dict[str, torch.Tensor]:
    try:
        if sha256(path) != digest:
            raise DamagedCheckpointError(f"{path} is cut short or altered; fetch the checkpoint again.")
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise DamagedCheckpointError(f"{path} cannot be read ({error}); fetch the checkpoint again.") from error
