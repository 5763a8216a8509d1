"""What a person should know before using a reading, and what makes a picture be refused instead of read."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deep_pneumonia.radiographs.radiograph import Radiograph

BLANK, COLOURED, UNLIKE = "blank", "coloured", "unlike"
REFUSING = frozenset({BLANK, COLOURED, UNLIKE})  # codes of cautions with which nothing is read

# Share of the range from black to white that the middle 99% of the pixels span; in radiographs at hand 0.29 or more.
FLAT = 0.02
# A radiograph is grey. Above the first share of clearly coloured pixels something is drawn on it, above the second the
# picture is something else: of photographs, few have less.
MARKED, PAINTED = 0.02, 1 / 3
# Longer sides than these mean a crop or another body part, or a picture of something else.
ASPECT = 1.8


@dataclass(frozen=True)
class Caution:
    """What a person should know before using a reading: a stable `code` and one plain sentence."""

    code: str
    message: str


def is_blank(radiograph: Radiograph) -> bool:
    """Whether there is nothing to see but one grey."""
    step = max(1, min(radiograph.size) // 256)
    low, high = np.percentile(radiograph.pixels[::step, ::step], (0.5, 99.5))
    return bool(high - low < FLAT)


def refusals(radiograph: Radiograph, strangeness: float) -> Iterator[Caution]:
    """Why a picture is not to be read, the plainest reason first; `strangeness`: of the gate, above 1 none."""
    if is_blank(radiograph):
        yield Caution(
            BLANK, "This picture is blank, the same grey nearly everywhere: there is nothing to read. If the "
            "radiograph looks right elsewhere, export it again with its full range of greys.",
        )  # fmt: skip
    if radiograph.colour > PAINTED:
        yield Caution(
            COLOURED, f"{radiograph.colour:.0%} of this picture is coloured, a radiograph is grey: what the model says "
            "here means nothing. Give the radiograph itself, without colours laid over it.",
        )  # fmt: skip
    if strangeness > 1:
        yield Caution(
            UNLIKE, "This picture is unlike the radiographs that the model learned from: what it says here means "
            "nothing. Give a whole frontal chest radiograph, upright, not inverted, not cropped.",
        )  # fmt: skip


def remarks(radiograph: Radiograph, side: int, finding: float, least: float) -> Iterator[Caution]:
    """What to mind in a reading by a model that reads `side` pixels and shows no map where a finding has a probability
    below `least`."""
    height, width = radiograph.size
    if MARKED < radiograph.colour <= PAINTED:
        yield Caution(
            "colour", f"{radiograph.colour:.0%} of this picture is coloured, a radiograph is grey: the reading "
            "means nothing unless this is a radiograph with coloured marks.",
        )  # fmt: skip
    if max(height, width) > ASPECT * min(height, width):
        yield Caution(
            "shape", f"A side of this picture ({height} x {width}) is over {ASPECT} times the other; the model "
            "was trained on whole frontal chest radiographs, so give the uncropped one.",
        )  # fmt: skip
    if min(height, width) < side:
        yield Caution(
            "small", f"This picture has {height} x {width} pixels, fewer than the {side} that the model reads; "
            "fine signs are lost, so give the original file.",
        )  # fmt: skip
    if finding < least:
        yield Caution(
            "unlikely_finding", f"A finding has a probability of {finding:.1%}, below the {least:.1%} that 95% of the "
            "validation images with a lesion reach: no map is shown, because it would point at nothing.",
        )  # fmt: skip
