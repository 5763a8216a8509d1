"""Cautions: what a person should know before using a prediction, and why an input is rejected."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deep_pneumonia.radiographs.radiograph import Radiograph

REJECTING_CODES = frozenset({"blank", "coloured", "unlike"})  # with one of these cautions a prediction means nothing

# Share of the range from black to white that the middle 99% of the pixels span. Radiographs at hand span 0.29 or more.
MIN_CONTRAST = 0.02
# A radiograph is grey. With more clearly coloured pixels than the first share, something was drawn on it. With more
# than the second, which few photographs stay below, it is no radiograph.
MARKED_SHARE, COLOURED_SHARE = 0.02, 1 / 3
# A longer side relative to the shorter one means a crop, another body part or no radiograph.
MAX_ASPECT = 1.8


@dataclass(frozen=True)
class Caution:
    """What a person should know before using a prediction: a stable `code` and one plain sentence."""

    code: str
    message: str


def is_blank(radiograph: Radiograph) -> bool:
    """Whether nearly all pixels have the same grey."""
    step = max(1, min(radiograph.size) // 256)
    low, high = np.percentile(radiograph.pixels[::step, ::step], (0.5, 99.5))
    return bool(high - low < MIN_CONTRAST)


def rejections(radiograph: Radiograph, strangeness: float) -> Iterator[Caution]:
    """Why an input is rejected, the plainest reason first. `strangeness` is the gate's: above 1 it rejects."""
    if is_blank(radiograph):
        yield Caution(
            "blank", "This picture is blank: nearly all of it has the same grey. If the radiograph looks right "
            "elsewhere, export it again with its full range of greys.",
        )  # fmt: skip
    if radiograph.colour > COLOURED_SHARE:
        yield Caution(
            "coloured", f"{radiograph.colour:.0%} of this picture is coloured, but a radiograph is grey: the "
            "prediction means nothing. Give the radiograph itself, without colours laid over it.",
        )  # fmt: skip
    if strangeness > 1:
        yield Caution(
            "unlike", "This picture is unlike the radiographs that the model was trained on: the prediction means "
            "nothing. Give a whole frontal chest radiograph, upright, not inverted, not cropped.",
        )  # fmt: skip


def remarks(radiograph: Radiograph, side: int, finding: float, min_finding: float) -> Iterator[Caution]:
    """What to keep in mind about a prediction.

    side: pixels of the model's square input. finding: probability of any finding. min_finding: the probability
    below which no map is shown. Both probabilities are in [0, 1].
    """
    height, width = radiograph.size
    if MARKED_SHARE < radiograph.colour <= COLOURED_SHARE:
        yield Caution(
            "colour", f"{radiograph.colour:.0%} of this picture is coloured, but a radiograph is grey: the "
            "prediction means nothing unless this is a radiograph with coloured marks.",
        )  # fmt: skip
    if max(height, width) > MAX_ASPECT * min(height, width):
        yield Caution(
            "shape", f"One side of this picture ({height} x {width}) is over {MAX_ASPECT} times the other. The model "
            "was trained on whole frontal chest radiographs; give the uncropped one.",
        )  # fmt: skip
    if min(height, width) < side:
        yield Caution(
            "small", f"This picture has {height} x {width} pixels, but the model uses {side} x {side}: fine signs are "
            "lost. Give the original file.",
        )  # fmt: skip
    if finding < min_finding:
        yield Caution(
            "unlikely_finding", f"The probability of a finding is {finding:.1%}, below the {min_finding:.1%} that 95% "
            "of the validation images with a lesion reach: no map is shown, because it would point at nothing.",
        )  # fmt: skip
