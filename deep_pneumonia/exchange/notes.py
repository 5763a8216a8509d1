"""What an export says about itself: its README.txt, and which patients it had to put into one split."""

from collections.abc import Sequence
from dataclasses import replace

from deep_pneumonia.datasets.manifest import SPLITS, Case

README = """A work list of Deep Pneumonia. Research and teaching only. Not a medical device.

manifest.csv      the radiographs with the newest mask of every reader; images that were not copied are referred to
                  where they lie on the machine of the export
masks/            these masks, CASE-READER.png, 255 on lesion
radiographs/      the radiographs, if they were asked for; DICOM files and files with words in them became plain PNG
seg/              DICOM segmentations, if asked for, with a DICOM radiograph where the original is none
coco.json         the newest masks as COCO JSON (run lengths; attributes.reader and attributes.kind), all cases that
                  somebody has read
cases.csv         one row a case: what it is, what the network reads in it, what the reviewers think
annotations.csv   one row a version of a mask: who, when, what
verdicts.csv      one row a version of a reviewer's verdict
state.json, state/    every version of everything, for an import; leave them as they are

In the three tables a ' stands before text that a spreadsheet would take for a formula.

Train on it:      python -m deep_pneumonia.train --manifest manifest.csv --out run
Measure on it:    python -m deep_pneumonia.evaluate --manifest manifest.csv --split all --out figures
Take it in:       python -m deep_pneumonia.review import THIS_FOLDER_OR_ZIP --workspace DIR

Training needs labelled radiographs in the splits train and val.
"""


def one_split(cases: Sequence[Case]) -> tuple[list[Case], list[str]]:
    """The cases with each patient in one split, and a sentence about who was moved.

    A patient of two splits goes wholly to test before val before train, so that nothing is trained on which is tested.
    """
    strictest: dict[str, str] = {}
    for case in cases:
        strictest[case.group] = max(strictest.get(case.group, case.split), case.split, key=SPLITS.index)
    moved = {c.group for c in cases if c.split != strictest[c.group]}
    notes = [
        f"Patients in two splits: {len(moved)}; in manifest.csv all their images are in the later of train, val, test."
    ]
    return [replace(c, split=strictest[c.group]) for c in cases], notes if moved else []
