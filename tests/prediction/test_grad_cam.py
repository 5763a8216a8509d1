import pytest
import torch
from captum.attr import LayerGradCam

from deep_pneumonia.prediction.grad_cam import grad_cam
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig


@pytest.fixture(scope="module")
def network() -> AttentionNet:
    torch.manual_seed(0)
    return AttentionNet(ModelConfig("shufflenet_v2_x0_5", classes=3, width=16)).eval()


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(3, 1, 96, 96, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("target", [0, 1, 2])
def test_it_equals_captums(network: AttentionNet, images: torch.Tensor, target: int) -> None:
    targets = torch.tensor([target, 1, 0])
    peer = LayerGradCam(lambda x: network(x).logits, network.fuse)
    expected = peer.attribute(images, target=targets, relu_attributions=True)[:, 0].detach()
    maps = grad_cam(network, images, targets)
    assert maps.shape == (3, 6, 6)
    assert not maps.requires_grad
    assert expected.flatten(1).amax(1).max() > 1e-6, "some image has evidence for its class"
    torch.testing.assert_close(
        maps, expected / expected.amax(dim=(1, 2), keepdim=True).clamp(min=1e-8), rtol=1e-4, atol=1e-6
    )


def test_the_network_is_left_as_it_was(network: AttentionNet, images: torch.Tensor) -> None:
    with torch.no_grad():
        before = network(images).logits
        grad_cam(network, images, torch.tensor([0, 1, 2]))
        torch.testing.assert_close(network(images).logits, before, rtol=0, atol=0)
    assert all(p.grad is None for p in network.parameters())
    assert not any(m._forward_hooks or m._backward_hooks or m._forward_pre_hooks for m in network.modules())


def test_a_class_without_evidence_has_an_empty_map(network: AttentionNet, images: torch.Tensor) -> None:
    weight = network.classifier.weight.data.clone()
    network.classifier.weight.data[1] = 0
    assert not grad_cam(network, images, torch.tensor([1, 1, 1])).any()
    network.classifier.weight.data = weight
