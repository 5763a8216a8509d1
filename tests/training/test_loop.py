"""What every step of a run depends on: learning rates by hand, an order and random numbers of its own."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from deep_pneumonia.errors import TrainingError
from deep_pneumonia.training.loop import (
    RunConfig,
    channels_last,
    fit,
    generator_at,
    launch,
    learning_rate,
    shuffled,
    steps_per_epoch,
)
from deep_pneumonia.training.run import Run


def test_learning_rate_by_hand() -> None:
    # 200 steps: 10 of warm-up, then a half cosine over 190.
    assert learning_rate(0, 200, 2.0) == pytest.approx(0.2)
    assert learning_rate(4, 200, 2.0) == pytest.approx(1.0)
    assert learning_rate(9, 200, 2.0) == pytest.approx(2.0)
    assert learning_rate(10, 200, 2.0) == pytest.approx(2.0)
    assert learning_rate(105, 200, 2.0) == pytest.approx(1.0)
    assert learning_rate(200, 200, 2.0) == pytest.approx(0.0)
    assert learning_rate(50, 100, 1.0, warmup=0.25) == pytest.approx(0.75)  # a third of the way: (1 + cos 60°) / 2
    assert learning_rate(0, 100, 1.0, warmup=0) == 1


@given(st.integers(1, 400), st.floats(0, 0.5))
def test_learning_rate_rises_to_its_peak_and_falls(total: int, warmup: float) -> None:
    rates = [learning_rate(step, total, 3.0, warmup) for step in range(total)]
    assert all(0 < rate <= 3 for rate in rates)
    top = int(np.argmax(rates))
    assert top <= warmup * total
    assert rates == [*sorted(rates[:top]), *sorted(rates[top:], reverse=True)]


@given(st.integers(0, 300), st.integers(0, 2**31), st.integers(0, 1000))
def test_shuffled_is_a_permutation_and_a_function_of_its_numbers(count: int, seed: int, epoch: int) -> None:
    order = shuffled(count, seed, epoch)
    assert sorted(order) == list(range(count))
    assert order.tolist() == shuffled(count, seed, epoch).tolist()


def test_every_epoch_and_seed_has_its_own_order() -> None:
    assert len({tuple(shuffled(20, seed, epoch)) for seed in range(5) for epoch in range(5)}) == 25


def test_every_step_has_its_own_numbers_again_and_again() -> None:
    def number(*place: int) -> float:
        return torch.rand(1, generator=generator_at(*place), dtype=torch.float64).item()

    places = [(seed, step, rank) for seed in range(4) for step in range(50) for rank in range(3)]
    numbers = [number(*place) for place in places]
    assert len(set(numbers)) == len(places)
    assert numbers == [number(*place) for place in places]


def test_numbers_of_a_step_are_uncorrelated_with_those_of_its_neighbours() -> None:
    drawn = np.stack([torch.rand(4000, generator=generator_at(0, step, rank)) for step in range(4) for rank in (0, 1)])
    assert np.abs(np.corrcoef(drawn) - np.eye(8)).max() < 0.08


@pytest.mark.parametrize(("images", "batch", "processes", "steps"), [(100, 32, 1, 3), (96, 16, 2, 3), (32, 32, 1, 1)])
def test_an_epoch_has_full_batches_only(images: int, batch: int, processes: int, steps: int) -> None:
    assert steps_per_epoch(images, batch, processes) == steps


def test_an_epoch_shorter_than_a_batch_is_named() -> None:
    with pytest.raises(TrainingError, match=r"63 training images, fewer than one batch of 32 on each of 2 process"):
        steps_per_epoch(63, 32, 2)


def test_channels_last_moves_no_value() -> None:
    layer = torch.nn.Conv2d(3, 4, 3)
    network = torch.nn.Sequential(layer, torch.nn.BatchNorm2d(4))
    before = {k: v.clone() for k, v in network.state_dict().items()}
    images = torch.rand(1, 3, 8, 8)
    output = network.eval()(images)
    channels_last(network)
    assert layer.weight.is_contiguous(memory_format=torch.channels_last)
    assert not layer.weight.is_contiguous()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.allclose(network(images), output, atol=1e-6)


class Diverging:
    """A learner whose loss is finite in the first two steps alone."""

    def __init__(self) -> None:
        self.network, self.steps = torch.nn.Linear(1, 1), 0

    def losses(self, model: torch.nn.Module, rows: NDArray[np.int64], _: torch.Generator) -> dict[str, torch.Tensor]:
        self.steps += 1
        error = model(torch.ones(len(rows), 1)).square().mean()
        return {"loss": error, "attention": error.detach() * (1.0 if self.steps < 3 else np.inf)}

    def after_step(self) -> None:
        """Nothing follows the weights."""

    def after_epoch(self) -> dict[str, float]:
        return {}

    def state(self) -> dict[str, object]:
        return {"network": self.network.state_dict()}

    def restore(self, state: dict[str, object]) -> None:
        raise NotImplementedError


def test_a_loss_that_is_not_finite_ends_the_run_before_it_is_saved(tmp_path: Path) -> None:
    config = RunConfig(epochs=1, batch=2, lr=0.125, device="cpu", precision="32-true", save_every=2)
    fabric, learner = launch("cpu", "32-true"), Diverging()
    with pytest.raises(TrainingError, match=r'"attention" of the loss is (inf|nan) in step 3; .* --lr than 0\.125'):
        fit(fabric, Run(tmp_path, config, {}), config, learner, np.arange(20), "diverging")
    saved = Run(tmp_path, config, {})
    state = saved.load()
    assert state is not None
    assert saved.step == 2
    assert torch.isfinite(state["network"]["weight"]).all()
