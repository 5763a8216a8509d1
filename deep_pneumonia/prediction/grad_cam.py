"""Grad-CAM, the explanation that the learned attention is compared with."""

import torch

from deep_pneumonia.prediction.network import AttentionNet


def grad_cam(network: AttentionNet, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Grad-CAM (Selvaraju et al., ICCV 2017) at the fused features: (B, h, w) float32 in [0, 1].

    images (B, 1, S, S) in [0, 1]; targets (B,) int64, the class to explain. The network stays as it is:
    no hook is set and no gradient is accumulated, so other threads may use it at the same time.

    Only positive evidence is kept, and each map is divided by its own highest value, as is common. The scale
    of a map therefore says nothing about the strength of the evidence.
    """
    with torch.enable_grad():
        output = network(images)
        explained = output.logits.gather(1, targets[:, None]).sum()
        features = output.features[2]
        (gradient,) = torch.autograd.grad(explained, features)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    maps = (weights * features.detach()).sum(1).relu().float()
    return maps / maps.flatten(1).amax(1).clamp(min=1e-8)[:, None, None]
