"""The predictor: the one way from a radiograph to a prediction, for command line, viewer and evaluation alike.

predictor = Predictor.load("assets/checkpoint")
prediction = predictor.predict(decode("chest.dcm"), [read_mask("mask.png", (2048, 2048), reader="A")])
prediction.predicted, prediction.probabilities, prediction.attention
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
from deep_pneumonia.errors import DamagedCheckpointError, DeepPneumoniaError
from deep_pneumonia.masks.annotation import Annotation, check_size
from deep_pneumonia.prediction import checkpoint as checkpoints
from deep_pneumonia.prediction.agreement import Agreement, agree
from deep_pneumonia.prediction.cautions import REJECTING_CODES, Caution, rejections, remarks
from deep_pneumonia.prediction.gate import features
from deep_pneumonia.prediction.inpaint import lesion_only, lesion_removed
from deep_pneumonia.prediction.model_frame import enlarge, mask_to_model, to_model
from deep_pneumonia.prediction.network import Output
from deep_pneumonia.radiographs.radiograph import Radiograph


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the model says about one radiograph.

    size: (H, W) of the radiograph. spacing_mm: height and width of a pixel, None if unknown.
    predicted: the most likely class. probabilities: by class, calibrated, summing to 1.
    finding: probability of any finding, that is of all classes but the normal one.
    attention: float32 (H, W) in [0, 1], the map that pooled the features. cells: the same on the model's grid.
    evidence: the map's highest value. agreement: one entry per annotation.
    what_if: probabilities of the same radiograph with the lesion removed ("lesion_removed") and with nothing
    but the lesion ("lesion_only"); None without a drawn lesion. what_if_frames: the model's inputs for these,
    uint8 (3, S, S): as it is, lesion removed, lesion only.
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
        """Whether the map is shown: the input is not rejected, and a finding is likely enough."""
        return not self.is_refused and all(w.code != "unlikely_finding" for w in self.warnings)

    @property
    def is_refused(self) -> bool:
        """Whether the input is rejected (blank, coloured or unlike radiographs): the prediction means nothing."""
        return any(w.code in REJECTING_CODES for w in self.warnings)

    def to_json(self, file: str) -> dict[str, Any]:
        """The prediction for `file` as plain JSON without NaN; the README describes the schema."""
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
    """A checkpoint on a device, ready to predict. Several threads may use it at the same time."""

    def __init__(self, checkpoint: checkpoints.Checkpoint, device: torch.device) -> None:
        self.checkpoint = checkpoint
        self.device = device
        self.network = checkpoint.network.to(device).eval()

    @classmethod
    def load(
        cls, folder: str | Path = shipped.CHECKPOINT, device: str = "auto", *, with_gate: bool = True
    ) -> "Predictor":
        """Load a checkpoint folder.

        `device` is "auto" (CUDA if there is one, else CPU), "cpu" or "cuda". Without its gate, only blank and
        coloured inputs are rejected.

        Raises:
            CheckpointError: the folder is no checkpoint, or a damaged or newer one.
            DeepPneumoniaError: there is no such device.
        """
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise DeepPneumoniaError("No CUDA device was found; choose the device cpu or auto.")
        return cls(checkpoints.load(folder, with_gate=with_gate), torch.device(device))

    @classmethod
    def from_pretrained(cls, name: str | Path, *, revision: str | None = None, device: str = "auto") -> "Predictor":
        """Load a checkpoint from the Hugging Face Hub ("owner/name"), or from a folder.

        revision: a branch, tag or commit of the repository. Files are kept in the cache of huggingface_hub.

        Raises:
            HubError: the Hub has no such repository or revision, or it cannot be reached.
            CheckpointError: the repository or folder is no checkpoint, a damaged one, or a newer one.
        """
        if Path(name).is_dir():
            return cls.load(name, device)
        from deep_pneumonia.prediction import hub  # half a second, for those who need it

        return cls.load(hub.download(str(name), revision), device)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the checkpoint into a folder, which is a model repository of the Hub as it lies.

        Other files in the folder stay.
        """
        from deep_pneumonia.prediction import hub

        hub.save_into(self.checkpoint, Path(folder))

    def push_to_hub(
        self,
        name: str,
        *,
        private: bool | None = None,
        revision: str | None = None,
        message: str = "Upload a checkpoint of deep-pneumonia",
    ) -> str:
        """Upload the checkpoint to the Hub repository "owner/name", made if it is missing; returns the commit's URL.

        private: whether a new repository is private; None leaves that to the Hub's settings. revision: a branch.
        The token is the one of `hf auth login`, or that of the environment variable HF_TOKEN. The card states
        the licence Apache-2.0: edit README.md on the Hub where your data ask for another.

        Raises:
            HubError: the Hub refuses, or cannot be reached.
        """
        from deep_pneumonia.prediction import hub

        return hub.push(self.checkpoint, name, private=private, revision=revision, message=message)

    def predict(self, radiograph: Radiograph, annotations: Sequence[Annotation] = ()) -> Prediction:
        """Predict the class of one radiograph and score the map against each annotation.

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
                *rejections(radiograph, self._strangeness(output)),
                *remarks(radiograph, facts.recipe.size, finding, facts.thresholds.finding),
            ),
            agreement=tuple(agree(attention, cells[0], a, threshold) for a in annotations),
            what_if=what_if,
            what_if_frames=frames,
        )  # fmt: skip

    def model_input(self, radiograph: Radiograph) -> torch.Tensor:
        """The radiograph as the network's input: float32 (1, 1, S, S) in [0, 1], on the device."""
        frame = to_model(radiograph.pixels, self.checkpoint.recipe)
        return torch.from_numpy(frame).to(self.device)[None, None].float() / 255

    @torch.inference_mode()
    def _output(self, images: torch.Tensor) -> Output:
        """The network's output.

        Raises:
            DamagedCheckpointError: it holds NaN or infinite numbers.
        """
        output: Output = self.network(images)
        if not (output.logits.isfinite().all() and output.attention_logits.isfinite().all()):
            raise DamagedCheckpointError(
                f"The checkpoint {self.checkpoint.name} gives no finite numbers for this radiograph; use another one."
            )
        return output

    def _strangeness(self, output: Output) -> float:
        """How unlike the training radiographs an input is, at least 0; 0 without a gate."""
        gate = self.checkpoint.gate
        return float(gate.strangeness(features(output.features))[0]) if gate else 0.0

    def strangeness(self, radiograph: Radiograph) -> float:
        """How unlike the training radiographs an input is, from 0: above 1 it is rejected.

        Infinite for a blank or coloured input, which is rejected without the gate.
        """
        strange = self._strangeness(self._output(self.model_input(radiograph)))
        return math.inf if any(rejections(radiograph, 0)) else strange

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, NDArray[np.float32]]:
        """Logits (B, C) and maps (B, h, w) in [0, 1] of images (B, 1, S, S)."""
        output = self._output(images)
        return output.logits.float().cpu(), output.attention.float().cpu().numpy()

    def finding(self, probabilities: Mapping[str, float]) -> float:
        """Probability of any finding: of all classes but the normal one."""
        return 1 - probabilities[self.checkpoint.normal]

    def probabilities(self, logits: torch.Tensor) -> list[dict[str, float]]:
        """Calibrated probabilities by class, one dict for each row of logits (B, C)."""
        rows = (logits.double() / self.checkpoint.temperature).softmax(dim=1).tolist()
        return [dict(zip(self.checkpoint.classes, row, strict=True)) for row in rows]

    def _what_if(
        self, images: torch.Tensor, annotations: Sequence[Annotation]
    ) -> tuple[dict[str, dict[str, float]], NDArray[np.uint8]] | None:
        """Probabilities without the lesion and with the lesion only, and their frames; None without a lesion.

        The lesion is the union of all readers' masks.
        """
        drawn = [a.mask for a in annotations if not a.is_empty]
        if not drawn:
            return None
        frame = mask_to_model(np.any(drawn, axis=0), self.checkpoint.recipe.size)
        mask = torch.from_numpy(frame).to(self.device)[None, None].float() / 255
        both = torch.cat([lesion_removed(images, mask), lesion_only(images, mask)])
        removed, only = self.probabilities(self.forward(both)[0])
        frames = (torch.cat([images, both])[:, 0] * 255).round().clamp(0, 255).byte().cpu().numpy()
        return {"lesion_removed": removed, "lesion_only": only}, frames
