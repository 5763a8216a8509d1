"""The README.txt of an export, and the patients whose images had to move to one split."""

from collections.abc import Sequence
from dataclasses import replace

from deep_pneumonia.datasets.manifest import SPLITS, Case

README = """A work list of Deep Pneumonia. Research and teaching only. Not a medical device.

manifest.csv      the radiographs with the newest mask of every reader; images that were not copied keep their paths on
                  the machine of the export
masks/            these masks, CASE-READER.png, 255 on lesion
radiographs/      the radiographs, if requested; DICOM files and files that contain text became plain PNG files
seg/              DICOM segmentations, if requested, each with a DICOM radiograph unless the original is DICOM
coco.json         the newest masks as COCO JSON (run lengths; attributes.reader and attributes.kind), for all cases
                  that have a reader
cases.csv         one row per case: its facts, the model's prediction, the reviewers' verdicts
annotations.csv   one row per version of a mask: who, when, what
verdicts.csv      one row per version of a reviewer's verdict
state.json, state/    everything in every version, for an import; do not change them

In the three tables, a ' stands before text that a spreadsheet would take for a formula.

Train on it:      deep-pneumonia train --manifest manifest.csv --out run
Evaluate on it:   deep-pneumonia evaluate --manifest manifest.csv --split all --out scores
Import it:        deep-pneumonia review import THIS_FOLDER_OR_ZIP --workspace DIR

Training needs labelled radiographs in the splits train and val.
"""


def one_split(cases: Sequence[Case]) -> tuple[list[Case], list[str]]:
    """The cases with each patient in one split, and a sentence about patients that moved.

    A patient in several splits moves to the latest of train, val and test, so that no test image is trained on.
    """
    strictest: dict[str, str] = {}
    for case in cases:
        strictest[case.group] = max(strictest.get(case.group, case.split), case.split, key=SPLITS.index)
    moved = {c.group for c in cases if c.split != strictest[c.group]}
    notes = [f"Patients in two splits: {len(moved)}; in manifest.csv all their images are in the later of the two."]
    return [replace(c, split=strictest[c.group]) for c in cases], notes if moved else []
