"""Metrics of one source by sex, age band and view, each with its 95% interval over patients.

A mean over all images can hide a group with poor predictions. A metric on fewer than `MIN_IMAGES` images is left out;
the counts remain and say how little is known about the group.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deep_pneumonia.estimate import Estimate
from deep_pneumonia.evaluation.bootstrap import Statistic, bootstrap
from deep_pneumonia.evaluation.metrics import auroc, mean
from deep_pneumonia.prediction.scores import SCORE_BY_KEY

MIN_IMAGES = 10
AGE_BANDS = {"under 20": 20, "20-39": 40, "40-59": 60, "60 and over": 150}  # years at which a band ends
TITLES = {
    "auroc_abnormal": "AUROC", "accuracy": "accuracy", "recall_abnormal": "recall",
    **{SCORE_BY_KEY[key].key_of_mean: SCORE_BY_KEY[key].name for key in ("hit", "iou")},
}  # fmt: skip


@dataclass(frozen=True)
class Member:
    """One image of a group: its patient and how well it was predicted.

    sex, age (years), view: as in the manifest, "" where unknown. abnormal: whether the label is a finding, None
    without a label. score: probability in [0, 1] of any finding. found: whether a finding is predicted. right:
    whether the predicted class is the label. hit, iou: of the attention on drawn lesions, in [0, 1]; None without
    one.
    """

    patient: str
    sex: str
    age: str
    view: str
    abnormal: bool | None
    score: float
    found: bool
    right: bool
    hit: float | None
    iou: float | None


def sex_of(member: Member) -> str:
    """ "F" or "M", "" where it is unknown."""
    return member.sex if member.sex in ("F", "M") else ""


def age_of(member: Member) -> str:
    """The age band, "" where the age is unknown or cannot be one."""
    try:
        years = float(member.age)
    except ValueError:
        return ""
    return next((band for band, end in AGE_BANDS.items() if 0 <= years < end), "")


def view_of(member: Member) -> str:
    """ "PA", "AP" (supine or not) or "other", "" where it is unknown."""
    first = member.view.split(maxsplit=1)[:1]
    return next((v if v in ("PA", "AP") else "other" for v in first), "")


GROUPINGS: dict[str, tuple[Callable[[Member], str], tuple[str, ...]]] = {
    "sex": (sex_of, ("F", "M")),
    "age": (age_of, tuple(AGE_BANDS)),
    "view": (view_of, ("PA", "AP", "other")),
}


def subgroups(members: Sequence[Member]) -> dict[str, dict[str, dict[str, Any]]]:
    """Metrics of the images of one source by grouping ("sex", "age", "view") and group, as plain JSON.

    A grouping leaves out the images for which it is unknown. A grouping unknown for all images is left out.
    """
    found = {}
    for name, (group_of, groups) in GROUPINGS.items():
        chosen = {g: [m for m in members if group_of(m) == g] for g in groups}
        if any(chosen.values()):
            found[name] = {g: scores(part) for g, part in chosen.items() if part}
    return found


def scores(members: Sequence[Member]) -> dict[str, Any]:
    """Counts of one group, and each metric on at least `MIN_IMAGES` images.

    recall_abnormal: share of the abnormal images for which a finding is predicted. The other metrics are those of
    `classification_scores` and `localisation_scores`.
    """
    labelled = [m for m in members if m.abnormal is not None]
    abnormal = [m for m in labelled if m.abnormal]
    drawn = [m for m in members if m.iou is not None]
    statistics: dict[str, tuple[Sequence[Member], Statistic]] = {
        "auroc_abnormal": (
            labelled,
            auroc(np.array([bool(m.abnormal) for m in labelled]), np.array([m.score for m in labelled])),
        ),
        "accuracy": (labelled, mean([float(m.right) for m in labelled])),
        "recall_abnormal": (abnormal, mean([float(m.found) for m in abnormal])),
        "hit_rate": (drawn, mean([m.hit for m in drawn])),
        "iou": (drawn, mean([m.iou for m in drawn])),
    }
    counts = {"labelled": len(labelled), "abnormal": len(abnormal), "drawn": len(drawn)}
    return {"n": len(members), "patients": len({m.patient for m in members}), **counts} | {
        name: bootstrap(statistic, [m.patient for m in chosen]).to_json()
        for name, (chosen, statistic) in statistics.items()
        if len(chosen) >= MIN_IMAGES
    }


def described(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """The result of `subgroups` for one source as text, one line for each group."""
    return [
        f"  {name:<5}{group:<12}{_counted(g)}" + "".join(f", {_said(TITLES[k], g[k])}" for k in TITLES if k in g)
        for name, groups in found.items()
        for group, g in groups.items()
    ]


def _counted(group: Mapping[str, Any]) -> str:
    return (
        f"{group['n']} images of {group['patients']} patients ({group['labelled']} labelled, "
        f"{group['abnormal']} abnormal, {group['drawn']} drawn)"
    )


def _said(title: str, estimate: Mapping[str, float | None]) -> str:
    return f"{title} {Estimate.from_json(estimate)}"
