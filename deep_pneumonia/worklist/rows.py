"""The work list: one row a case, of what is known about it, what a checkpoint reads in it and what reviewers think."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from deep_pneumonia.worklist.predictions import Kept, Predictions
from deep_pneumonia.worklist.records import Drawing, Item, Verdict
from deep_pneumonia.worklist.workspace import Workspace

Row = dict[str, Any]


def rows(workspace: Workspace, predictions: Predictions) -> list[Row]:
    """Every case as a row, in the order in which they came; see `row`."""
    read, verdicts, drawings = predictions.all(), workspace.verdicts(), workspace.all_drawings()
    return [
        row(item, drawings.get(item.id, []), read.get(item.id), verdicts.get(item.id, {}))
        for item in workspace.items(drawings)
    ]


def one_row(workspace: Workspace, predictions: Predictions, number: int) -> Row:
    """One case as a row.

    Raises:
        WorkspaceError: there is no such case.
    """
    verdicts = workspace.verdicts(number).get(number, {})
    return row(workspace.item(number), workspace.drawings(number), predictions.of(number), verdicts)


def row(item: Item, drawings: Sequence[Drawing], kept: Kept | None, verdicts: Mapping[str, Verdict]) -> Row:
    """A case as plain JSON.

    predicted, probability, evidence: null until it is read. agreement: one entry a reader, its figures null where
    nothing is drawn or nothing is read yet. iou, hit: means over readers who drew, in [0, 1]. disagreement: in [0, 1],
    see `disagreement`. problem: why it could not be read, "" otherwise.
    """
    agreement = [_agreement(d, kept) for d in drawings]
    means = {key: _mean([a[key] for a in agreement]) for key in ("iou", "hit")}
    case = item.case
    return {
        "id": item.id,
        "key": item.key,
        "name": case.image.name,
        **{name: getattr(case, name) for name in ("source", "patient", "split", "label")},
        "predicted": kept.predicted if kept else None,
        "probability": kept.probability if kept else None,
        "evidence": kept.evidence if kept else None,
        "warnings": list(kept.warnings) if kept else [],
        "problem": kept.problem if kept else "",
        "agreement": agreement,
        **means,
        "disagreement": disagreement(agreement, means["iou"], kept),
        "verdicts": {
            name: {"verdict": v.verdict, "comment": v.comment, "time": v.time, "version": v.version}
            for name, v in verdicts.items()
        },
    }


def _agreement(drawing: Drawing, kept: Kept | None) -> dict[str, Any]:
    hit, iou, dice = (kept.overlaps if kept else {}).get(drawing.digest or "", (None, None, None))
    hits = None if hit is None else bool(hit)
    return {"reader": drawing.reader, "kind": drawing.kind, "hit": hits, "iou": iou, "dice": dice}


def disagreement(agreement: Sequence[Mapping[str, Any]], iou: float | None, kept: Kept | None) -> float | None:
    """How far attention and doctors are apart, in [0, 1]; None without a reading or a doctor.

    Where a lesion was drawn: 1 less the mean IoU. Where all read the radiograph as normal: the evidence of the map
    that is shown all the same, or 0 where none is shown.
    """
    if kept is None or kept.predicted is None or not agreement:
        return None
    if any(a["kind"] != "normal" for a in agreement):
        return None if iou is None else 1 - iou
    return 0.0 if "unlikely_finding" in kept.warnings else kept.evidence


def _mean(values: Sequence[float | bool | None]) -> float | None:
    found = [v for v in values if v is not None]
    return math.fsum(found) / len(found) if found else None
