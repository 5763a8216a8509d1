"""Backbones: one grey channel, stages at stride 16 and 32, the names under which weights are published."""

import pytest
import torch
import torchvision
from torchvision.models import VisionTransformer

from deep_pneumonia.errors import ForeignCheckpointError
from deep_pneumonia.prediction.backbone import Backbone, backbones, grey_statistics, published_names
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig


@pytest.mark.parametrize(
    ("name", "channels"),
    [("resnet18", (256, 512)), ("mobilenet_v3_small", (48, 576)), ("densenet121", (1024, 1024)),
     ("shufflenet_v2_x0_5", (96, 1024)), ("regnet_y_400mf", (208, 440)),
     ("efficientnet_lite0", (112, 320))],
)  # fmt: skip
def test_a_backbone_gives_strides_16_and_32(name: str, channels: tuple[int, int]) -> None:
    backbone = Backbone(name)
    assert backbone.training
    assert backbone.channels == channels
    with torch.inference_mode():
        fine, coarse = backbone.eval()(torch.zeros(1, 1, 96, 96))
    assert fine.shape == (1, channels[0], 6, 6)
    assert coarse.shape == (1, channels[1], 3, 3)


@pytest.mark.parametrize("name", ["", "resnet19", "lraspp_mobilenet_v3_large", "raft_small"])
def test_a_name_that_is_no_classifier_is_refused(name: str) -> None:
    with pytest.raises(ForeignCheckpointError, match=f"'{name}'; use one of efficientnet_lite0"):
        Backbone(name)


@pytest.mark.parametrize("name", ["squeezenet1_1", "mnasnet0_5"])
def test_a_backbone_without_the_two_stages_is_refused(name: str) -> None:
    with pytest.raises(ForeignCheckpointError, match=f"'{name}' has no stages at stride 16 and 32"):
        AttentionNet(ModelConfig(name, width=8))


def test_a_transformer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = VisionTransformer(image_size=32, patch_size=16, num_layers=1, num_heads=1, hidden_dim=8, mlp_dim=8)
    monkeypatch.setattr("torchvision.models.get_model", lambda *_, **__: tiny)
    with pytest.raises(ForeignCheckpointError, match="'vit_b_16' has no stages"):
        Backbone("vit_b_16")


def test_a_network_that_ends_at_stride_16_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    short = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, stride=16, padding=1))
    monkeypatch.setattr("torchvision.models.get_model", lambda *_, **__: short)
    with pytest.raises(ForeignCheckpointError, match="'resnet18' has no stages"):
        Backbone("resnet18")


def test_grey_levels_reach_the_layers_as_the_weights_expect() -> None:
    for name, black, white in (("efficientnet_lite0", -127 / 128, 1.0), ("shufflenet_v2_x0_5", -2.0, 2.0)):
        backbone = Backbone(name, *grey_statistics(name)).eval()
        seen: list[torch.Tensor] = []
        backbone.fine.register_forward_pre_hook(lambda _, inputs, seen=seen: seen.append(inputs[0]))
        with torch.inference_mode():
            backbone(torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 32, 32))
        assert seen[0][:, 0, 0, 0].tolist() == pytest.approx([black, white], abs=1e-6)


def test_the_chain_is_all_layers_with_the_same_weights() -> None:
    backbone = Backbone("shufflenet_v2_x0_5")
    assert {id(p) for p in backbone.chain.parameters()} == {id(p) for p in backbone.parameters()}
    images = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(backbone.eval().chain(images * 4 - 2), backbone(images)[1])


@pytest.mark.parametrize("name", ["shufflenet_v2_x0_5", "resnet18", "mobilenet_v3_small"])
def test_published_names_are_those_of_torchvision(name: str) -> None:
    published = torchvision.models.get_model(name, weights=None).state_dict()
    own = Backbone(name).chain.state_dict()
    names = published_names(name)
    assert names.keys() == own.keys()
    for key, tensor in own.items():
        given = published[names[key]].shape
        assert tensor.shape == given or (tensor.shape[1], given[1]) == (1, 3), key
    left = {key.split(".")[0] for key in published.keys() - names.values()}
    assert left <= {"fc", "classifier"}


def test_efficientnet_lite_is_offered_first() -> None:
    assert backbones()[:3] == ["efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"]
