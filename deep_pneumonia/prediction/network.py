"""Backbone, attention head and classifier: the map that is shown is the map that pools the features.

The features F (C, h, w) at stride 16 are the backbone's last two stages, fused as in a feature pyramid (Lin et
al., CVPR 2017). The head gives one logit per cell, and a = sigmoid(logit) independently for each cell, so a
radiograph without findings has a map of zeros. The classifier's input is z = sum(a F) / (sum(a) + c). With an
empty map z is near 0 and the class follows from the bias alone.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from deep_pneumonia.prediction.backbone import Backbone


@dataclass(frozen=True)
class ModelConfig:
    """The architecture of a network.

    backbone: name of a network that `Backbone` knows. classes: number of classes C. width: channels of the
    fused features. floor: c of the pooling, as a share of the map's cells.
    """

    backbone: str = "resnet18"
    classes: int = 2
    width: int = 256
    floor: float = 0.02


class Output(NamedTuple):
    """The result of one forward pass.

    logits: (B, classes). attention_logits: (B, h, w); their sigmoid is the map. features: the backbone's
    stages at stride 16 and 32, then the fused F (B, width, h, w). pooled: z (B, width), pooled by the network's
    own map even where a forced map replaced it for the classifier.
    """

    logits: torch.Tensor
    attention_logits: torch.Tensor
    features: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    pooled: torch.Tensor

    @property
    def attention(self) -> torch.Tensor:
        """The map (B, h, w) in (0, 1)."""
        return self.attention_logits.sigmoid()


class AttentionNet(nn.Module):
    """A classifier that sees only what its own attention map lets through.

    mean, std: of the grey levels, on the scale of [0, 1], that the backbone's weights expect.

    Raises:
        ForeignCheckpointError: the backbone is unknown or does not fit.
    """

    def __init__(self, config: ModelConfig, mean: float = 0.5, std: float = 0.25) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config.backbone, mean, std)
        fine, coarse = self.backbone.channels
        self.lateral = nn.Conv2d(fine, config.width, 1)
        self.top = nn.Conv2d(coarse, config.width, 1)
        self.fuse = _block(config.width, config.width)
        self.attend = nn.Sequential(_block(config.width, config.width // 2), nn.Conv2d(config.width // 2, 1, 1))
        self.classifier = nn.Linear(config.width, config.classes)
        # A new map starts nearly empty, as most radiographs' maps are.
        nn.init.constant_(self.attend[-1].bias, -2.0)  # type: ignore[arg-type]

    def forward(self, images: torch.Tensor, forced: torch.Tensor | None = None) -> Output:
        """Classify images (B, 1, S, S) in [0, 1].

        forced: maps (B, h, w) to pool with instead of the network's own, NaN where its own is used.
        """
        fine, coarse = self.backbone(images)
        coarse_up = F.interpolate(self.top(coarse), size=fine.shape[-2:], mode="bilinear", align_corners=False)
        fused = self.fuse(self.lateral(fine) + coarse_up)
        attention_logits = self.attend(fused).squeeze(1).float()
        weights = attention_logits.sigmoid()
        pooled = seen = self.pool(fused.float(), weights)
        if forced is not None:
            seen = self.pool(fused.float(), torch.where(forced.isnan(), weights, forced))
        return Output(self.classifier(seen).float(), attention_logits, (fine, coarse, fused), pooled)

    def pool(self, features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """z = sum(a F) / (sum(a) + c), (B, C), of features F (B, C, h, w) and weights a (B, h, w)."""
        total = weights.sum(dim=(1, 2)) + self.config.floor * weights[0].numel()
        return torch.einsum("bchw,bhw->bc", features, weights) / total[:, None]


def map_shape(size: int) -> tuple[int, int]:
    """Size (h, w) of the attention map of a square image with `size` pixels a side, at stride 16."""
    return -(-size // 16), -(-size // 16)


def _block(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())
