"""Reader: the one way from a radiograph to a reading, for command line, viewer and evaluation alike.

reader = Predictor.load("assets/checkpoint")
reading = reader.read(decode("chest.dcm"), [read_mask("mask.png")])
reading.predicted, reading.probabilities, reading.attention
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deep_pneumonia import shipped
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.masks.annotation import Annotation, check_size
from deep_pneumonia.prediction import checkpoint as checkpoints
from deep_pneumonia.prediction import hub
from deep_pneumonia.prediction.agreement import Agreement, agree
from deep_pneumonia.prediction.cautions import REFUSING, Caution, refusals, remarks
from deep_pneumonia.prediction.gate import features
from deep_pneumonia.prediction.inpaint import lesion_only, lesion_removed
from deep_pneumonia.prediction.model_frame import enlarge, mask_to_model, to_model
from deep_pneumonia.prediction.network import Output
from deep_pneumonia.radiographs.radiograph import Radiograph


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the model reads in one radiograph.

    size: (H, W) of the radiograph. predicted: the likeliest class. probabilities: calibrated, sum 1. finding: that of
    any finding, of all classes but the normal one.
    attention: float32 (H, W) in [0, 1], the map that pooled the features; cells: the same on the model's grid.
    evidence: the map's highest value. agreement: one entry an annotation. what_if: probabilities of the same
    radiograph with the lesion removed and with only the lesion kept; None without a drawn lesion. what_if_frames:
    what the model saw for these, uint8 (3, S, S): as it is, lesion removed, only the lesion.
    """

    size: tuple[int, int]
    spacing_mm: tuple[float, float] | None
    checkpoint_name: str
    checkpoint_sha256: str
    predicted: str
    probabilities: dict[str, float]
    finding: float
    attention: NDArray[np.float32]
    cells: NDArray[np.float32]
    evidence: float
    warnings: tuple[Caution, ...]
    agreement: tuple[Agreement, ...]
    what_if: dict[str, dict[str, float]] | None
    what_if_frames: NDArray[np.uint8] | None = None

    @property
    def shows_map(self) -> bool:
        """Whether a finding is likely enough for the map to be shown, in a picture that the model can read."""
        return not self.is_refused and all(w.code != "unlikely_finding" for w in self.warnings)

    @property
    def is_refused(self) -> bool:
        """Whether the picture is none that the model can read, so that its reading means nothing."""
        return any(w.code in REFUSING for w in self.warnings)

    def to_json(self, file: str) -> dict[str, Any]:
        """The reading of `file` as plain JSON without NaN; the schema stands in the README."""
        return {
            "file": file,
            "size": list(self.size),
            "spacing_mm": list(self.spacing_mm) if self.spacing_mm else None,
            "checkpoint": {"name": self.checkpoint_name, "sha256": self.checkpoint_sha256},
            "predicted": self.predicted,
            "probabilities": self.probabilities,
            "finding": self.finding,
            "evidence": self.evidence,
            "warnings": [{"code": w.code, "message": w.message} for w in self.warnings],
            "agreement": [a.to_json() for a in self.agreement],
            "what_if": self.what_if,
        }


