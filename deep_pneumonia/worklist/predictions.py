"""One checkpoint's predictions for the cases of a workspace, stored so that no case is predicted twice.

A prediction belongs to a radiograph and a checkpoint. Its scores belong to a mask's digest as well: a changed mask
needs its own scores, and a restored one has them already. The tables are called `readings` and `agreements`.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deep_pneumonia.errors import DeepPneumoniaError, WorkspaceError
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.prediction.predictor import Prediction
from deep_pneumonia.radiographs.radiograph import Radiograph, decode
from deep_pneumonia.worklist.database import connection, insert, transaction
from deep_pneumonia.worklist.records import Drawing, Item, damaged_row, digest_in, text_in
from deep_pneumonia.worklist.thumbnail import keep_thumbnail
from deep_pneumonia.worklist.workspace import THUMBNAILS_FOLDER, Workspace

PENDING_CASES = """SELECT id FROM cases
WHERE id NOT IN (SELECT case_id FROM readings WHERE checkpoint = :checkpoint)
UNION SELECT case_id FROM drawings d JOIN readings r USING (case_id)
WHERE r.checkpoint = :checkpoint AND r.predicted IS NOT NULL AND d.mask IS NOT NULL AND NOT d.removed
AND d.version = (SELECT max(version) FROM drawings WHERE case_id = d.case_id AND reader = d.reader)
AND NOT EXISTS (SELECT 1 FROM agreements a
WHERE a.case_id = d.case_id AND a.checkpoint = :checkpoint AND a.mask = d.mask) ORDER BY 1"""
# Codes of warnings that version 0.1.0 stored under other names.
RENAMED_CODES = {"low_evidence": "unlikely_finding"}

Predict = Callable[[Radiograph, Sequence[Annotation]], Prediction]
Read = Callable[[Path], Radiograph]


@dataclass(frozen=True)
class MaskScores:
    """How well the attention agrees with one mask, each in [0, 1]; None where nothing is drawn or shown."""

    hit: float | None = None
    iou: float | None = None
    dice: float | None = None


@dataclass(frozen=True)
class StoredPrediction:
    """A prediction as the work list needs it.

    predicted: None where the file cannot be read or the radiograph was rejected, and `problem` says why.
    probability: that of the predicted class. evidence: the map's highest value. Both in [0, 1].
    warnings: codes of `cautions.Caution`.
    scores: by the digest of a mask.
    """

    predicted: str | None
    probability: float | None = None
    evidence: float | None = None
    warnings: tuple[str, ...] = ()
    problem: str = ""
    scores: Mapping[str, MaskScores] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PredictedCase:
    """A case with its decoded radiograph, its readers' newest masks, and the prediction made with them."""

    item: Item
    radiograph: Radiograph
    masks: tuple[Annotation, ...]
    prediction: Prediction


