"""Grad-CAM of a network's class, the explanation that learned attention is measured against."""

import torch
from captum.attr import LayerGradCam

from deep_pneumonia.prediction.network import AttentionNet


def grad_cam(network: AttentionNet, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Grad-CAM (Selvaraju et al., ICCV 2017) at the fused features: (B, h, w) in [0, 1].

    images (B, 1, S, S) in [0, 1]; targets (B,) int64, the class explained. Positive evidence only, divided by each
    image's highest value, as the method is commonly shown: its scale says nothing about the strength of evidence.
    """
    explainer = LayerGradCam(lambda x: network(x).logits, network.fuse)
    maps = explainer.attribute(images, target=targets, relu_attributions=True)[:, 0].detach().float()
    return maps / maps.flatten(1).amax(1).clamp(min=1e-8)[:, None, None]
