"""One training step: each term counts as asked, unknown masks teach nothing, and the step learns where to look."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from deep_pneumonia.prediction import network as network_module
from deep_pneumonia.prediction.inpaint import lesion_only, lesion_removed
from deep_pneumonia.prediction.model_frame import to_grid
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig, Output, map_shape
from deep_pneumonia.training.augment import jitter
from deep_pneumonia.training.data import Batch
from deep_pneumonia.training.loop import learning_rate
from deep_pneumonia.training.losses import contrastive_regulation
from deep_pneumonia.training.step import LossConfig, frozen_statistics, step_losses
from deep_pneumonia.training.validation import best_iou
from tests.phantom import draw

SIZE = 64
LESION, NORMAL, UNKNOWN = 0, 1, 2  # rows of the batch
KNOWN = torch.tensor([True, True, False])
LABELS = torch.tensor([1, 0, 1])
OFF = LossConfig(attention_weight=0, hard_probability=0, regulation_weight=0, regulation_images=4)
ALL = LossConfig(attention_weight=2, hard_probability=0.5, regulation_weight=3, regulation_images=4)


def drawn(lesions: list[bool]) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and masks (B, 1, SIZE, SIZE), one patient a row."""
    pairs = [draw(i, (SIZE, SIZE), lesion) for i, lesion in enumerate(lesions)]
    images, masks = (np.stack([pair[k] for pair in pairs])[:, None] for k in (0, 1))
    return torch.from_numpy(images), torch.from_numpy(masks).float()


@pytest.fixture(scope="module")
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """A drawn lesion, an image read as normal, and one whose drawn mask is declared unknown."""
    return drawn([True, False, True])


@pytest.fixture
def network() -> AttentionNet:
    torch.manual_seed(0)
    return AttentionNet(ModelConfig("shufflenet_v2_x0_5", width=8))


def step(
    network: AttentionNet,
    images: torch.Tensor,
    masks: torch.Tensor,
    config: LossConfig,
    known: torch.Tensor = KNOWN,
    seed: int = 0,
) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = LABELS[torch.arange(len(images)) % 3]
    return step_losses(network, Batch(images, masks, known, labels), config, torch.ones(2), generator)


@dataclass(frozen=True)
class Call:
    """One forward pass of the network."""

    inputs: tuple[torch.Tensor, ...]
    output: Output
    has_gradient: bool


def calls(network: AttentionNet) -> list[Call]:
    """A list that will hold every forward pass from now on."""
    seen: list[Call] = []
    network.register_forward_hook(lambda _, x, out: seen.append(Call(x, out, torch.is_grad_enabled())))
    return seen


@pytest.mark.parametrize(
    ("config", "names"),
    [
        (OFF, {"classification"}),
        (LossConfig(2, 0.5, 0, 4), {"classification", "attention"}),
        (LossConfig(0, 0.5, 3, 4), {"classification", "regulation"}),
        (LossConfig(2, 0.5, 3, 0), {"classification", "attention"}),
        (ALL, {"classification", "attention", "regulation"}),
    ],
)
def test_a_term_of_weight_0_is_absent_and_the_others_add_up(
    config: LossConfig, names: set[str], network: AttentionNet, batch: tuple[torch.Tensor, torch.Tensor]
) -> None:
    terms = {k: float(v.detach()) for k, v in step(network, *batch, config).items()}
    assert terms.keys() == names | {"loss"}
    assert all(terms[name] > 0 for name in names)
    by_hand = terms["classification"] + 2 * terms.get("attention", 0) + 3 * terms.get("regulation", 0)
    assert terms["loss"] == pytest.approx(by_hand, rel=1e-5)


def test_without_a_drawn_lesion_nothing_is_regulated(network: AttentionNet) -> None:
    images, masks = drawn([False, False, False])
    assert step(network, images, masks, ALL).keys() == {"loss", "classification", "attention"}
    nothing_known = step(network, *drawn([True, True, True]), ALL, known=torch.zeros(3, dtype=torch.bool))
    assert nothing_known.keys() == {"loss", "classification", "attention"}
    assert nothing_known["attention"].item() == 0


def test_only_lesion_images_are_pooled_by_their_mask(
    network: AttentionNet, batch: tuple[torch.Tensor, torch.Tensor]
) -> None:
    seen = calls(network)
    step(network, *batch, LossConfig(0, 1.0, 0, 0), seed=5)
    images, forced = seen[0].inputs
    view, mask = jitter(*batch, torch.Generator().manual_seed(5))
    assert torch.equal(images, view)
    assert mask[LESION].amax() == 1
    assert torch.equal(forced[LESION], to_grid(mask, map_shape(SIZE))[LESION])
    assert forced[[NORMAL, UNKNOWN]].isnan().all()


@pytest.mark.parametrize(("probability", "low", "high"), [(0.0, 0, 0), (0.25, 30, 70), (1.0, 200, 200)])
def test_masks_are_forced_as_often_as_asked(probability: float, low: int, high: int, network: AttentionNet) -> None:
    seen = calls(network)
    images = torch.zeros(200, 1, 32, 32)
    with torch.no_grad():
        step(
            network,
            images,
            torch.ones_like(images),
            LossConfig(0, probability, 0, 0),
            torch.ones(200, dtype=torch.bool),
        )
    forced = ~seen[0].inputs[1].isnan().flatten(1)
    assert torch.equal(forced.any(1), forced.all(1))
    assert low <= int(forced.any(1).sum()) <= high