class Predictor:
    """A checkpoint on a device, ready to read."""

    def __init__(self, checkpoint: checkpoints.Checkpoint, device: torch.device) -> None:
        self.checkpoint = checkpoint
        self.device = device
        self.network = checkpoint.network.to(device).eval()

    @classmethod
    def load(
        cls, folder: str | Path = shipped.CHECKPOINT, device: str = "auto", *, with_gate: bool = True
    ) -> "Predictor":
        """Load a checkpoint folder; `device` is "auto" (CUDA, then CPU), "cpu" or "cuda". Without its gate, nothing
        but blank and coloured pictures is refused.

        Raises:
            CheckpointError: the folder is no checkpoint, a damaged one, or a newer one.
            DeepPneumoniaError: there is no such device.
        """
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise DeepPneumoniaError("There is no CUDA device here; choose the device cpu or auto.")
        return cls(checkpoints.load(folder, with_gate=with_gate), torch.device(device))

    @classmethod
    def from_pretrained(cls, name: str | Path, *, revision: str | None = None, device: str = "auto") -> "Predictor":
        """Load a checkpoint from the Hugging Face Hub ("owner/name"), or from a folder.

        revision: a branch, tag or commit of the repository. Files are kept in the cache of huggingface_hub.

        Raises:
            HubError: the Hub has no such repository or revision, or it cannot be reached.
            CheckpointError: the repository or folder is no checkpoint, a damaged one, or a newer one.
        """
        return cls.load(name if Path(name).is_dir() else hub.download(str(name), revision), device)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the checkpoint into a folder, which is a model repository of the Hub as it lies.

        Other files in the folder stay.
        """
        hub.save_into(self.checkpoint, Path(folder))

    def push_to_hub(
        self, name: str, *, private: bool | None = None, revision: str | None = None, message: str = hub.MESSAGE
    ) -> str:
        """Upload the checkpoint to the Hub repository "owner/name", made if it is missing; returns the commit's URL.

        private: whether a new repository is private; None leaves that to the Hub's settings. revision: a branch.
        The token is the one of `hf auth login`, or that of the environment variable HF_TOKEN. The card states
        the licence Apache-2.0: edit README.md on the Hub where your data ask for another.

        Raises:
            HubError: the Hub refuses, or cannot be reached.
        """
        return hub.push(self.checkpoint, name, private=private, revision=revision, message=message)

    def predict(self, radiograph: Radiograph, annotations: Sequence[Annotation] = ()) -> Prediction:
        """Read one radiograph and compare the map with each annotation.

        Raises:
            MaskSizeError: an annotation has another size than the radiograph.
        """
        for annotation in annotations:
            check_size(annotation.size, radiograph.size, f"The mask of {annotation.reader}")
        images = self.model_input(radiograph)
        output = self._output(images)
        logits, cells = output.logits.float().cpu(), output.attention.float().cpu().numpy()
        probabilities = self.probabilities(logits)[0]
        finding = self.finding(probabilities)
        attention = np.clip(enlarge(cells[0], radiograph.size), 0, 1)
        threshold = self.checkpoint.thresholds.attention
        facts = self.checkpoint
        what_if, frames = self._what_if(images, annotations) or (None, None)
        return Prediction(
            radiograph.size, radiograph.spacing_mm, facts.name, facts.sha256,
            predicted=max(probabilities, key=lambda name: probabilities[name]),
            probabilities=probabilities,
            finding=finding,
            attention=attention,
            cells=cells[0],
            evidence=float(cells[0].max()),
            warnings=(
                *refusals(radiograph, self._strangeness(output)),
                *remarks(radiograph, facts.recipe.size, finding, facts.thresholds.finding),
            ),
            agreement=tuple(agree(attention, cells[0], a, threshold) for a in annotations),
            what_if=what_if,
            what_if_frames=frames,
        )  # fmt: skip

    def model_input(self, radiograph: Radiograph) -> torch.Tensor:
        """The radiograph as the network sees it: float32 (1, 1, S, S) in [0, 1], on the device."""
        frame = to_model(radiograph.pixels, self.checkpoint.recipe)
        return torch.from_numpy(frame).to(self.device)[None, None].float() / 255

    @torch.inference_mode()
    def _output(self, images: torch.Tensor) -> Output:
        output: Output = self.network(images)
        return output

    def _strangeness(self, output: Output) -> float:
        """How unlike the training radiographs a picture is: above 1 it is none; 0 where the checkpoint has no gate."""
        gate = self.checkpoint.gate
        return float(gate.strangeness(features(output.features))[0]) if gate else 0.0

    def strangeness(self, radiograph: Radiograph) -> float:
        """How unlike the training radiographs a picture is, in units of what is usual: above 1 it is refused, and
        infinite is what needs no gate to be refused."""
        strange = self._strangeness(self._output(self.model_input(radiograph)))
        return math.inf if any(refusals(radiograph, 0)) else strange

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, NDArray[np.float32]]:
        """Logits (B, C) and maps (B, h, w) in [0, 1] of images (B, 1, S, S)."""
        output = self._output(images)
        return output.logits.float().cpu(), output.attention.float().cpu().numpy()

    def finding(self, probabilities: Mapping[str, float]) -> float:
        """Probability of any finding: of all classes but the normal one."""
        return 1 - probabilities[self.checkpoint.normal]

    def probabilities(self, logits: torch.Tensor) -> list[dict[str, float]]:
        """Calibrated probabilities by class, one dict a row of logits (B, C)."""
        rows = (logits.double() / self.checkpoint.temperature).softmax(dim=1).tolist()
        return [dict(zip(self.checkpoint.classes, row, strict=True)) for row in rows]

    def _what_if(
        self, images: torch.Tensor, annotations: Sequence[Annotation]
    ) -> tuple[dict[str, dict[str, float]], NDArray[np.uint8]] | None:
        """Readings without the lesion and with it alone, and their frames; the lesion is what any reader drew."""
        drawn = [a.mask for a in annotations if not a.is_empty]
        if not drawn:
            return None
        frame = mask_to_model(np.any(drawn, axis=0), self.checkpoint.recipe.size)
        mask = torch.from_numpy(frame).to(self.device)[None, None].float() / 255
        both = torch.cat([lesion_removed(images, mask), lesion_only(images, mask)])
        removed, only = self.probabilities(self.forward(both)[0])
        frames = (torch.cat([images, both])[:, 0] * 255).round().clamp(0, 255).byte().cpu().numpy()
        return {"lesion_removed": removed, "lesion_only": only}, frames
