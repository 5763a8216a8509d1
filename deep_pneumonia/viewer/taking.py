"""What is taken along of a whole work list: its export as a ZIP, its report as a PDF."""

from datetime import date
from pathlib import Path

from deep_pneumonia.checkpoint import Checkpoint
from deep_pneumonia.errors import WorkspaceError
from deep_pneumonia.export import export
from deep_pneumonia.set_report import set_report
from deep_pneumonia.tally import tally
from deep_pneumonia.viewer.desk import Place
from deep_pneumonia.viewer.requests import Request
from deep_pneumonia.worklist import rows

NAME = "work-list"


def take(place: Place, request: Request, folder: Path, checkpoint: Checkpoint) -> Path:
    """The file that a page wants, in a folder of its own: {"what": "export" or "report"}.

    An export has "radiographs" and "seg" besides, true or false.

    Raises:
        WorkspaceError: it wants something else.
        DeepPneumoniaError: the list is empty, or has a damaged mask.
    """
    if request.get("what") == "export":
        target = folder / f"{NAME}.zip"
        wanted = {name: request.get(name) is True for name in ("radiographs", "seg")}
        export(place.workspace, target, readings=place.readings, **wanted)
        return target
    if request.get("what") != "report":
        raise WorkspaceError("The page asked for a file that this program does not make; load it again.")
    return _report(place, folder / f"{NAME}.pdf", checkpoint)


def _report(place: Place, target: Path, checkpoint: Checkpoint) -> Path:
    found = rows(place.workspace, place.readings)
    if not found:
        raise WorkspaceError("The work list is empty; add radiographs before its report is made.")
    set_report(
        target,
        found,
        tally(found),
        name="Work list",
        checkpoint_name=checkpoint.name,
        checkpoint_sha256=checkpoint.sha256,
        day=date.today().isoformat(),
    )
    return target
