"""Figures on images that no doctor read but whose report named no finding: a wider, weaker look at what is normal.

Few images are read as normal by doctors. How often is something seen in those that are normal by report alone? Some of
them do hold a lesion, so none of these figures is an error rate; two checkpoints can be compared by them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from deep_pneumonia.evaluation.bootstrap import bootstrap
from deep_pneumonia.evaluation.metrics import auroc, mean
from deep_pneumonia.evaluation.per_image import Row


def weak_scores(rows: Sequence[Row], sources: Iterable[str], normal: str) -> dict[str, Any]:
    """By source, of the images whose weak label alone is `normal`: how many are called otherwise, how many have a map
    shown, and the AUROC of those that doctors labelled as abnormal against them. Sources without such images are
    left out."""
    found = {}
    for source in sources:
        mine = [r for r in rows if r.case.source == source]
        weak = [r for r in mine if not r.case.label and r.case.weak_label == normal]
        if weak:
            patients = [r.case.group for r in weak]
            found[source] = {
                "n": len(weak),
                "patients": len(set(patients)),
                "called_abnormal": bootstrap(mean([float(r.predicted != normal) for r in weak]), patients).to_json(),
                "map_shown": bootstrap(mean([float(r.shows_map) for r in weak]), patients).to_json(),
                "auroc_abnormal": _against(weak, [r for r in mine if r.case.label not in ("", normal)], normal),
            }
    return found


def _against(weak: Sequence[Row], abnormal: Sequence[Row], normal: str) -> dict[str, float | None]:
    both = [*abnormal, *weak]
    labels = np.arange(len(both)) < len(abnormal)
    scores = np.array([1 - r.probabilities[normal] for r in both])
    return bootstrap(auroc(labels, scores), [r.case.group for r in both]).to_json()
