"""Predict one radiograph: class probabilities, attention, agreement with doctors' masks.

Example: deep-pneumonia predict chest.png --mask doctor_a.png --report case.pdf --json case.json
Research and teaching only. Not a medical device.
"""

import sys

if __name__ == "__main__":  # `python -m`: before the imports that take seconds, or need an extra
    from deep_pneumonia.cli import run_verb

    sys.exit(run_verb("predict", sys.argv[1:]))


import argparse
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from deep_pneumonia.cli import add_category_option, add_checkpoint_option, add_device_option, guarded
from deep_pneumonia.errors import UnknownMaskError
from deep_pneumonia.files import PICTURE_SUFFIXES, check_new_file, check_suffix, whole
from deep_pneumonia.masks.annotation import Annotation, read_mask
from deep_pneumonia.masks.any_format import read_annotations
from deep_pneumonia.prediction.predictor import Prediction, Predictor
from deep_pneumonia.prediction.scores import SCORES, score_text
from deep_pneumonia.radiographs.radiograph import decode


def parser() -> argparse.ArgumentParser:
    """The options of the verb."""
    p = argparse.ArgumentParser(
        prog="deep-pneumonia predict",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("file", metavar="FILE", help="radiograph: PNG, JPEG, TIFF, WebP, BMP or DICOM")
    p.add_argument(
        "--mask",
        action="append",
        default=[],
        metavar="FILE",
        help="doctors' masks: PNG, JPEG or TIFF, COCO or LabelMe JSON, RSNA boxes as CSV, DICOM SEG; may be repeated",
    )
    add_category_option(p)
    p.add_argument("--fit", action="store_true", help="fit pictures of masks of another size (default: refuse them)")
    add_checkpoint_option(p)
    add_device_option(p)
    p.add_argument("--json", metavar="OUT", help="write the prediction as JSON; - for standard output")
    p.add_argument("--report", metavar="OUT", help="write a one-page report, PNG or PDF by the name's ending")
    p.add_argument("--attention", metavar="OUT.npy", help="write the attention map, float32 (H, W) in [0, 1]")
    return p


def predict(arguments: argparse.Namespace) -> None:
    """Predict the file and write what was asked for; prints a summary unless JSON goes to standard output.

    Raises:
        DeepPneumoniaError: an input cannot be read, or an output cannot be written.
    """
    for name, suffixes in ((arguments.report, PICTURE_SUFFIXES), (arguments.attention, (".npy",))):
        if name:
            check_suffix(name, suffixes)
    for name in (arguments.json, arguments.report, arguments.attention):
        if name and name != "-":
            check_new_file(name)
    radiograph = decode(arguments.file)
    size = radiograph.size
    masks = [(Path(m).name, masks_in(Path(m), size, arguments)) for m in arguments.mask]
    annotations = [a for _, found in masks for a in found]
    for name, found in masks:
        readers = ", ".join(f"{a.reader} ({a.kind})" for a in found) or "no mask of this radiograph"
        print(f"mask file {name}: {readers}", file=sys.stderr)
    prediction = Predictor.load(arguments.checkpoint, arguments.device).predict(radiograph, annotations)
    text = json.dumps(prediction.to_json(Path(arguments.file).name), indent=1, allow_nan=False) + "\n"
    if arguments.json and arguments.json != "-":
        with whole(arguments.json) as path:
            path.write_text(text, encoding="utf-8")
    if arguments.report:
        # Matplotlib takes a second to import, which most predictions can save.
        from deep_pneumonia.drawing.case_report import page
        from deep_pneumonia.drawing.pictures import save_picture

        name, day = Path(arguments.file).name, date.today().isoformat()
        save_picture(page(name, radiograph, annotations, prediction, day=day), arguments.report)
    if arguments.attention:
        with whole(arguments.attention) as path, path.open("wb") as stream:
            np.save(stream, prediction.attention)
    print(text if arguments.json == "-" else summary(prediction), end="")


def masks_in(file: Path, size: tuple[int, int], arguments: argparse.Namespace) -> list[Annotation]:
    """The readers' masks in one file; none, with a note, if the file does not say whether anybody looked.

    Only a picture can be fitted: other formats know the size they were drawn on.
    """
    if arguments.fit:
        return [read_mask(file, size, reader=file.stem, fit=True)]
    radiograph = Path(arguments.file).name
    try:
        return read_annotations(file, size, name=file.name, radiograph=radiograph, category=arguments.category)
    except UnknownMaskError as error:
        print(f"note: {error}", file=sys.stderr)
        return []


def summary(prediction: Prediction) -> str:
    """The prediction in a few lines of text."""
    rejected = "Rejected; the prediction would have been:"
    lines = [rejected if prediction.is_refused else f"Predicted: {prediction.predicted}"]
    ranked = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
    lines += [f"  {name:<24} {p:6.1%}" for name, p in ranked]
    lines += [f"Evidence (highest attention, 0 to 1): {prediction.evidence:.2f}"]
    for a in prediction.agreement:
        lines += [f"Agreement with {a.reader} ({a.kind}; covers {a.area_fraction:.1%}):  attention  random  centre"]
        rows = (a.scores, a.controls["random"], a.controls["centre"])
        for score in SCORES:
            cells = [score_text(getattr(row, score.key)) for row in rows]
            lines += [f"  {score.name:<24} {'  '.join(f'{c:>6}' for c in cells)}"]
    for name, probabilities in (prediction.what_if or {}).items():
        best = max(probabilities, key=lambda key: probabilities[key])
        lines += [f"What if, {name.replace('_', ' ')}: {best} {probabilities[best]:.1%}"]
    lines += [f"Warning: {w.message}" for w in prediction.warnings]
    return "\n".join([*lines, "Research and teaching only. Not a medical device."]) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; returns 0, or 2 with one line on stderr for input that cannot be read."""
    arguments = parser().parse_args(argv)
    return guarded(lambda: predict(arguments))
