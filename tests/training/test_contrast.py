"""Contrastive pre-training: the momentum encoder, the queue, and the loss of two views of the same images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.fabric import Fabric
from torch import nn
from torch.nn import functional as F

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.training import contrast
from deep_pneumonia.training.augment import views
from deep_pneumonia.training.cache import Cache
from deep_pneumonia.training.contrast import Contrast, ContrastLearner, PretrainConfig
from deep_pneumonia.training.losses import info_nce, nt_xent
from tests.phantom import draw, save_png

MOCO = PretrainConfig(size=48, batch=6, view=32, queue=10, dimension=5, momentum=0.75, temperature=0.3)
SIMCLR = replace(MOCO, method="simclr")
ROWS = np.arange(6)
ORDER = torch.tensor([3, 0, 5, 1, 2, 4])


class SmallBackbone(nn.Module):
    """Features of 4 and 6 channels, normalised over the batch."""

    channels = (4, 6)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.fine = nn.Sequential(nn.Conv2d(1, 4, 8, 8), nn.BatchNorm2d(4), nn.ReLU())
        self.coarse = nn.Sequential(nn.Conv2d(4, 6, 2, 2), nn.BatchNorm2d(6), nn.ReLU())

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        fine = self.fine(images * 4 - 2)
        return fine, self.coarse(fine)


@pytest.fixture(autouse=True)
def small_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrast, "initial_backbone", lambda name, initial: SmallBackbone(f"{name} from {initial}"))


def network(config: PretrainConfig, seed: int = 0) -> Contrast:
    torch.manual_seed(seed)
    return Contrast(config)


@pytest.fixture
def images() -> tuple[torch.Tensor, torch.Tensor]:
    """Two batches of six images."""
    return torch.rand(12, 1, 32, 32, generator=torch.Generator().manual_seed(1)).split(6)  # type: ignore[return-value]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    folder = tmp_path_factory.mktemp("contrast")
    paths = [save_png(draw(seed, (48, 48))[0], folder / f"{seed}.png") for seed in range(6)]
    cases = [Case(path, f"p{i}", "drawn", "train") for i, path in enumerate(paths)]
    return Cache(cases, InputRecipe(48), folder / "cache", progress=False)


def learner(config: PretrainConfig, cache: Cache) -> ContrastLearner:
    return ContrastLearner(config, cache, Fabric(accelerator="cpu", devices=1))


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(4)


def test_the_key_encoder_starts_as_a_copy_without_gradients() -> None:
    model = network(MOCO)
    assert model.query["backbone"].name == f"{MOCO.backbone} from {MOCO.initial}"
    own, copied = model.query.state_dict(), model.key.state_dict()
    assert own.keys() == copied.keys()
    assert all(torch.equal(own[name], copied[name]) for name in own)
    assert all(p.requires_grad for p in model.query.parameters())
    assert not any(p.requires_grad for p in model.key.parameters())
    model.query["projection"][0].bias.data += 1
    assert not torch.equal(model.query["projection"][0].bias, model.key["projection"][0].bias)


def test_the_queue_starts_with_unit_vectors_in_all_directions() -> None:
    queue = network(MOCO).queue
    assert queue.shape == (10, 5)
    assert torch.allclose(queue.norm(dim=1), torch.ones(10))
    assert (queue @ queue.T - torch.eye(10)).max() < 0.999
    assert "queue" in network(MOCO).state_dict()
    assert set(network(SIMCLR).state_dict()) == {n for n in network(MOCO).state_dict() if n.startswith("query.")}


def test_projections_are_float_vectors_of_the_asked_length(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    for config in (MOCO, SIMCLR):
        with torch.autocast("cpu", torch.bfloat16):
            one, two = network(config)(*images, ORDER)
        assert one.shape == two.shape == (6, 5)
        assert one.dtype == two.dtype == torch.float32
        assert one.requires_grad
        assert two.requires_grad == (config is SIMCLR)


def test_simclr_encodes_both_views_as_one_batch(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    one, two = network(SIMCLR)(*images, ORDER)
    model = network(SIMCLR)
    features = model.query["backbone"](torch.cat(images))[1].mean(dim=(2, 3))
    assert torch.allclose(torch.cat([one, two]), model.query["projection"](features), atol=1e-5)


def test_row_i_of_queries_and_keys_is_the_same_image_in_any_order(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    model = network(MOCO).eval()
    queries, keys = model(images[0], images[0], ORDER)
    assert torch.allclose(queries, keys, atol=1e-5)
    assert not torch.allclose(queries, keys.roll(1, 0), atol=1e-3)
    queries, keys = model(*images, ORDER)
    assert torch.allclose(keys, model(images[1], images[1], ORDER)[0], atol=1e-5)
    assert not torch.allclose(queries, keys, atol=1e-3)


def test_keys_are_normalised_in_two_shuffled_groups(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    keys = network(MOCO)(*images, ORDER)[1]
    model = network(MOCO)
    for group in (ORDER[:3], ORDER[3:]):
        features = model.key["backbone"](images[1][group])[1].mean(dim=(2, 3))
        assert torch.allclose(keys[group], model.key["projection"](features), atol=1e-4)


def test_the_key_encoder_follows_by_a_quarter_at_momentum_three_quarters(
    images: tuple[torch.Tensor, torch.Tensor],
) -> None:
    model = network(MOCO)
    before = model.key["projection"][2].weight.clone()
    with torch.no_grad():
        model.query["projection"][2].weight += 4.0
    keys = model(*images, ORDER)[1]
    assert torch.allclose(model.key["projection"][2].weight, before + 1, atol=1e-5)
    unmoved = network(MOCO)(*images, ORDER)[1]
    assert not torch.allclose(keys, unmoved, atol=1e-3), "the keys of this step come from the moved encoder"


def test_new_keys_are_normalised_and_push_the_oldest_out() -> None:
    model = network(replace(MOCO, queue=4, dimension=2))
    model.enqueue(torch.tensor([[3.0, 4.0], [0.0, 2.0], [5.0, 0.0]]))
    assert torch.allclose(model.queue[:3], torch.tensor([[0.6, 0.8], [0.0, 1.0], [1.0, 0.0]]))
    model.enqueue(torch.tensor([[0.0, -1.0], [-1.0, 0.0]]))
    expected = torch.tensor([[0.0, -1.0], [-1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    assert torch.allclose(model.queue, expected)


def by_hand(config: PretrainConfig, cache: Cache) -> tuple[torch.Tensor, torch.Tensor, Contrast]:
    """Both projections of the two views that a step with the generator `seeded()` draws, and their network."""
    generator = seeded()
    batch = cache.batch(ROWS, torch.device("cpu"))[0]
    first, second = (views(batch, config.view, generator) for _ in range(2))
    model = network(config, config.seed)
    one, two = model(first, second, torch.randperm(6, generator=generator))
    return one, two, model


def test_the_loss_of_simclr_is_that_of_two_views(cache: Cache) -> None:
    one, two, _ = by_hand(SIMCLR, cache)
    own = learner(SIMCLR, cache)
    found = own.losses(own.network, ROWS, seeded())
    assert set(found) == {"loss"}
    assert found["loss"].item() == pytest.approx(nt_xent(one, two, 0.3).item(), rel=1e-4)


def test_the_loss_of_moco_has_the_old_queue_as_negatives_and_enqueues_its_keys(cache: Cache) -> None:
    one, two, model = by_hand(MOCO, cache)
    own = learner(MOCO, cache)
    old = own.network.queue.clone()
    found = own.losses(own.network, ROWS, seeded())
    assert set(found) == {"loss"}
    assert found["loss"].item() == pytest.approx(info_nce(one, two, model.queue, 0.3).item(), rel=1e-4)
    assert torch.allclose(own.network.queue[:6], F.normalize(two, dim=1), atol=1e-4)
    assert torch.equal(own.network.queue[6:], old[:4])
    found["loss"].backward()
    assert own.network.query["projection"][0].weight.grad.abs().sum() > 0


def test_the_seed_of_the_options_decides_the_weights(cache: Cache) -> None:
    torch.manual_seed(99)
    state = learner(MOCO, cache).network.state_dict()
    assert all(torch.equal(state[name], value) for name, value in network(MOCO, seed=0).state_dict().items())
    other = learner(replace(MOCO, seed=1), cache).network.state_dict()
    assert not torch.equal(state["queue"], other["queue"])


@pytest.mark.parametrize("config", [MOCO, SIMCLR])
def test_a_restored_learner_continues_with_the_same_loss(config: PretrainConfig, cache: Cache, tmp_path: Path) -> None:
    one, two = learner(config, cache), learner(replace(config, seed=1), cache)
    one.losses(one.network, ROWS, seeded())
    torch.save(one.state(), tmp_path / "state.pt")
    two.restore(torch.load(tmp_path / "state.pt"))
    again, same = (x.losses(x.network, ROWS, seeded())["loss"].item() for x in (one, two))
    assert again == same
    assert one.after_epoch() == {}
