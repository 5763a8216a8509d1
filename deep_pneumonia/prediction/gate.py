"""The gate decides which inputs the model rejects because they are unlike its training radiographs.

It looks at the backbone's last features, averaged over the cells of a 3 x 3 grid, in two ways. Their mean over the
whole picture gives a Mahalanobis distance to the training radiographs (Lee et al., NeurIPS 2018, here without
classes). A linear classifier separates training radiographs from rotated, inverted, cropped and shuffled versions of
them (after Golan and El-Yaniv, NeurIPS 2018). The distance knows what radiographs look like, the classifier knows
where everything in them belongs. `training.gate_fitting` fits both.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional as F

GRID_SIDE = 3  # cells; of 2, 3, 4 and 7 this recognised most inputs that are no radiographs
MAX_STRANGENESS = 100.0


@dataclass(frozen=True, eq=False)
class Gate:
    """A fitted gate.

    mean, precision: (D,) and (D, D), of the training radiographs' features. limit: the largest usual distance.
    weights, bias: (D * cells,) and a number, of the linear classifier. Its value is above 0 for features that are
    more likely of an altered radiograph than is usual.
    """

    mean: torch.Tensor
    precision: torch.Tensor
    limit: float
    weights: torch.Tensor
    bias: float

    def strangeness(self, features: torch.Tensor) -> torch.Tensor:
        """How unlike training radiographs features (N, D, h, w) are: (N,) from 0 to 100, rejected above 1.

        This is the larger of the distance and the odds, each in units of its own limit.
        """
        return torch.maximum(self.distance(features), self.odds(features)).clamp(max=MAX_STRANGENESS)

    def distance(self, features: torch.Tensor) -> torch.Tensor:
        """Mahalanobis distance (N,) of the mean over all cells of features (N, D, h, w), in units of `limit`."""
        off = (features.cpu().float().mean(dim=(2, 3)) - self.mean).double()
        squares = torch.einsum("nd,de,ne->n", off, self.precision.double(), off)
        return squares.clamp(min=0).sqrt() / self.limit

    def odds(self, features: torch.Tensor) -> torch.Tensor:
        """Odds (N,) that features (N, D, h, w) are of an altered radiograph, in units of the largest usual odds."""
        return (features.cpu().float().flatten(1).double() @ self.weights.double() + self.bias).exp()


def features(stages: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """The gate's input from `network.Output.features`: the last stage averaged on its grid, (N, D, 3, 3)."""
    return F.adaptive_avg_pool2d(stages[1].float(), GRID_SIDE)
