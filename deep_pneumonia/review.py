"""A work list on the command line: add cases, predict them with a checkpoint, report, export, import.

Example:
  deep-pneumonia review add radiographs/ --workspace list
  deep-pneumonia review predict --workspace list
  deep-pneumonia review report list.pdf --workspace list
  deep-pneumonia review export corrected.zip --radiographs --workspace list
  deep-pneumonia review import corrected.zip --workspace elsewhere
Research and teaching only. Not a medical device.
"""

import sys

if __name__ == "__main__":  # `python -m`: before the imports that take seconds, or need an extra
    from deep_pneumonia.cli import run_verb

    sys.exit(run_verb("review", sys.argv[1:]))


import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from tqdm import tqdm

from deep_pneumonia.cli import add_category_option, add_checkpoint_option, add_device_option, guarded
from deep_pneumonia.errors import WorkspaceError
from deep_pneumonia.exchange.export import export
from deep_pneumonia.exchange.merge import import_into
from deep_pneumonia.files import check_new_file, check_new_folder, check_suffix
from deep_pneumonia.prediction.checkpoint import load
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.worklist.collect import CHOICES, cases_from
from deep_pneumonia.worklist.database import DATABASE_FILE
from deep_pneumonia.worklist.history import history
from deep_pneumonia.worklist.listing import Listing
from deep_pneumonia.worklist.predictions import Predictions
from deep_pneumonia.worklist.records import VERDICTS
from deep_pneumonia.worklist.report import set_report
from deep_pneumonia.worklist.rows import rows
from deep_pneumonia.worklist.statistics import tally
from deep_pneumonia.worklist.workspace import Workspace

MAX_LISTED = 10  # files of a kind that are named

Verb = Callable[[argparse.Namespace], None]


def parser() -> argparse.ArgumentParser:
    """The options of each subcommand."""
    raw = argparse.RawDescriptionHelpFormatter
    p = argparse.ArgumentParser(prog="deep-pneumonia review", description=__doc__, formatter_class=raw)
    verbs = p.add_subparsers(dest="verb", required=True)
    made: dict[str, argparse.ArgumentParser] = {}
    for verb in (add, predict, status, report, exporting, importing):
        name = {"exporting": "export", "importing": "import"}.get(verb.__name__, verb.__name__)
        text = (verb.__doc__ or "").splitlines()[0]
        made[name] = verbs.add_parser(name, help=text, description=text)
        made[name].set_defaults(run=verb)
        made[name].add_argument("--workspace", required=True, metavar="DIR", help="folder of the work list")
    _add_prediction_options(made)
    _add_exchange_options(made)
    made["add"].add_argument(
        "sources", nargs="+", metavar="SOURCE",
        help="manifest.csv, a prepared or exported folder, or a folder of radiographs; masks are found by their names",
    )  # fmt: skip
    add_category_option(made["add"])
    made["add"].add_argument(
        "--list-all", action="store_true",
        help=f"name every file that was found or left out (default: {MAX_LISTED} of a kind)",
    )  # fmt: skip
    made["add"].add_argument(
        "--split", default="test", choices=CHOICES,
        help="of a folder of radiographs; patient: 65%% train, 15%% val, 20%% test by the patient's hash "
        "(default: test; a manifest has its own)",
    )  # fmt: skip
    return p


def _add_prediction_options(made: dict[str, argparse.ArgumentParser]) -> None:
    for name in ("predict", "status", "report", "export"):
        add_checkpoint_option(made[name])
    add_device_option(made["predict"])
    made["predict"].add_argument("--again", action="store_true", help="try files again that could not be read before")


def _add_exchange_options(made: dict[str, argparse.ArgumentParser]) -> None:
    made["report"].add_argument("out", metavar="OUT.pdf", help="the PDF to write, of a few A4 pages")
    made["export"].add_argument(
        "target", metavar="TARGET", help="a new folder, or a ZIP where it ends in .zip (replaced if it is there)"
    )
    made["export"].add_argument(
        "--radiographs", action="store_true",
        help="copy the radiographs, without identity (default: refer to their paths)",
    )  # fmt: skip
    made["export"].add_argument("--seg", action="store_true", help="write a DICOM segmentation of each case as well")
    made["import"].add_argument("source", metavar="SOURCE", help="exported folder or ZIP")


def add(arguments: argparse.Namespace) -> None:
    """Add cases with their masks, and list what was found and left out; known cases stay as they are."""
    for source in arguments.sources:  # all, before the first is added, which can take an hour
        if not Path(source).exists():
            raise WorkspaceError(f"{source} does not exist; give a manifest.csv or a folder.")
    workspace = Workspace(arguments.workspace)
    for source in arguments.sources:
        listing = Listing()
        cases = cases_from(source, split=arguments.split, category=arguments.category, listing=listing)
        new = workspace.add(tqdm(cases, f"Adding {Path(source).name}", unit="case", disable=None))
        known = listing.count - new
        stays = "ones stay as they were, without new masks" if known > 1 else "one stays as it was, without new masks"
        stay = f", {known} known {stays}" if known > 0 else ""
        print(f"{source}: {new} new case{'s' * (new != 1)}{stay}")
        for line in listing.lines(None if arguments.list_all else MAX_LISTED):
            print(f"  {line}")


