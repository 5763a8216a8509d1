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
from deep_pneumonia.prediction.predictor import Reading
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
Look = Callable[[Radiograph, Sequence[Annotation]], Reading]
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
    reading: Reading


class Readings:
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
            for number, mask, *figures in db.execute(measured, (self.checkpoint, *values)):
                hit, iou, dice = figures
                overlaps[number][mask] = (hit, iou, dice)
            read = f"SELECT case_id, predicted, probability, evidence, warnings, problem FROM readings {where}"  # noqa: S608
            rows = db.execute(read, (self.checkpoint, *values)).fetchall()
        return {
            number: Kept(predicted, probability, evidence, tuple(json.loads(codes)), problem, overlaps.get(number, {}))
            for number, predicted, probability, evidence, codes, problem in rows
        }

    def unread(self) -> list[int]:
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

    def read(self, number: int, look: Look) -> Seen | None:
        """Have `look`, which is `Reader.read` or does the same elsewhere, read a case; what it says is kept.

        A file that cannot be read is kept as a problem, in one sentence, and gives None. So is why a picture was
        refused, which is seen all the same.

        Raises:
            WorkspaceError: there is no such case, or nothing can be kept.
        """
        drawings, item = self.workspace.drawings(number), self.workspace.item(number)
        try:
            radiograph = decode(item.case.image)
            masks = [d.annotation(radiograph.size) for d in drawings]
            reading = look(radiograph, masks)
        except WorkspaceError:
            raise
        except DeepPneumoniaError as error:
            self._keep(number, (None, None, None, "[]", str(error)), {})
            return None
        keep_thumbnail(radiograph, self.thumbnails / f"{item.key}.webp")
        self._keep_reading(number, reading, drawings)
        return Seen(item, radiograph, tuple(masks), reading)

    def _keep_reading(self, number: int, reading: Reading, drawings: Sequence[Drawing]) -> None:
        figures = [a.figures for a in reading.agreement]
        overlaps = {d.digest: (f.hit, f.iou, f.dice) for d, f in zip(drawings, figures, strict=True) if d.digest}
        codes = json.dumps([w.code for w in reading.warnings])
        if reading.is_refused:  # no class and no map: the list is to say no more than the screen of the case
            self._keep(number, (None, None, None, codes, reading.warnings[0].message), {})
            return
        probability = reading.probabilities[reading.predicted]
        self._keep(number, (reading.predicted, probability, reading.evidence, codes, ""), overlaps)

    def _keep(self, number: int, cells: tuple[object, ...], overlaps: Mapping[str, Overlap]) -> None:
        with changing(self.workspace.database) as db:
            row = (number, self.checkpoint, *cells)
            db.execute("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            for mask, figures in overlaps.items():
                measured = (number, self.checkpoint, mask, *figures)
                db.execute("INSERT OR REPLACE INTO agreements VALUES (?, ?, ?, ?, ?, ?)", measured)
