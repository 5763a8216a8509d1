"""EfficientNet-Lite: EfficientNet (Tan and Le, ICML 2019) without squeeze-and-excitation, with ReLU6 in place of Swish.

Layers, padding and batch normalisation are those of TensorFlow's release (Google, 2020, Apache-2.0), so its ImageNet
weights fit. The network is a flat list of a stem and blocks, which ends before the last 1 x 1 convolution and the
classifier.
"""

import math
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F


class Stage(NamedTuple):
    """Blocks of one width. stride: of the first. expansion: a block's inner channels, as a multiple of its input."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STEM_CHANNELS = 32
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
# Width and depth of each size, as multiples of lite0.
SCALES = {
    "efficientnet_lite0": (1.0, 1.0),
    "efficientnet_lite1": (1.0, 1.1),
    "efficientnet_lite2": (1.1, 1.2),
}
# Grey levels in [0, 1] reach the network as (255 x - 127) / 128, as its weights expect.
MEAN, STD = 127 / 255, 128 / 255


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's padding "SAME": an odd pixel of padding goes to the right or to the bottom."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (B, C, H, W) to (B, out_channels, ceil(H / stride), ceil(W / stride))."""
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        pads = [max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[:1:-1]]
        if all(pad % 2 == 0 for pad in pads):  # equal on both sides, which the convolution itself pads faster
            return F.conv2d(x, self.weight, None, stride, (pads[1] // 2, pads[0] // 2), 1, self.groups)
        x = F.pad(x, [half for pad in pads for half in (pad // 2, pad - pad // 2)])
        return F.conv2d(x, self.weight, None, stride, 0, 1, self.groups)


class Block(nn.Module):
    """An inverted bottleneck (Sandler et al., CVPR 2018): expand, filter each channel, project; shortcut if it fits."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = before * expansion
        self.expand = _unit(before, inner) if expansion > 1 else nn.Identity()
        self.depthwise = _unit(inner, inner, kernel, stride, groups=inner)
        self.project = _unit(inner, after, activate=False)
        self.has_shortcut = stride == 1 and before == after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (B, before, H, W) to (B, after, H / stride, W / stride), rounded up."""
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.has_shortcut else y


def layers(name: str) -> list[nn.Module]:
    """The stem and the blocks of a network in SCALES, for three channels, with random weights."""
    width, depth = SCALES[name]
    found: list[nn.Module] = [_unit(3, STEM_CHANNELS, kernel=3, stride=2)]
    before = STEM_CHANNELS
    for stage in STAGES:
        after = _rounded(stage.channels * width)
        repeats = stage.repeats if stage in (STAGES[0], STAGES[-1]) else math.ceil(stage.repeats * depth)
        for number in range(repeats):
            stride = stage.stride if number == 0 else 1
            found.append(Block(before, after, stage.kernel, stride, stage.expansion))
            before = after
    return found


def layers_state(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors of `nn.Sequential(*layers(name))` from a state of the package `efficientnet-lite-pytorch`.

    Its last convolution and its classifier are left out.

    Raises:
        KeyError: a tensor is missing.
    """
    parts = {
        "expand": ("expand_conv", "bn0"),
        "depthwise": ("depthwise_conv", "bn1"),
        "project": ("project_conv", "bn2"),
    }
    count = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("_blocks."))
    units = {"0": ("_conv_stem", "_bn0")}
    for i in range(count):
        for own, (conv, norm) in parts.items():
            if own != "expand" or f"_blocks.{i}._{conv}.weight" in state:  # the first stage does not expand
                units[f"{i + 1}.{own}"] = (f"_blocks.{i}._{conv}", f"_blocks.{i}._{norm}")
    found = {}
    for own, (conv, norm) in units.items():
        found[f"{own}.0.weight"] = state[f"{conv}.weight"]
        for key in ("weight", "bias", "running_mean", "running_var"):
            found[f"{own}.1.{key}"] = state[f"{norm}.{key}"]
        found[f"{own}.1.num_batches_tracked"] = torch.tensor(0)
    return found


def _unit(
    before: int, after: int, kernel: int = 1, stride: int = 1, groups: int = 1, *, activate: bool = True
) -> nn.Sequential:
    conv = SameConv2d(before, after, kernel, stride, groups=groups, bias=False)
    # Normal with variance 2 / fan-out (He et al. 2015), as in TensorFlow's release.
    nn.init.normal_(conv.weight, std=math.sqrt(2 / (kernel**2 * after / groups)))
    unit = nn.Sequential(conv, nn.BatchNorm2d(after, eps=1e-3))
    return unit.append(nn.ReLU6(inplace=True)) if activate else unit


def _rounded(channels: float) -> int:
    """The nearest multiple of 8 that is not more than a tenth below."""
    nearest = int(channels + 4) // 8 * 8
    return nearest + 8 if nearest < 0.9 * channels else nearest
