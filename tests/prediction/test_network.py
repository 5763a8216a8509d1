"""The network: the map that is shown is the map that pools, and nothing else reaches the classifier."""

import pytest
import torch

from deep_pneumonia.prediction.network import AttentionNet, ModelConfig, Output, map_shape

SMALL = ModelConfig(classes=3, width=16)


@pytest.fixture(scope="module")
def network() -> AttentionNet:
    torch.manual_seed(0)
    return AttentionNet(SMALL).eval()


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))


def pooled_by_hand(output: Output, maps: torch.Tensor, floor: float = SMALL.floor) -> torch.Tensor:
    """z = sum(a F) / (sum(a) + c), cell by cell; c is a share of the number of cells."""
    rows = []
    for features, cells in zip(output.features[2], maps, strict=True):
        weighted = torch.zeros(features.shape[0])
        for i in range(cells.shape[0]):
            for j in range(cells.shape[1]):
                weighted += cells[i, j] * features[:, i, j]
        rows.append(weighted / (cells.sum() + floor * cells.numel()))
    return torch.stack(rows)


def test_the_backbone_centres_its_input(network: AttentionNet) -> None:
    seen: list[torch.Tensor] = []
    handle = network.backbone.fine[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        network(torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1).expand(3, 1, 32, 32))
    handle.remove()
    assert seen[0][:, 0, 0, 0].tolist() == [-2, 0, 2]


def test_the_map_of_the_default_size_has_14_by_14_cells() -> None:
    assert map_shape(224) == (14, 14)


@pytest.mark.parametrize("size", [32, 50, 64, 100, 112, 224])
@torch.inference_mode()
def test_the_map_has_the_shape_that_was_promised(network: AttentionNet, size: int) -> None:
    output = network(torch.zeros(1, 1, size, size))
    assert output.attention_logits.shape == (1, *map_shape(size))
    assert output.features[2].shape == (1, SMALL.width, *map_shape(size))


@torch.inference_mode()
def test_one_pass_gives_every_part(network: AttentionNet, images: torch.Tensor) -> None:
    output = network(images)
    assert output.logits.shape == (2, 3)
    assert output.pooled.shape == (2, 16)
    assert [f.shape[1:] for f in output.features] == [(256, 4, 4), (512, 2, 2), (16, 4, 4)]
    assert torch.allclose(output.attention, 1 / (1 + (-output.attention_logits).exp()))


@torch.inference_mode()
def test_a_new_map_is_nearly_empty(network: AttentionNet, images: torch.Tensor) -> None:
    assert 0 < float(network(images).attention.mean()) < 0.25


@torch.inference_mode()
def test_the_map_that_is_shown_is_the_map_that_pools(network: AttentionNet, images: torch.Tensor) -> None:
    output = network(images)
    assert output.attention.std() > 1e-4
    z = pooled_by_hand(output, output.attention)
    assert torch.allclose(output.pooled, z, atol=1e-5)
    linear = network.classifier
    assert torch.allclose(output.logits, z @ linear.weight.T + linear.bias, atol=1e-5)


def test_pooling_by_hand(network: AttentionNet) -> None:
    features = torch.tensor([[[[1.0, 2], [3, 4]], [[0, 0], [0, 8]]]])
    weights = torch.tensor([[[1.0, 0], [0, 0.5]]])
    # sum(a F) = 1 + 2 = 3 and 4; sum(a) + c = 1.5 + 0.02 * 4 cells
    assert network.pool(features, weights).tolist() == [pytest.approx([3 / 1.58, 4 / 1.58])]


@torch.inference_mode()
def test_a_forced_map_is_read_only_in_the_rows_forced(network: AttentionNet, images: torch.Tensor) -> None:
    forced = torch.full((2, 4, 4), torch.nan)
    forced[1] = 0
    forced[1, 1:3, 2] = 1
    free, output = network(images), network(images, forced)
    z = pooled_by_hand(output, torch.stack([free.attention[0], forced[1]]))
    linear = network.classifier
    assert torch.allclose(output.logits, z @ linear.weight.T + linear.bias, atol=1e-5)
    assert torch.equal(output.logits[0], free.logits[0])
    assert not torch.allclose(output.logits[1], free.logits[1], atol=1e-3)


@torch.inference_mode()
def test_a_forced_cell_is_read_beside_the_networks_own(network: AttentionNet, images: torch.Tensor) -> None:
    forced = torch.full((2, 4, 4), torch.nan)
    forced[0, 3, 1] = 1
    output = network(images, forced)
    maps = output.attention.clone()
    maps[0, 3, 1] = 1
    linear = network.classifier
    assert torch.allclose(output.logits, pooled_by_hand(output, maps) @ linear.weight.T + linear.bias, atol=1e-5)


@torch.inference_mode()
def test_a_forced_map_changes_only_what_the_classifier_reads(network: AttentionNet, images: torch.Tensor) -> None:
    free, output = network(images), network(images, torch.ones(2, 4, 4))
    assert torch.equal(output.attention_logits, free.attention_logits)
    assert torch.equal(output.pooled, free.pooled)
    assert all(torch.equal(a, b) for a, b in zip(output.features, free.features, strict=True))
    assert not torch.allclose(output.logits, free.logits, atol=1e-3)


@torch.inference_mode()
def test_an_empty_map_leaves_the_bias_alone(network: AttentionNet, images: torch.Tensor) -> None:
    assert not network.pool(torch.ones(2, 16, 4, 4), torch.zeros(2, 4, 4)).any()
    output = network(images, torch.zeros(2, 4, 4))
    assert torch.allclose(output.logits, network.classifier.bias.expand(2, 3))


@torch.inference_mode()
def test_a_map_that_empties_itself_leaves_the_bias_alone(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    network = AttentionNet(SMALL).eval()
    network.attend[-1].bias.fill_(-25)  # type: ignore[operator]
    output = network(images)
    assert output.attention.max() < 1e-9
    assert output.pooled.abs().max() < 1e-6
    assert torch.allclose(output.logits, network.classifier.bias.expand(2, 3), atol=1e-6)


@torch.inference_mode()
def test_images_of_a_batch_are_read_apart(network: AttentionNet, images: torch.Tensor) -> None:
    together, alone = network(images), network(images[1:])
    assert torch.allclose(together.logits[1:], alone.logits, atol=1e-5)
    assert torch.allclose(together.attention[1:], alone.attention, atol=1e-5)


def test_gradients_of_the_class_reach_every_part(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    network = AttentionNet(SMALL)
    network(images).logits[:, 0].sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    for part in (network.attend, network.fuse, network.lateral, network.top, network.backbone.fine, network.classifier):
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in part.parameters())


def test_a_forced_map_shields_the_head_from_the_class(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    network = AttentionNet(SMALL)
    output = network(images, torch.full((2, 4, 4), 0.5))
    output.logits[:, 0].sum().backward(retain_graph=True)
    head = network.attend[-1].weight
    assert isinstance(head, torch.nn.Parameter)
    assert head.grad is not None
    assert head.grad.abs().sum() == 0
    output.attention_logits.sum().backward()
    assert head.grad.abs().sum() > 0
