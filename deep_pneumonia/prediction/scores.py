"""The five scores of agreement between a map and a mask: what they are called and what they mean.

This is the only table of them. The command line, the charts, the reports and the page take their words from it, and
a test compares it with docs/glossary.md.
"""

from dataclasses import dataclass

from deep_pneumonia.estimate import DASH


@dataclass(frozen=True)
class Score:
    """How a score is named and explained; its values are attributes of `agreement.Scores` called `key`.

    `hint` is a phrase without a full stop. `low` and `high` bound the values.
    """

    key: str
    name: str
    hint: str
    low: float = 0.0
    high: float = 1.0

    @property
    def key_of_mean(self) -> str:
        """The key of its mean over images in metrics.json."""
        return "hit_rate" if self.key == "hit" else self.key


SCORES: tuple[Score, ...] = (
    Score("hit", "Hit rate", "Whether the map's highest point lies in the mask; over several maps, how often it does"),
    Score("iou", "IoU", "Intersection over union of the mask and the map at or above its threshold"),
    Score("dice", "Dice", "Twice that intersection, divided by the sum of the two areas"),
    Score("share_inside", "Share inside", "Share of the whole map's sum that lies in the mask"),
    Score("average_precision", "Average precision", "How well the map ranks the mask's pixels above all others"),
)
SCORE_BY_KEY = {score.key: score for score in SCORES}


def score_text(value: float | bool | None) -> str:
    """The value of a score as text: yes or no for a bool, else two decimals; a dash where it is undefined."""
    if value is None:
        return DASH
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:.2f}"