def test_the_mask_of_an_unknown_row_changes_no_term(
    network: AttentionNet, batch: tuple[torch.Tensor, torch.Tensor]
) -> None:
    images, masks = batch
    config = LossConfig(2, 1.0, 3, 4)
    network.eval()

    def terms(row: int) -> dict[str, float]:
        changed = masks.clone()
        changed[row] = 1 - changed[row]
        return {k: v.item() for k, v in step(network, images, changed, config).items()}

    first = {k: v.item() for k, v in step(network, images, masks, config).items()}
    assert terms(UNKNOWN) == first
    assert abs(terms(LESION)["attention"] - first["attention"]) > 0.1
    assert abs(terms(NORMAL)["attention"] - first["attention"]) > 0.1


def test_regulation_compares_the_training_pass_with_lesion_alone_and_lesion_removed(network: AttentionNet) -> None:
    images, masks = drawn([False, True, True, False, True])
    seen = calls(network)
    terms = step(network, images, masks, LossConfig(0, 0, 1, 2), torch.ones(5, dtype=torch.bool), seed=3)
    first_lesions = [1, 2]
    view, mask = (x[first_lesions] for x in jitter(images, masks, torch.Generator().manual_seed(3)))
    read, plus, minus = seen
    assert torch.equal(plus.inputs[0], lesion_only(view, mask))
    assert torch.equal(minus.inputs[0], lesion_removed(view, mask))
    assert [call.has_gradient for call in seen] == [True, False, False]
    anchor = read.output.pooled[first_lesions]
    by_hand = contrastive_regulation([anchor], [plus.output.pooled], [minus.output.pooled], [1.0])
    assert torch.equal(terms["regulation"], by_hand)
    terms["regulation"].backward()  # type: ignore[no-untyped-call]
    head = network.attend[0][0].weight.grad  # type: ignore[index]
    assert head is not None
    assert head.abs().sum() > 0


def test_a_step_is_a_function_of_its_generator(network: AttentionNet, batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    network.eval()
    one, again, other = (step(network, *batch, ALL, seed=seed)["loss"].item() for seed in (1, 1, 2))
    assert one == again
    assert one != other


def statistics(network: AttentionNet) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in network.named_buffers()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(a[k], b[k]) for k in a)


def test_altered_images_leave_no_trace_in_the_batch_statistics(
    network: AttentionNet, batch: tuple[torch.Tensor, torch.Tensor]
) -> None:
    before = statistics(network)
    step(network, *batch, LossConfig(0, 0, 1, 4))
    regulated = statistics(network)
    network.load_state_dict(network.state_dict() | before)
    step(network, *batch, OFF)
    assert not same(before, regulated)
    assert same(statistics(network), regulated)


def test_statistics_are_frozen_inside_the_block_only(network: AttentionNet) -> None:
    images = torch.rand(2, 1, SIZE, SIZE)
    resting = network.fuse[1].eval()
    before = statistics(network)
    with frozen_statistics(network):
        network(images)
    assert same(statistics(network), before)
    with pytest.raises(RuntimeError, match="channels"), frozen_statistics(network):
        network(images.expand(2, 3, SIZE, SIZE))
    assert same(statistics(network), before)
    assert not resting.training
    assert all(m.training for m in network.modules() if m is not resting)
    network(images)
    assert not same(statistics(network), before)


class SmallBackbone(nn.Module):
    """Features at stride 16 and 32 from one convolution per stage."""

    channels = (32, 32)

    def __init__(self, _: str, mean: float, std: float) -> None:
        super().__init__()
        self.mean, self.std = mean, std
        self.fine = nn.Sequential(*(self.stage(*widths) for widths in pairwise((1, 8, 16, 32, 32))))
        self.coarse = self.stage(32, 32)

    @staticmethod
    def stage(before: int, after: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU())

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        fine = self.fine((images - self.mean) / self.std)
        return fine, self.coarse(fine)


def test_one_batch_is_learned_by_heart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_module, "Backbone", SmallBackbone)
    lesion = torch.tensor([True, False] * 3)
    images, masks = drawn(lesion.tolist())
    batch = Batch(images, masks, torch.ones(6, dtype=torch.bool), lesion.long())
    torch.manual_seed(0)
    network = AttentionNet(ModelConfig(width=32))
    optimizer = torch.optim.AdamW(network.parameters())
    generator = torch.Generator().manual_seed(0)
    config = LossConfig(attention_weight=1, hard_probability=0.5, regulation_weight=0.2, regulation_images=2)
    for number in range(60):
        terms = step_losses(network, batch, config, torch.ones(2), generator)
        optimizer.zero_grad()
        terms["loss"].backward()  # type: ignore[no-untyped-call]
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(number, 60, 5e-3)
        optimizer.step()

    with torch.inference_mode():
        output = network.eval()(images)
    assert torch.equal(output.logits.argmax(1), lesion.long())
    maps, cells = output.attention[lesion], to_grid(masks, map_shape(SIZE))[lesion]
    highest = cells.flatten(1).gather(1, maps.flatten(1).argmax(1)[:, None])[:, 0]
    assert (highest >= 0.9 * cells.flatten(1).amax(1)).all(), "the map's peak is not where the lesion is"
    assert output.attention[~lesion].amax() < maps.flatten(1).amax(1).min()
    order = torch.rand(20, maps[0].numel(), generator=generator).argsort(1)
    random = torch.cat([maps.flatten(1)[:, o].view_as(maps) for o in order])
    assert best_iou(maps, cells)[0] > 0.2 > 2 * best_iou(random, cells.repeat(20, 1, 1))[0]
