"""Work lists that version 0.1.0 wrote are still read, as it left them on disk."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from deep_pneumonia.masks.annotation import to_png
from deep_pneumonia.worklist.database import DATABASE_FILE
from deep_pneumonia.worklist.history import history
from deep_pneumonia.worklist.predictions import MaskScores, Predictions, StoredPrediction
from deep_pneumonia.worklist.rows import rows
from deep_pneumonia.worklist.workspace import Workspace
from tests.phantom import save_png

CHECKPOINT = "c" * 64
FIRST, SECOND = np.eye(4, 3, dtype=bool), ~np.eye(4, 3, dtype=bool)
TIME = "2026-11-25T10:00:00Z"

# The statements of `sqlite3 workspace.sqlite .dump` on a list of 0.1.0, with the digests of the masks left open.
DUMP = """
CREATE TABLE cases (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, image TEXT NOT NULL, patient TEXT NOT NULL,
  source TEXT NOT NULL, split TEXT NOT NULL, label TEXT NOT NULL, sex TEXT NOT NULL, age TEXT NOT NULL,
  view TEXT NOT NULL);
INSERT INTO "cases" VALUES(1,'{key_1}','chest-1.png','p1','own','test','Opacity','F','61','PA');
INSERT INTO "cases" VALUES(2,'{key_2}','chest-2.png','p2','own','test','Normal','','','');
CREATE TABLE drawings (case_id INTEGER NOT NULL REFERENCES cases, reader TEXT NOT NULL, version INTEGER NOT NULL,
  kind TEXT NOT NULL, mask TEXT, removed INTEGER NOT NULL, author TEXT NOT NULL, time TEXT NOT NULL,
  UNIQUE (case_id, reader, version));
INSERT INTO "drawings" VALUES(1,'Dr. A',1,'pixel','{first}',0,'import','{time}');
INSERT INTO "drawings" VALUES(2,'Dr. B',1,'normal',NULL,0,'Ben','{time}');
INSERT INTO "drawings" VALUES(1,'Dr. A',2,'pixel','{second}',0,'Ben','{time}');
CREATE TABLE verdicts (case_id INTEGER NOT NULL REFERENCES cases, reviewer TEXT NOT NULL, version INTEGER NOT NULL,
  verdict TEXT NOT NULL, comment TEXT NOT NULL, time TEXT NOT NULL, UNIQUE (case_id, reviewer, version));
INSERT INTO "verdicts" VALUES(1,'Ana',1,'partly','too low','{time}');
INSERT INTO "verdicts" VALUES(1,'Ana',2,'agree','','{time}');
CREATE TABLE readings (case_id INTEGER NOT NULL REFERENCES cases, checkpoint TEXT NOT NULL, predicted TEXT,
  probability REAL, evidence REAL, warnings TEXT NOT NULL, problem TEXT NOT NULL, UNIQUE (case_id, checkpoint));
INSERT INTO "readings" VALUES(1,'{checkpoint}','Opacity',0.75,0.5,'[]','');
INSERT INTO "readings" VALUES(2,'{checkpoint}','Normal',0.9,0.3,'["low_evidence"]','');
CREATE TABLE agreements (case_id INTEGER NOT NULL REFERENCES cases, checkpoint TEXT NOT NULL, mask TEXT NOT NULL,
  hit REAL, iou REAL, dice REAL, UNIQUE (case_id, checkpoint, mask));
INSERT INTO "agreements" VALUES(1,'{checkpoint}','{second}',1.0,0.5,0.75);
PRAGMA user_version = 3;
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The folder of a list with two cases, two versions of a mask, two of a verdict, and predictions."""
    folder = tmp_path / "old"
    (folder / "masks").mkdir(parents=True)
    digests = {}
    for name, mask in (("first", FIRST), ("second", SECOND)):
        digests[name] = name[0] * 64  # 0.1.0 named files by digests; any name of this form is found
        (folder / "masks" / f"{digests[name]}.png").write_bytes(to_png(mask))
    for number in (1, 2):
        save_png(np.full((4, 3), number / 3, np.float32), folder / f"chest-{number}.png")
    facts = {**digests, "key_1": "1" * 64, "key_2": "2" * 64, "checkpoint": CHECKPOINT, "time": TIME}
    with closing(sqlite3.connect(folder / DATABASE_FILE)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(DUMP.format(**facts))
    return folder


def test_cases_masks_and_verdicts_are_there(old: Path) -> None:
    first, second = history(Workspace(old))
    case = first.item.case
    assert (case.image, case.patient, case.label, case.sex, case.age, case.view) == (
        old / "chest-1.png", "p1", "Opacity", "F", "61", "PA",
    )  # fmt: skip
    assert [(d.version, d.author, d.time) for d in first.drawings] == [(1, "import", TIME), (2, "Ben", TIME)]
    np.testing.assert_array_equal(first.newest[0].annotation((4, 3)).mask, SECOND)
    assert [(v.verdict, v.comment) for v in first.verdicts] == [("partly", "too low"), ("agree", "")]
    assert [d.kind for d in second.newest] == ["normal"]


def test_predictions_are_kept_and_the_old_code_of_an_unlikely_finding_is_understood(old: Path) -> None:
    space = Workspace(old)
    predictions = Predictions(space, CHECKPOINT)
    assert predictions.pending() == []
    assert predictions.of(1) == StoredPrediction("Opacity", 0.75, 0.5, scores={"s" * 64: MaskScores(1, 0.5, 0.75)})
    opacity, normal = rows(space, predictions)
    assert (opacity["iou"], opacity["hit"], opacity["disagreement"]) == (0.5, 1, 0.5)
    assert (normal["warnings"], normal["disagreement"]) == (["unlikely_finding"], 0)


def test_work_goes_on_in_them(old: Path) -> None:
    space = Workspace(old)
    assert space.judge(1, "Ana", "unsure", version=2).version == 3
    assert space.remove(1, "Dr. A", version=2, author="Ana").version == 3
    assert space.newest_versions(1) == {"Dr. A": 3}
