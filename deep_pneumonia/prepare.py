"""Prepare a publisher's raw folder: write manifest.csv and masks/ for training and evaluation."""

import sys

if __name__ == "__main__":  # `python -m`: before the imports that take seconds, or need an extra
    from deep_pneumonia.cli import run_verb

    sys.exit(run_verb("prepare", sys.argv[1:]))


import argparse
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from deep_pneumonia.cli import guarded
from deep_pneumonia.datasets.covid import covid
from deep_pneumonia.datasets.manifest import Case, MaskRef, split_of, table, write_manifest
from deep_pneumonia.datasets.nih import missing_tables, nih
from deep_pneumonia.datasets.own_folder import folder
from deep_pneumonia.datasets.source import Find, kermany, peek_size
from deep_pneumonia.errors import PreparationError
from deep_pneumonia.files import check_new_folder
from deep_pneumonia.masks.annotation import write_mask
from deep_pneumonia.partial_files import sweep


def prepare(finds: Sequence[Find], source: str, out: Path, *, val: float, test: float) -> list[Case]:
    """Write `out`/masks/*.png, then `out`/manifest.csv; `val` and `test` are shares of patients in [0, 1).

    Raises:
        PreparationError: an image that has a mask cannot be read.
        AnnotationError: a mask cannot be read or differs in size from its radiograph.
    """
    (out / "masks").mkdir(parents=True, exist_ok=True)
    for place in (out, out / "masks"):
        sweep(place)
    cases = []
    for find in tqdm(finds, desc=source, unit="image", disable=None):
        split = find.split or split_of(find.hash_key or find.patient, val=val, test=test)
        masks, other = _write_masks(find, out / "masks")
        cases.append(
            Case(
                find.image,
                find.patient,
                source,
                split,
                find.label,
                masks,
                other,
                find.sex,
                find.age,
                find.view,
                find.weak_label,
            )
        )
    write_manifest(cases, out / "manifest.csv")
    return cases


def _write_masks(find: Find, out: Path) -> tuple[tuple[MaskRef, ...], Path | None]:
    normal = tuple(MaskRef(None, "normal", reader) for reader in find.normal_by)
    if not (find.drawings or find.other):
        return normal, None
    size = peek_size(find.image)
    refs = []
    for annotation in (draw(size) for draw in find.drawings):
        path = _mask_path(out, find.key, annotation.reader)
        write_mask(annotation.mask, path)
        refs.append(MaskRef(path, annotation.kind, annotation.reader))
    if not find.other:
        return (*refs, *normal), None
    other = _mask_path(out, find.key, "other")
    write_mask(np.logical_or.reduce([draw(size).mask for draw in find.other]), other)
    return (*refs, *normal), other


def _mask_path(out: Path, key: str, reader: str) -> Path:
    # "/" and the manifest's separator ";" are escaped, and different keys give different names.
    safe = re.sub(r"[/;%\\]", lambda m: f"%{ord(m[0]):02X}", key)
    return out / f"{safe}-{reader}.png"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deep-pneumonia prepare", description=__doc__)
    kinds = parser.add_subparsers(dest="source", required=True)
    for name, text in (
        ("nih", "NIH ChestX-ray14 with the annotations of NIH, RSNA and ChestX-Det; or RSNA's DICOM download"),
        ("kermany", "Guangzhou children's chest_xray folder (the published test split is kept)"),
        ("covid", "ieee8023 COVID-19 image data collection"),
        ("folder", "your own <class>/<image> folders, with optional masks/"),
    ):
        one = kinds.add_parser(
            name, help=text, description=text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        one.add_argument("raw", type=Path, metavar="RAW", help="folder with the publisher's files")
        one.add_argument(
            "--out", type=Path, required=True, metavar="DIR", default=argparse.SUPPRESS,
            help="folder for manifest.csv and masks/",
        )  # fmt: skip
        one.add_argument("--val", type=float, default=0.15, help="share of patients for validation, 0 to 1")
        if name != "kermany":
            one.add_argument("--test", type=float, default=0.2, help="share of patients for the test, 0 to 1")
    kinds.choices["covid"].add_argument("--masks", type=Path, metavar="DIR", help="folder with structure.csv")
    own = kinds.choices["folder"]
    own.add_argument("--normal", metavar="CLASS", help="class whose images a doctor read as normal")
    own.add_argument(
        "--patient-pattern", metavar="REGEX",
        help="regular expression for the file's stem; its first group is the patient (default: each file is one)",
    )  # fmt: skip
    return parser


def _finds(options: argparse.Namespace) -> list[Find]:
    match options.source:
        case "nih":
            return nih(options.raw)
        case "kermany":
            return kermany(options.raw)
        case "covid":
            return covid(options.raw, masks=options.masks)
    return folder(options.raw, normal=options.normal, patient_pattern=options.patient_pattern, note=_note)


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb; return 0, or 2 with one line on stderr if the raw folder is not valid."""
    options = _parser().parse_args(argv)
    return guarded(lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    test = getattr(options, "test", 0.0)
    if not (options.val >= 0 and test >= 0 and options.val + test < 1):
        raise PreparationError(
            f"The shares are {options.val} and {test}; expected at least 0 each and below 1 together."
        )
    if not options.raw.is_dir():
        raise PreparationError(f"{options.raw} is not a folder; give the folder with the publisher's files.")
    if options.out.resolve() == options.raw.resolve():
        raise PreparationError(f"{options.out} is the raw folder itself; give another folder to write to.")
    check_new_folder(options.out)
    finds = _finds(options)
    for note in missing_tables(options.raw) if options.source == "nih" else ():
        _note(note)
    print(table(prepare(finds, options.source, options.out, val=options.val, test=test)))
    print(f"\n{options.out / 'manifest.csv'}")
