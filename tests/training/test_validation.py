"""What validation images decide: the probability of a finding from which on a map is shown."""

import numpy as np
import pytest
import torch

from deep_pneumonia.training.validation import Predictions, finding_threshold


def predictions(finding: list[float], drawn: list[int]) -> Predictions:
    """Two classes, the second normal; `finding`: the probability of the first, `drawn`: images with a lesion."""
    p = torch.tensor(finding, dtype=torch.float64)
    n, m = len(finding), len(drawn)
    return Predictions(
        torch.stack([p.log(), (1 - p).log()], 1), torch.zeros(n, dtype=torch.int64), np.array(["drawn"] * n),
        torch.zeros(n, 2, 2), np.array(drawn, dtype=np.int64), torch.zeros(m, 2, 2),
    )  # fmt: skip


def test_all_but_a_share_of_the_drawn_images_have_their_map_shown() -> None:
    found = [0.01, 0.02, *(0.1 + 0.8 * i / 20 for i in range(21))]  # no lesion is drawn in the first two
    p = predictions(found, list(range(2, 23)))
    assert finding_threshold(p, normal=1, temperature=1.0) == pytest.approx(0.14)
    assert finding_threshold(p, normal=1, temperature=1.0, share=0.5) == pytest.approx(0.5)
    assert finding_threshold(p, normal=0, temperature=1.0, share=0) == pytest.approx(0.1)


def test_probabilities_are_those_that_a_reading_has() -> None:
    p = predictions([0.9, 0.9], [0, 1])  # the odds are 9, with a temperature of 2 they are 3
    assert finding_threshold(p, normal=1, temperature=2.0) == pytest.approx(3 / 4)


def test_without_a_drawn_lesion_every_map_is_shown() -> None:
    assert finding_threshold(predictions([0.5], []), normal=1, temperature=1.0) == 0.0
