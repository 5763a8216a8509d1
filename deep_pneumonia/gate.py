"""The gate: is a picture like the radiographs that the network was trained on, so that its answer means something?

The Mahalanobis distance (Lee et al., NeurIPS 2018, here without classes) of the backbone's last features, averaged
over the picture, from those of the training radiographs (`gate_fit`).
"""

from dataclasses import dataclass

import torch


@dataclass(frozen=True, eq=False)
class Gate:
    """mean (D,) and precision (D, D) of the training radiographs' features, and the largest usual distance."""

    mean: torch.Tensor
    precision: torch.Tensor
    limit: float

    def distance(self, features: torch.Tensor) -> torch.Tensor:
        """How far features (N, D) are, (N,), in units of the limit: above 1 a picture is none of the usual ones."""
        off = (features.cpu().float() - self.mean).double()
        squares = torch.einsum("nd,de,ne->n", off, self.precision.double(), off)
        return squares.clamp(min=0).sqrt() / self.limit


def features(stages: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """What the gate looks at in `model.Output.features`: the last stage's mean over the picture, (N, D)."""
    return stages[1].mean(dim=(2, 3)).float()
