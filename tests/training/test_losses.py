"""Losses: hand-worked values, invariants, equality with reference implementations."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lightly.loss import NTXentLoss
from torch.nn import functional as F

from deep_pneumonia.training.losses import (
    attention_loss,
    class_balanced_weights,
    classification_loss,
    contrastive_regulation,
    info_nce,
    nt_xent,
)  # fmt: skip


def published_weights(samples_per_cls: list[int], beta: float) -> torch.Tensor:
    """The weights as the authors of the class-balanced loss compute them in their published code."""
    effective = [1.0 - beta**n for n in samples_per_cls]
    weights = [(1.0 - beta) / e for e in effective]
    return torch.tensor([w / sum(weights) * len(samples_per_cls) for w in weights])


@pytest.mark.parametrize("beta", [0.9, 0.99, 0.999, 0.9999])
def test_weights_are_the_published_ones(beta: float) -> None:
    counts = [500, 278, 155, 86, 48, 27, 15, 8, 5]
    assert torch.allclose(class_balanced_weights(counts, beta), published_weights(counts, beta), rtol=1e-5)


def test_weights_by_hand() -> None:
    # beta 0.5: effective numbers 1 and 1.5, weights 1 and 2/3, normalised to 1.2 and 0.8.
    assert class_balanced_weights([1, 2], 0.5).tolist() == pytest.approx([1.2, 0.8])
    assert class_balanced_weights([7, 7, 7], 0.99).tolist() == pytest.approx([1, 1, 1])
    assert class_balanced_weights([3, 0], 0.9).tolist() == pytest.approx([2, 0])


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=6), st.sampled_from([0.0, 0.9, 0.999]))
def test_rarer_classes_never_weigh_less(counts: list[int], beta: float) -> None:
    weights = class_balanced_weights(counts, beta)
    order = sorted(range(len(counts)), key=lambda i: counts[i])
    assert all(weights[a] >= weights[b] - 1e-6 for a, b in pairwise(order))
    assert float(weights.sum()) == pytest.approx(len(counts), rel=1e-5)


@pytest.mark.parametrize(("counts", "beta"), [([1, 2], 1.0), ([1, 2], -0.1), ([0, 0], 0.9)])
def test_weights_refuse_what_has_no_meaning(counts: list[int], beta: float) -> None:
    with pytest.raises(ValueError, match="beta"):
        class_balanced_weights(counts, beta)


def test_classification_by_hand_and_without_labels() -> None:
    logits = torch.tensor([[0.0, math.log(3)], [5.0, 1.0]])
    labels = torch.tensor([1, -1])
    weights = torch.tensor([1.0, 2.0])
    assert float(classification_loss(logits, labels, weights)) == pytest.approx(2 * -math.log(0.75))
    assert float(classification_loss(logits, labels, weights, gamma=2)) == pytest.approx(2 * 0.25**2 * -math.log(0.75))
    assert float(classification_loss(logits, torch.tensor([-1, -1]), weights)) == 0
    plain = classification_loss(logits, torch.tensor([0, 1]), torch.ones(2))
    assert float(plain) == pytest.approx(float(F.cross_entropy(logits, torch.tensor([0, 1]))))


def test_attention_loss_by_hand() -> None:
    mask = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    flat = torch.zeros(1, 2, 2)  # a = 1/2 everywhere: cross-entropy log 2, Dice 2*0.5/(4*0.25+1) = 1/2
    known = torch.tensor([True])
    assert float(attention_loss(flat, mask, known)) == pytest.approx(math.log(2) + 0.5)
    assert float(attention_loss(flat, torch.zeros_like(mask), known)) == pytest.approx(math.log(2))
    right = torch.where(mask > 0, 30.0, -30.0)
    assert float(attention_loss(right, mask, known)) == pytest.approx(0, abs=1e-6)


def test_attention_loss_of_a_cell_that_is_half_lesion_by_hand() -> None:
    mask = torch.tensor([[[1.0, 0.5], [0.0, 0.0]]])
    # a = 1/2 everywhere: cross-entropy log 2, Dice 2 * (1/2 + 1/4) / (4 * 1/4 + 1 + 1/4) = 2/3
    assert float(attention_loss(torch.zeros(1, 2, 2), mask, torch.tensor([True]))) == pytest.approx(math.log(2) + 1 / 3)


def test_only_known_masks_count() -> None:
    logits = torch.randn(3, 3, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    masks = torch.ones(3, 3, 3)
    masks[2] = 0.0  # read as normal
    attention_loss(logits, masks, torch.tensor([True, False, True])).backward()
    assert logits.grad is not None
    assert (logits.grad[0] < 0).all()
    assert (logits.grad[1] == 0).all()
    assert torch.allclose(logits.grad[2], logits.detach()[2].sigmoid() / 18)  # downwards, as one of 18 cells
    assert attention_loss(logits, masks, torch.zeros(3, dtype=torch.bool)).item() == 0


def test_dice_is_averaged_over_images_with_a_lesion() -> None:
    mask = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    masks = torch.stack([mask, mask, torch.zeros(2, 2)])
    logits = torch.stack([torch.where(mask > 0, 30.0, -30.0), torch.zeros(2, 2), torch.full((2, 2), -30.0)])
    # The second map is 1/2 everywhere: cross-entropy log 2 on one image of three, Dice loss 1/2 on one of two lesions.
    known = torch.ones(3, dtype=torch.bool)
    assert float(attention_loss(logits, masks, known)) == pytest.approx(math.log(2) / 3 + 0.5 / 2, rel=1e-5)


def test_contrastive_regulation_by_hand_and_where_its_gradient_goes() -> None:
    f = torch.tensor([[1.0, 1.0], [0.0, 4.0]], requires_grad=True)
    plus = torch.tensor([[0.0, 1.0], [0.0, 4.0]], requires_grad=True)
    minus = torch.tensor([[3.0, 1.0], [2.0, 4.0]], requires_grad=True)
    # Image 1: mean |f - f+| = 1/2, mean |f - f-| = 1, so 1/3; image 2: 0. Mean 1/6, halved by its weight.
    loss = contrastive_regulation([f], [plus], [minus], [0.5], eps=0)
    assert loss.item() == pytest.approx(1 / 12)
    loss.backward()
    assert f.grad is not None
    assert plus.grad is None
    assert minus.grad is None
    assert f.grad[0, 0] > 0  # towards the positive (0), away from the negative (3)


def test_regulation_is_a_mean_over_images_and_a_sum_over_stages() -> None:
    near, far = torch.zeros(2, 3), torch.tensor([[2.0] * 3, [4.0] * 3])
    f = torch.ones(2, 3)  # 1 from its positives; 1 and 3 from its negatives: 1/2 and 1/4, with the mean 3/8
    assert float(contrastive_regulation([f], [near], [far], [1.0], eps=0)) == pytest.approx(3 / 8)
    assert float(contrastive_regulation([f, f], [near, near], [far, far], [1.0, 2.0], eps=0)) == pytest.approx(9 / 8)
    with pytest.raises(ValueError, match="zip"):
        contrastive_regulation([f, f], [near], [far], [1.0])


def test_equal_features_are_not_divided_by_0() -> None:
    f = torch.ones(1, 4)
    assert float(contrastive_regulation([f], [f], [f], [1.0])) == 0
    # A thousandth from the positive and nothing from the negative: half, as eps is a thousandth too.
    assert float(contrastive_regulation([f], [f + 1e-3], [f], [1.0])) == pytest.approx(0.5, rel=1e-3)


def test_nt_xent_is_lightlys() -> None:
    g = torch.Generator().manual_seed(1)
    a, b = (torch.randn(7, 5, generator=g) for _ in range(2))
    for t in (0.1, 0.5):
        assert float(nt_xent(a, b, t)) == pytest.approx(float(NTXentLoss(temperature=t)(a, b)), rel=1e-5)
    assert float(nt_xent(a, b, 0.5)) == pytest.approx(float(nt_xent(b, a, 0.5)), rel=1e-5)


def test_info_nce_is_lightlys_with_the_same_queue() -> None:
    g = torch.Generator().manual_seed(2)
    q, k, queue = (torch.randn(n, 5, generator=g) for n in (4, 4, 16))
    reference = NTXentLoss(temperature=0.2, memory_bank_size=(16, 5))
    reference.memory_bank.bank = F.normalize(queue, dim=1)
    assert float(info_nce(q, k, queue, 0.2)) == pytest.approx(float(reference(q, k)), rel=1e-5)


def test_info_nce_by_hand_and_gradient_only_for_queries() -> None:
    q = torch.tensor([[1.0, 0.0]], requires_grad=True)
    k = torch.tensor([[2.0, 0.0]], requires_grad=True)
    negatives = torch.tensor([[0.0, 1.0]], requires_grad=True)
    loss = info_nce(q, k, negatives, 1.0)  # similarities 1 and 0
    assert float(loss.detach()) == pytest.approx(-math.log(math.e / (math.e + 1)))
    loss.backward()
    assert k.grad is None
    assert negatives.grad is None
