"""Metrics on images that no doctor labelled but whose report names no finding.

Doctors labelled few images as normal, so these weak labels give a wider look at normal radiographs. Some of the images
do show a lesion. The metrics are therefore no error rates, but two checkpoints can be compared by them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from deep_pneumonia.evaluation.bootstrap import bootstrap
from deep_pneumonia.evaluation.metrics import auroc, mean
from deep_pneumonia.evaluation.per_image import Row


def weak_scores(rows: Sequence[Row], sources: Iterable[str], normal: str) -> dict[str, Any]:
    """Metrics by source on the images whose only label is a weak `normal`, as plain JSON.

    called_abnormal: share predicted as another class. map_shown: share whose map is shown. auroc_abnormal: of the
    images that doctors labelled as abnormal against these. Sources without such images are left out.
    """
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
