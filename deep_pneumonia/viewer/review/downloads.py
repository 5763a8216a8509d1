"""Downloads of a whole work list: its export as a ZIP, its report as a PDF."""

from datetime import date
from pathlib import Path

from deep_pneumonia.errors import WorkspaceError
from deep_pneumonia.exchange.export import export
from deep_pneumonia.limits import MAX_DOWNLOAD_BYTES
from deep_pneumonia.prediction.checkpoint import Checkpoint
from deep_pneumonia.viewer.review.requests import DownloadRequest
from deep_pneumonia.viewer.review.workspaces import WorkList
from deep_pneumonia.worklist.report import set_report
from deep_pneumonia.worklist.rows import rows
from deep_pneumonia.worklist.statistics import tally

FILE_STEM = "work-list"


def write_download(work_list: WorkList, request: DownloadRequest, folder: Path, checkpoint: Checkpoint) -> Path:
    """Write the requested file to `folder`, and return its path.

    An export includes the radiographs, as visitors must not learn the server's paths.

    Raises:
        WorkspaceError: the list has more than a browser can take.
        DeepPneumoniaError: the list is empty, or has a damaged mask.
    """
    if request.what == "report":
        return _write_report(work_list, folder / f"{FILE_STEM}.pdf", checkpoint)
    _check_size(work_list)
    target = folder / f"{FILE_STEM}.zip"
    export(work_list.workspace, target, predictions=work_list.predictions, radiographs=True, seg=request.seg)
    return target


def _check_size(work_list: WorkList) -> None:
    images = [item.case.image for item in work_list.workspace.items()]
    size = sum(image.stat().st_size for image in images if image.exists())
    if size > MAX_DOWNLOAD_BYTES:
        raise WorkspaceError(
            f"The radiographs of this list have {size / 2**30:.1f} GiB, more than the "
            f"{MAX_DOWNLOAD_BYTES // 2**30} GiB that can be downloaded; export it on the server with: "
            "deep-pneumonia review export."
        )


def _write_report(work_list: WorkList, target: Path, checkpoint: Checkpoint) -> Path:
    found = rows(work_list.workspace, work_list.predictions)
    if not found:
        raise WorkspaceError("The work list is empty; add radiographs before you make its report.")
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
