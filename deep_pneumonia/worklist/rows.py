"""The rows of the work list's page: per case what is known about it, its prediction, its scores and its verdicts."""

import math
from collections.abc import Mapping, Sequence
from typing import TypedDict

from deep_pneumonia.masks.annotation import Kind
from deep_pneumonia.worklist.predictions import MaskScores, Predictions, StoredPrediction
from deep_pneumonia.worklist.records import Drawing, Item, Verdict
from deep_pneumonia.worklist.workspace import Workspace


class ReaderScores(TypedDict):
    """One reader's mask and its scores in [0, 1]; None where nothing is drawn or predicted."""

    reader: str
    kind: Kind
    hit: bool | None
    iou: float | None
    dice: float | None


class NewestVerdict(TypedDict):
    """A reviewer's newest verdict."""

    verdict: str
    comment: str
    time: str
    version: int


class Row(TypedDict):
    """A case as plain JSON.

    predicted, probability, evidence: None until the case is predicted. problem: why it could not be read, or "".
    iou, hit: means over the readers who drew, in [0, 1]. disagreement: in [0, 1], see `disagreement`.
    verdicts: by reviewer.
    """

    id: int
    key: str
    name: str
    source: str
    patient: str
    split: str
    label: str
    predicted: str | None
    probability: float | None
    evidence: float | None
    warnings: list[str]
    problem: str
    agreement: list[ReaderScores]
    iou: float | None
    hit: float | None
    disagreement: float | None
    verdicts: dict[str, NewestVerdict]


def rows(workspace: Workspace, predictions: Predictions) -> list[Row]:
    """Every case as a row, in the order of addition."""
    predicted, verdicts, drawings = predictions.all(), workspace.verdicts(), workspace.all_drawings()
    return [
        to_row(item, drawings.get(item.id, []), predicted.get(item.id), verdicts.get(item.id, {}))
        for item in workspace.items(drawings)
    ]


def one_row(workspace: Workspace, predictions: Predictions, number: int) -> Row:
    """One case as a row.

    Raises:
        WorkspaceError: there is no such case.
    """
    verdicts = workspace.verdicts(number).get(number, {})
    return to_row(workspace.item(number), workspace.drawings(number), predictions.of(number), verdicts)


def to_row(
    item: Item, drawings: Sequence[Drawing], prediction: StoredPrediction | None, verdicts: Mapping[str, Verdict]
) -> Row:
    """A case with its newest drawings and verdicts as a row."""
    found = prediction or StoredPrediction(None)
    agreement = [_scores(drawing, found) for drawing in drawings]
    iou = _mean([a["iou"] for a in agreement])
    case = item.case
    return {
        "id": item.id,
        "key": item.key,
        "name": case.image.name,
        "source": case.source,
        "patient": case.patient,
        "split": case.split,
        "label": case.label,
        "predicted": found.predicted,
        "probability": found.probability,
        "evidence": found.evidence,
        "warnings": list(found.warnings),
        "problem": found.problem,
        "agreement": agreement,
        "iou": iou,
        "hit": _mean([a["hit"] for a in agreement]),
        "disagreement": disagreement(agreement, iou, found),
        "verdicts": {
            name: {"verdict": v.verdict, "comment": v.comment, "time": v.time, "version": v.version}
            for name, v in verdicts.items()
        },
    }


def _scores(drawing: Drawing, prediction: StoredPrediction) -> ReaderScores:
    found = prediction.scores.get(drawing.digest or "", MaskScores())
    hit = None if found.hit is None else bool(found.hit)
    return {"reader": drawing.reader, "kind": drawing.kind, "hit": hit, "iou": found.iou, "dice": found.dice}


def disagreement(agreement: Sequence[ReaderScores], iou: float | None, prediction: StoredPrediction) -> float | None:
    """How far attention and doctors are apart, in [0, 1]; None without a prediction or a reader.

    Where a lesion was drawn: 1 minus the mean IoU. Where every reader read the radiograph as normal: the evidence of
    the map that is shown all the same, or 0 where no map is shown.
    """
    if prediction.predicted is None or not agreement:
        return None
    if any(a["kind"] != "normal" for a in agreement):
        return None if iou is None else 1 - iou
    return 0.0 if "unlikely_finding" in prediction.warnings else prediction.evidence


def _mean(values: Sequence[float | bool | None]) -> float | None:
    known = [v for v in values if v is not None]
    return math.fsum(known) / len(known) if known else None
