"""Backbones: networks from torchvision or from this package, for one grey channel, cut at stride 16 and 32."""

from typing import Any

import torch
import torchvision
from torch import nn

from deep_pneumonia.errors import ForeignCheckpointError
from deep_pneumonia.prediction import efficientnet_lite

# Families of torchvision whose layers do not form a chain with features at stride 16 and 32.
FAMILIES_WITHOUT_STAGES = ("alexnet", "googlenet", "inception", "maxvit", "mnasnet", "squeezenet", "swin", "vit")


class Backbone(nn.Module):
    """A network with one input channel, cut into its stages at stride 16 and at stride 32.

    name: of a torchvision classifier or of EfficientNet-Lite. mean, std: of the grey levels, on the scale of [0, 1];
    the layers see (x - mean) / std.

    Raises:
        ForeignCheckpointError: there is no such network, or it lacks these two stages.
    """

    def __init__(self, name: str, mean: float = 0.5, std: float = 0.25) -> None:
        super().__init__()
        self.mean, self.std = mean, std
        layers = _layers(name)
        try:
            strides = _strides(layers)
        except (AssertionError, RuntimeError):  # its layers do not form a chain, as in a transformer
            strides = [0]
        if 16 not in strides or strides[-1] != 32:
            raise ForeignCheckpointError(
                f"The backbone {name!r} has no stages at stride 16 and 32; use efficientnet_lite0."
            )
        cut = len(strides) - strides[::-1].index(16)
        self.fine, self.coarse = nn.Sequential(*layers[:cut]), nn.Sequential(*layers[cut:])
        with torch.no_grad():
            self.channels = tuple(x.shape[1] for x in self.eval()(torch.zeros(1, 1, 64, 64)))
        self.train()

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features at stride 16 and at stride 32 of images (B, 1, S, S) in [0, 1]."""
        fine = self.fine((images - self.mean) / self.std)
        return fine, self.coarse(fine)

    @property
    def chain(self) -> nn.Sequential:
        """All layers in one list, numbered from 0; the parameters are the same."""
        return nn.Sequential(*self.fine, *self.coarse)


def backbones() -> list[str]:
    """The names of the networks whose families have the two stages that `Backbone` needs."""
    names = torchvision.models.list_models(module=torchvision.models)
    return [*efficientnet_lite.SCALES, *(name for name in names if not name.startswith(FAMILIES_WITHOUT_STAGES))]


def grey_statistics(name: str) -> tuple[float, float]:
    """Mean and standard deviation of the grey levels, on the scale of [0, 1], that a backbone's weights expect.

    For networks of torchvision these are close to those of ImageNet's grey levels (0.449 and 0.226).
    """
    return (efficientnet_lite.MEAN, efficientnet_lite.STD) if name in efficientnet_lite.SCALES else (0.5, 0.25)


def published_names(name: str) -> dict[str, str]:
    """The name of each tensor in torchvision's network, by its name in the backbone's chain."""
    network = _torchvision(name)
    names = {id(tensor): key for key, tensor in network.state_dict(keep_vars=True).items()}
    chain = nn.Sequential(*_convolutional(network))
    return {key: names[id(tensor)] for key, tensor in chain.state_dict(keep_vars=True).items()}


def _layers(name: str) -> list[nn.Module]:
    """The convolutional part of a network as a flat list, with a first convolution for one channel."""
    is_lite = name in efficientnet_lite.SCALES
    layers = efficientnet_lite.layers(name) if is_lite else _convolutional(_torchvision(name))
    _one_channel(nn.Sequential(*layers))
    return layers


def _torchvision(name: str) -> nn.Module:
    # Without this check, the name of a segmentation model would start a download of its backbone.
    if name not in torchvision.models.list_models(module=torchvision.models):
        raise ForeignCheckpointError(f"There is no backbone named {name!r:.60}; use one of {', '.join(backbones())}.")
    return torchvision.models.get_model(name, weights=None)


def _convolutional(network: Any) -> list[nn.Module]:
    """The layers of a network of torchvision before its pooling and classifier, in order."""
    if hasattr(network, "features"):
        return list(network.features)
    if hasattr(network, "trunk_output"):
        return [network.stem, *network.trunk_output]
    return [m for m in network.children() if not isinstance(m, nn.AdaptiveAvgPool2d | nn.Linear)]


def _one_channel(layers: nn.Sequential) -> None:
    """Give the first convolution a single input channel and random weights, in place."""
    for child in layers.modules():
        if isinstance(child, nn.Conv2d):
            child.in_channels = 1
            child.weight = nn.Parameter(child.weight.new_empty(child.out_channels, 1, *child.kernel_size))
            nn.init.kaiming_normal_(child.weight, mode="fan_out", nonlinearity="relu")
            return


def _strides(layers: list[nn.Module]) -> list[int]:
    """Stride of the features after each layer, found with an empty image."""
    x, strides = torch.zeros(1, 1, 64, 64), []
    with torch.no_grad():
        for layer in layers:
            x = layer.eval()(x)
            strides.append(64 // x.shape[-1])
            layer.train()
    return strides
