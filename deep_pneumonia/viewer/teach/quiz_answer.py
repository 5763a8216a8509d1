"""The result of a quiz question: the learner, the doctors and the attention, each scored against the others."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np

from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.prediction.agreement import Agreement, Scores, agree, between_readers, compare
from deep_pneumonia.prediction.predictor import Prediction
from deep_pneumonia.viewer.teach.quiz_cases import ILL, Deck, QuizCase

MARK_THRESHOLD = 0.5  # separates the 0 and 1 of a learner's mask that is scored as a map


def answered(
    deck: Deck,
    case: QuizCase,
    chosen: tuple[str, float],
    mark: Annotation,
    doctors: Sequence[Annotation],
    prediction: Prediction,
    threshold: float,
) -> dict[str, Any]:
    """Plain JSON without NaN: who was right, and three sets of scores.

    chosen: the learner's answer and confidence in [0, 1]. mark: the learner's mask, empty if nothing was drawn.
    threshold: of the attention, in [0, 1].

    In the result, `doctors` holds the learner's mark against each doctor who drew a lesion, `iou` its mean (None if no
    doctor drew one), `among` the doctors against each other, and `attention` the attention with its two controls
    against the doctors and against the learner's mark.
    """
    drawn = [d for d in doctors if not d.is_empty]
    ill = bool(drawn) if doctors else case.label != deck.normal
    against = [(d.reader, _against(mark, d)) for d in drawn]
    by_model = [agree(prediction.attention, prediction.cells, d, threshold) for d in drawn]
    by_mark = [] if mark.is_empty else [agree(prediction.attention, prediction.cells, mark, threshold)]
    answer, confidence = deck.answer_of(prediction.probabilities)
    return {
        "id": case.id,
        "ill": ill,
        "truth": case.label or (ILL if ill else deck.normal),
        **_side(chosen, deck.is_right(chosen[0], case, ill), [f.iou for _, f in against], not mark.is_empty),
        "model": {
            **_side((answer, confidence), deck.is_right(answer, case, ill), [a.scores.iou for a in by_model],
                    prediction.shows_map),
            "evidence": prediction.evidence,
        },
        "readers": [d.reader for d in doctors],
        "doctors": [{"reader": reader, **asdict(scores)} for reader, scores in against],
        "among": _among(drawn),
        "attention": {
            "doctors": _mean(by_model),
            "learner": _mean(by_mark) if by_mark else None,
        },
        "title": case.title,
        "findings": case.findings,
        "teaching_point": case.teaching_point,
    }  # fmt: skip


def _side(answer: tuple[str, float], right: bool, ious: Sequence[float | None], marked: bool) -> dict[str, Any]:
    """What the quiz counts, for the learner and for the model alike."""
    known = [iou for iou in ious if iou is not None]
    return {
        "answer": answer[0],
        "confidence": answer[1],
        "right": right,
        "iou": float(np.mean(known)) if known else None,
        "marked": marked,
    }


def _against(mark: Annotation, doctor: Annotation) -> Scores:
    """Scores of two masks; hit rate and average precision are left out, because only a map has a highest point."""
    found = compare(mark.mask.astype(np.float32), doctor.mask, MARK_THRESHOLD)
    return Scores(iou=found.iou, dice=found.dice, share_inside=found.share_inside)


def _among(drawn: Sequence[Annotation]) -> dict[str, Any] | None:
    """The mean agreement between doctors, which is as much as a learner can hope for."""
    pairs = [between_readers(a.mask, b.mask) for a, b in combinations(drawn, 2)]
    return asdict(Scores.mean(pairs)) if pairs else None


def _mean(agreements: Sequence[Agreement]) -> dict[str, Any] | None:
    """Mean scores over masks, of the attention and of its controls; `hit` becomes a rate."""
    if not agreements:
        return None
    names = agreements[0].controls
    controls = {name: asdict(Scores.mean(a.controls[name] for a in agreements)) for name in names}
    return {"n": len(agreements), **asdict(Scores.mean(a.scores for a in agreements)), "controls": controls}