class Predictions:
    """The predictions of one checkpoint, named by its `key`, in a workspace."""

    def __init__(
        self, workspace: Workspace, checkpoint: str, thumbnails: Path | None = None, read: Read = decode
    ) -> None:
        """Open the predictions.

        thumbnails: the folder for a small picture of each case; by default one in the workspace.
        read: decodes a radiograph's file.
        """
        self.read = read
        self.workspace, self.checkpoint = workspace, checkpoint
        self.thumbnails = thumbnails or workspace.folder / THUMBNAILS_FOLDER

    def all(self) -> dict[int, StoredPrediction]:
        """Every stored prediction, by case."""
        return self._stored("", ())

    def of(self, number: int) -> StoredPrediction | None:
        """The prediction for one case, if there is one."""
        return self._stored("AND case_id = ?", (number,)).get(number)

    def _stored(self, condition: str, values: tuple[int, ...]) -> dict[int, StoredPrediction]:
        where, values_ = f"WHERE checkpoint = ? {condition}", (self.checkpoint, *values)
        scores: dict[int, dict[str, MaskScores]] = defaultdict(dict)
        with connection(self.workspace.database) as db:
            for row in db.execute(f"SELECT * FROM agreements {where}", values_):  # noqa: S608
                found = (_share_in(row, name) for name in ("hit", "iou", "dice"))
                scores[row["case_id"]][digest_in(row, "mask", row["case_id"])] = MaskScores(*found)
            rows = db.execute(f"SELECT * FROM readings {where}", values_).fetchall()  # noqa: S608
        return {row["case_id"]: _prediction_from_row(row, scores.get(row["case_id"], {})) for row in rows}

    def pending(self) -> list[int]:
        """Cases that wait for a prediction, in their order: those without one, or with a newer mask without scores.

        Cases that could not be read are not among them.
        """
        with connection(self.workspace.database) as db:
            return [row["id"] for row in db.execute(PENDING_CASES, {"checkpoint": self.checkpoint})]

    def forget_problems(self) -> None:
        """Make cases that could not be read pending again."""
        with transaction(self.workspace.database) as db:
            db.execute("DELETE FROM readings WHERE checkpoint = ? AND predicted IS NULL", (self.checkpoint,))

    def make(self, number: int, predict: Predict) -> PredictedCase | None:
        """Predict a case with `predict`, such as `Predictor.predict`, and store the result.

        A file that cannot be read is stored as a problem, in one sentence, and gives None. The reason why a
        radiograph was rejected is stored as a problem, too, but its case is returned.

        Raises:
            WorkspaceError: there is no such case, or nothing can be stored.
        """
        drawings, item = self.workspace.drawings(number), self.workspace.item(number)
        try:
            radiograph = self.read(item.case.image)
            masks = [d.annotation(radiograph.size) for d in drawings]
            prediction = predict(radiograph, masks)
        except WorkspaceError:
            raise
        except DeepPneumoniaError as error:
            self.store(number, StoredPrediction(None, problem=str(error)))
            return None
        keep_thumbnail(radiograph, self.thumbnails / f"{item.key}.webp")
        self.store(number, _to_store(prediction, drawings))
        return PredictedCase(item, radiograph, tuple(masks), prediction)

    def store(self, number: int, prediction: StoredPrediction) -> None:
        """Store a prediction in place of an earlier one. Scores of other masks stay."""
        key: dict[str, object] = {"case_id": number, "checkpoint": self.checkpoint}
        columns = {name: getattr(prediction, name) for name in ("predicted", "probability", "evidence", "problem")}
        columns["warnings"] = json.dumps(prediction.warnings)
        with transaction(self.workspace.database) as db:
            insert(db, "readings", key | columns, on_conflict="REPLACE")
            for mask, scores in prediction.scores.items():
                insert(db, "agreements", key | {"mask": mask} | vars(scores), on_conflict="REPLACE")


def _to_store(prediction: Prediction, drawings: Sequence[Drawing]) -> StoredPrediction:
    codes = tuple(warning.code for warning in prediction.warnings)
    if prediction.is_refused:  # without class and map, as on the screen of the case
        return StoredPrediction(None, warnings=codes, problem=prediction.warnings[0].message)
    scores = [MaskScores(a.scores.hit, a.scores.iou, a.scores.dice) for a in prediction.agreement]
    return StoredPrediction(
        prediction.predicted,
        prediction.probabilities[prediction.predicted],
        prediction.evidence,
        codes,
        scores={d.digest: found for d, found in zip(drawings, scores, strict=True) if d.digest},
    )


def _prediction_from_row(row: sqlite3.Row, scores: Mapping[str, MaskScores]) -> StoredPrediction:
    case = row["case_id"]
    predicted = None if row["predicted"] is None else text_in(row, "predicted", case)
    probability, evidence = _share_in(row, "probability"), _share_in(row, "evidence")
    if predicted is not None and (probability is None or evidence is None):  # SQLite keeps NaN as NULL
        raise damaged_row(case, "probability or evidence", None, "a number from 0 to 1")
    return StoredPrediction(predicted, probability, evidence, _codes_in(row), text_in(row, "problem", case), scores)


def _codes_in(row: sqlite3.Row) -> tuple[str, ...]:
    text = text_in(row, "warnings", row["case_id"])
    codes: list[str] | None = None
    with suppress(ValueError, RecursionError):
        codes = json.loads(text)
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise damaged_row(row["case_id"], "warnings", text, "a list of words as JSON")
    return tuple(RENAMED_CODES.get(code, code) for code in codes)


def _share_in(row: sqlite3.Row, column: str) -> float | None:
    """A number of a row that must be in [0, 1], or None."""
    value = row[column]
    if value is not None and not (isinstance(value, int | float) and 0 <= value <= 1):
        raise damaged_row(row["case_id"], column, value, "a number from 0 to 1")
    return value
