"""The gate: is a picture like the radiographs that the network was trained on, so that its answer means something?

Two questions are put to the backbone's last features, averaged over the cells of a grid of 3 x 3 (`gate_fit`): how far
they are, averaged over the whole picture, from those of the training radiographs (the Mahalanobis distance; Lee et al.,
NeurIPS 2018, here without classes), and on which side of a plane they lie that parts training radiographs from the same
turned, inverted, cut and mixed up (after Golan and El-Yaniv, NeurIPS 2018). The first knows what radiographs look
like, the second where in them everything belongs.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

GRID = 3  # cells a side: of 2, 3, 4 and 7 this told most of what is none from radiographs
STRANGEST = 100.0


@dataclass(frozen=True, eq=False)
class Gate:
    """mean (D,) and precision (D, D) of the training radiographs' features, and the largest usual distance `limit`;
    weights (D * cells,) and `bias` of the plane, whose value is above 0 on the side of altered radiographs."""

    mean: torch.Tensor
    precision: torch.Tensor
    limit: float
    weights: torch.Tensor
    bias: float

    def strangeness(self, features: torch.Tensor) -> torch.Tensor:
        """How strange features (N, D, h, w) are, (N,) from 0 to 100: above 1 a picture is none of the usual ones.

        The larger of the distance in units of its limit and the odds of an altered radiograph in units of theirs.
        """
        return torch.maximum(self.distance(features), self.odds(features)).clamp(max=STRANGEST)

    def distance(self, features: torch.Tensor) -> torch.Tensor:
        """How far the mean over all cells of features (N, D, h, w) is, (N,), in units of the limit."""
        off = (features.cpu().float().mean(dim=(2, 3)) - self.mean).double()
        squares = torch.einsum("nd,de,ne->n", off, self.precision.double(), off)
        return squares.clamp(min=0).sqrt() / self.limit

    def odds(self, features: torch.Tensor) -> torch.Tensor:
        """The odds (N,) that features (N, D, h, w) are of an altered radiograph, in units of the largest usual."""
        return (features.cpu().float().flatten(1).double() @ self.weights.double() + self.bias).exp()


def features(stages: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """What the gate looks at in `model.Output.features`: the last stage averaged on its grid, (N, D, 3, 3)."""
    return F.adaptive_avg_pool2d(stages[1].float(), GRID)
