"""What one checkpoint reads in the cases of a workspace, kept so that no case is read twice.

A reading belongs to the radiograph and the checkpoint, its agreement to the mask's digest besides: a mask that
changes needs its own figures, and one that is taken back has them already.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deep_pneumonia.errors import DeepPneumoniaError, WorkspaceError
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.prediction.predictor import Prediction
from deep_pneumonia.radiographs.radiograph import Radiograph, decode
from deep_pneumonia.worklist.database import changing, connected
from deep_pneumonia.worklist.records import Drawing, Item
from deep_pneumonia.worklist.thumbnail import keep_thumbnail
from deep_pneumonia.worklist.workspace import Workspace

WAITING = """SELECT id FROM cases WHERE id NOT IN (SELECT case_id FROM readings WHERE checkpoint = :checkpoint)
UNION SELECT case_id FROM drawings d JOIN readings r USING (case_id)
WHERE r.checkpoint = :checkpoint AND r.predicted IS NOT NULL AND d.mask IS NOT NULL AND NOT d.removed
AND d.version = (SELECT max(version) FROM drawings WHERE case_id = d.case_id AND reader = d.reader)
AND NOT EXISTS (SELECT 1 FROM agreements a
WHERE a.case_id = d.case_id AND a.checkpoint = :checkpoint AND a.mask = d.mask) ORDER BY 1"""
Predict = Callable[[Radiograph, Sequence[Annotation]], Prediction]
Overlap = tuple[float | None, float | None, float | None]  # hit, IoU, Dice


@dataclass(frozen=True)
class Kept:
    """A reading as the work list needs it.

    predicted: None where the file could not be read or the picture was refused, and `problem` says why. probability:
    of the predicted class. warnings: codes of `cautions.Caution`. overlaps: hit, IoU and Dice by the digest of a mask.
    """

    predicted: str | None
    probability: float | None
    evidence: float | None
    warnings: tuple[str, ...]
    problem: str
    overlaps: Mapping[str, Overlap] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Seen:
    """A case as it was read: its radiograph, its readers' newest masks, the reading with them."""

    item: Item
    radiograph: Radiograph
    masks: tuple[Annotation, ...]
    prediction: Prediction


class Predictions:
    """The readings of one checkpoint, by its `key`, in a workspace."""

    def __init__(self, workspace: Workspace, checkpoint: str, thumbnails: Path | None = None) -> None:
        """`thumbnails`: the folder for a picture of each case that was read; by default one in the workspace."""
        self.workspace, self.checkpoint = workspace, checkpoint
        self.thumbnails = thumbnails or workspace.folder / "thumbnails"

    def all(self) -> dict[int, Kept]:
        """Every reading there is, by case."""
        return self._found("", ())

    def of(self, number: int) -> Kept | None:
        """The reading of one case, if it was read."""
        return self._found("AND case_id = ?", (number,)).get(number)

    def _found(self, which: str, values: tuple[int, ...]) -> dict[int, Kept]:
        where = f"WHERE checkpoint = ? {which}"
        overlaps: dict[int, dict[str, Overlap]] = defaultdict(dict)
        with connected(self.workspace.database) as db:
            measured = f"SELECT case_id, mask, hit, iou, dice FROM agreements {where}"  # noqa: S608
            for number, mask, *scores in db.execute(measured, (self.checkpoint, *values)):
                hit, iou, dice = scores
                overlaps[number][mask] = (hit, iou, dice)
            read = f"SELECT case_id, predicted, probability, evidence, warnings, problem FROM readings {where}"  # noqa: S608
            rows = db.execute(read, (self.checkpoint, *values)).fetchall()
        return {
            number: Kept(predicted, probability, evidence, _warnings(codes), problem, overlaps.get(number, {}))
            for number, predicted, probability, evidence, codes, problem in rows
        }

    def pending(self) -> list[int]:
        """Cases that wait for a reading, in their order: never read, or with a newer mask that has no figures yet.

        One that could not be read is not among them.
        """
        with connected(self.workspace.database) as db:
            rows = db.execute(WAITING, {"checkpoint": self.checkpoint}).fetchall()
        return [number for (number,) in rows]

    def forget_problems(self) -> None:
        """Have cases that could not be read tried again."""
        with changing(self.workspace.database) as db:
            db.execute("DELETE FROM readings WHERE checkpoint = ? AND predicted IS NULL", (self.checkpoint,))

    def make(self, number: int, predict: Predict) -> Seen | None:
        """Have `predict`, which is `Predictor.predict` or does the same elsewhere, read a case; what it says is kept.

        A file that cannot be read is kept as a problem, in one sentence, and gives None. So is why a picture was
        refused, which is seen all the same.

        Raises:
            WorkspaceError: there is no such case, or nothing can be kept.
        """
        drawings, item = self.workspace.drawings(number), self.workspace.item(number)
        try:
            radiograph = decode(item.case.image)
            masks = [d.annotation(radiograph.size) for d in drawings]
            prediction = predict(radiograph, masks)
        except WorkspaceError:
            raise
        except DeepPneumoniaError as error:
            self._keep(number, (None, None, None, "[]", str(error)), {})
            return None
        keep_thumbnail(radiograph, self.thumbnails / f"{item.key}.webp")
        self._keep_prediction(number, prediction, drawings)
        return Seen(item, radiograph, tuple(masks), prediction)

    def _keep_prediction(self, number: int, prediction: Prediction, drawings: Sequence[Drawing]) -> None:
        scores = [a.scores for a in prediction.agreement]
        overlaps = {d.digest: (f.hit, f.iou, f.dice) for d, f in zip(drawings, scores, strict=True) if d.digest}
        codes = json.dumps([w.code for w in prediction.warnings])
        if prediction.is_refused:  # no class and no map: the list is to say no more than the screen of the case
            self._keep(number, (None, None, None, codes, prediction.warnings[0].message), {})
            return
        probability = prediction.probabilities[prediction.predicted]
        self._keep(number, (prediction.predicted, probability, prediction.evidence, codes, ""), overlaps)

    def _keep(self, number: int, cells: tuple[object, ...], overlaps: Mapping[str, Overlap]) -> None:
        with changing(self.workspace.database) as db:
            row = (number, self.checkpoint, *cells)
            db.execute("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            for mask, scores in overlaps.items():
                measured = (number, self.checkpoint, mask, *scores)
                db.execute("INSERT OR REPLACE INTO agreements VALUES (?, ?, ?, ?, ?, ?)", measured)


def _warnings(codes: str) -> tuple[str, ...]:
    # Lists that 0.1.0 wrote have its code for an unlikely finding.
    return tuple("unlikely_finding" if code == "low_evidence" else code for code in json.loads(codes))
