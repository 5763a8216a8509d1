"""EfficientNet-Lite: equal to the package efficientnet-lite-pytorch, and its parts by hand."""

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

from deep_pneumonia.prediction.efficientnet_lite import SCALES, Block, SameConv2d, layers, layers_state

SIZES = {"efficientnet_lite0": 96, "efficientnet_lite1": 75, "efficientnet_lite2": 97}  # even and odd


def reference(name: str) -> EfficientNet:
    """The network of the package, with batch statistics as different as trained ones."""
    torch.manual_seed(0)
    network = EfficientNet.from_name(name.replace("_", "-"), image_size=SIZES[name])  # it pads for one size alone
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias, 0, 0.2)
    return network.eval()


@pytest.mark.parametrize("name", SCALES)
@torch.inference_mode()
def test_the_output_is_that_of_the_package(name: str) -> None:
    theirs, own = reference(name), nn.Sequential(*layers(name)).eval()
    own.load_state_dict(layers_state(theirs.state_dict()))
    images = torch.randn(1, 3, SIZES[name], SIZES[name], generator=torch.Generator().manual_seed(0))
    features = theirs._swish(theirs._bn0(theirs._conv_stem(images)))
    for block in theirs._blocks:
        features = block(features)
    assert features.std() > 0.1
    assert torch.allclose(own(images), features, atol=1e-5 * float(features.abs().max()))


def test_channels_and_strides_of_lite0() -> None:
    x, found = torch.zeros(1, 3, 64, 64), []
    for layer in layers("efficientnet_lite0"):
        x = layer(x)
        found.append((x.shape[1], 64 // x.shape[2]))
    stages = [(32, 2), (16, 2), (24, 4), (40, 8), (80, 16), (112, 16), (192, 32), (320, 32)]
    repeats = [1, 1, 2, 2, 3, 3, 4, 1]
    assert found == [stage for stage, times in zip(stages, repeats, strict=True) for _ in range(times)]


def test_padding_puts_what_is_odd_to_the_right_and_to_the_bottom() -> None:
    conv = SameConv2d(1, 1, 3, stride=2, bias=False)
    nn.init.ones_(conv.weight)
    ones = torch.ones(1, 1, 4, 4)
    assert conv(ones).squeeze().tolist() == [[9, 6], [6, 4]]  # torch's padding=1 would give [[4, 6], [6, 9]]
    assert conv(torch.ones(1, 1, 5, 4)).squeeze().tolist() == [[6, 4], [9, 6], [6, 4]]


def test_a_block_adds_its_input_where_the_shape_stays() -> None:
    x = torch.rand(1, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    block, wider, strided = Block(8, 8, 3, 1, 6).eval(), Block(8, 16, 3, 1, 6).eval(), Block(8, 8, 3, 2, 6).eval()
    y = block.project(block.depthwise(block.expand(x)))
    assert torch.equal(block(x), x + y)
    assert torch.equal(wider(x), wider.project(wider.depthwise(wider.expand(x))))
    assert strided(x).shape == (1, 8, 3, 3)


@torch.inference_mode()
def test_activations_are_cut_at_six_and_projections_are_not() -> None:
    stem, block, *_ = layers("efficientnet_lite0")
    bright = stem.eval()(torch.full((1, 3, 8, 8), 1e6))
    assert (float(bright.min()), float(bright.max())) == (0, 6)
    assert float(block.eval()(bright).min()) < 0


@torch.inference_mode()
def test_random_weights_keep_the_size_of_their_input() -> None:
    torch.manual_seed(0)
    own = nn.Sequential(*layers("efficientnet_lite0")).train()
    assert 0.05 < float(own(torch.randn(4, 3, 96, 96)).std()) < 20


def test_a_state_that_lacks_a_tensor_is_no_state_of_this_network() -> None:
    state = reference("efficientnet_lite0").state_dict()
    del state["_blocks.3._bn1.running_mean"]
    with pytest.raises(KeyError, match=r"_blocks.3._bn1.running_mean"):
        layers_state(state)