def predict(arguments: argparse.Namespace) -> None:
    """Predict the cases that have no prediction yet; stop with Ctrl-C, and continue with the same command."""
    workspace = _open(arguments)
    predictor = Predictor.load(arguments.checkpoint, arguments.device)
    predictions = Predictions(workspace, predictor.checkpoint.key)
    if arguments.again:
        predictions.forget_problems()
    waiting = predictions.pending()
    for number in tqdm(waiting, "Predicting", unit="case", disable=None):
        predictions.make(number, predictor.predict)
    kept = predictions.all()
    problems = [f"{workspace.item(n).case.image}: {kept[n].problem}" for n in waiting if kept[n].problem]
    print("\n".join([f"{len(waiting) - len(problems)} cases predicted, {len(problems)} could not be", *problems]))


def report(arguments: argparse.Namespace) -> None:
    """Write a PDF about the work list: progress, agreement with doctors, and the cases furthest apart."""
    check_suffix(arguments.out, (".pdf",))
    check_new_file(arguments.out)
    workspace, checkpoint = _open(arguments), load(arguments.checkpoint)
    found = rows(workspace, Predictions(workspace, checkpoint.key))
    set_report(
        arguments.out, found, tally(found), name=workspace.folder.name, checkpoint_name=checkpoint.name,
        checkpoint_sha256=checkpoint.sha256, day=date.today().isoformat(),
    )  # fmt: skip
    print(arguments.out)


def exporting(arguments: argparse.Namespace) -> None:
    """Write the work list to a folder or ZIP: manifest.csv to train on, tables, COCO, and state.json to import."""
    check_new_folder(Path(arguments.target).parent)
    workspace = _open(arguments)
    made = export(
        workspace, arguments.target, predictions=_predictions(workspace, arguments),
        radiographs=arguments.radiographs, seg=arguments.seg, progress=True,
    )  # fmt: skip
    for note in made.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{made.path}: {made.cases} cases, {made.masks} versions of masks, {made.verdicts} versions of verdicts")


def importing(arguments: argparse.Namespace) -> None:
    """Import what was exported elsewhere; nothing that is here is changed."""
    if not Path(arguments.source).exists():  # a mistyped name must not begin an empty list
        raise WorkspaceError(f"{arguments.source} does not exist; give an exported folder or ZIP.")
    found = import_into(Workspace(arguments.workspace), arguments.source, progress=True)
    for name in found.left_out:
        print(f"note: {name!a} is neither here nor in the export, so its case was left out", file=sys.stderr)
    print(f"New: {found.cases} cases, {found.masks} versions of masks, {found.verdicts} versions of verdicts")
    if found.conflicts:
        print(f"{found.conflicts} of these versions were kept beside others that were made here")


def status(arguments: argparse.Namespace) -> None:
    """Print the numbers of cases, masks, verdicts and predictions."""
    workspace = _open(arguments)
    records, kept = history(workspace), _predictions(workspace, arguments).all()
    said = Counter(v.verdict for r in records for v in r.judged.values())
    drawn = [d for r in records for d in r.newest]
    lines = {
        "cases": len(records),
        "with a reader": sum(bool(r.newest) for r in records),
        "masks": sum(d.mask is not None for d in drawn),
        "read as normal": sum(d.mask is None for d in drawn),
        "readers": len({d.reader for d in drawn}),
        "reviewers": len({name for r in records for name in r.judged}),
        **{f"verdict {name}": said[name] for name in VERDICTS},
        "predicted": sum(k.predicted is not None for k in kept.values()),
        "could not be read": sum(k.predicted is None for k in kept.values()),
    }
    print("\n".join(f"{name:<22}{count:>8}" for name, count in lines.items()))


def _open(arguments: argparse.Namespace) -> Workspace:
    """Open an existing workspace: a mistyped name must not begin an empty one."""
    if not (Path(arguments.workspace) / DATABASE_FILE).is_file():
        raise WorkspaceError(f"{arguments.workspace} holds no work list; begin one with `review add` or `import`.")
    return Workspace(arguments.workspace)


def _predictions(workspace: Workspace, arguments: argparse.Namespace) -> Predictions:
    return Predictions(workspace, load(arguments.checkpoint).key)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; returns 0, 2 with one line on stderr after an error, or 130 when stopped."""
    arguments = parser().parse_args(argv)
    run: Verb = arguments.run
    return guarded(lambda: run(arguments))
