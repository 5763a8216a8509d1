"""The Review screen: a work list with its predictions and verdicts, and one of its cases on the stage.

The page sends requests (`asked`) and gets plain JSON, which static/review draws. A case is opened by a Gradio event,
as a file is on Inspect, so both screens share the stage and the columns beside it.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import gradio as gr

from deep_pneumonia.errors import ConflictError, DeepPneumoniaError, WorkspaceError
from deep_pneumonia.limits import MAX_CHANGES, MAX_DECODERS
from deep_pneumonia.masks.annotation import check_masks, read_as_normal
from deep_pneumonia.masks.reading_apart import decode_apart
from deep_pneumonia.viewer import html
from deep_pneumonia.viewer.element import scripted
from deep_pneumonia.viewer.guard.turns import PAGE_QUEUE
from deep_pneumonia.viewer.inspect import Inspect
from deep_pneumonia.viewer.opened_case import Case, drawn
from deep_pneumonia.viewer.review import uploads
from deep_pneumonia.viewer.review.downloads import write_download
from deep_pneumonia.viewer.review.requests import (
    AddRequest,
    Answer,
    DownloadRequest,
    DrawRequest,
    JudgeRequest,
    OpenRequest,
    Request,
    checked,
)
from deep_pneumonia.viewer.review.workspaces import WorkList, Workspaces
from deep_pneumonia.viewer.scene import scene
from deep_pneumonia.viewer.stage import Stage
from deep_pneumonia.worklist.rows import one_row, rows
from deep_pneumonia.worklist.statistics import tally

BATCH_SECONDS = 1.0  # of predicting in one answer: a page that goes away leaves no more work than this behind

MOUNTING = """
mount(element.querySelector(".review"), {
  ask: (request) => server.asked(request), upload, open: () => trigger("opening"),
  download: () => trigger("taking"),
  file: (path) => window.withPageToken(
    `${window.gradio_config?.root ?? ""}/gradio_api/file=${path.split("/").map(encodeURIComponent).join("/")}`),
  linked: (url) => window.withPageToken(url),
});
"""
TAKING = "() => [window.deepPneumonia?.review?.wanted() ?? null]"
TAKEN = "(file, why) => window.deepPneumonia.review.taken(file, why)"
REFUSED = "(id) => id !== null && window.deepPneumonia.review.refused(id)"
OPENING = "() => [window.deepPneumonia?.review?.opening() ?? null]"


class Review:
    """The work list, laid out inside the current Blocks. The page adds the columns beside an open case."""

    def __init__(self, workspaces: Workspaces, inspect: Inspect, stage: Stage) -> None:
        self.workspaces, self.inspect, self.stage = workspaces, inspect, stage
        self.cases = threading.BoundedSemaphore(MAX_DECODERS)  # that are in memory at once, whoever asks
        # One batch of a work list at a time: two pages of a shared list would predict the same cases.
        self.batches: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self.answers: dict[str, Callable[[WorkList, object], Answer]] = {
            "list": self.list, "predict": self.predict, "retry": self.retry, "judge": self.judge, "draw": self.draw,
            "tally": self.tally, "add": self.add,
        }  # fmt: skip

        def asked(request: Any) -> Answer:
            return self.asked(request)

        self.html = scripted(
            '<div class="review"></div>', "review/main.js", MOUNTING, elem_id="review", server_functions=[asked]
        )
        self.request = gr.JSON(visible=False)
        self.file, self.why = gr.File(visible=False), gr.Textbox(visible=False)
        self.refused = gr.Number(visible=False, precision=0)  # the number of a case that could not be opened

    def listen(self) -> None:
        """Open a case of the list on the stage, and write downloads, when the page says so."""
        inspect = self.inspect
        self.html.opening(
            self.opened, self.request, [*inspect.parts, self.refused], js=OPENING, api_visibility="private",
            trigger_mode="always_last", show_progress_on=[inspect.summary], **PAGE_QUEUE,
        ).then(None, self.refused, None, js=REFUSED)  # fmt: skip
        self.html.taking(
            self.taken, self.request, [self.file, self.why], js=TAKING, api_visibility="private",
            show_progress="hidden",
        ).then(None, [self.file, self.why], None, js=TAKEN)  # fmt: skip

    def asked(self, request: object) -> Answer:
        """The answer to a page's request {"what", "token", ...}; {"problem": a sentence} where there is none."""
        try:
            given = checked(Request, request)
            if given.what not in self.answers:
                raise WorkspaceError("The page asked for something that this program does not know; load it again.")
            return self.answers[given.what](self.workspaces.open(given.token), request)
        except DeepPneumoniaError as error:
            return {"problem": str(error)}
        except OSError as error:  # of the server's disk, whose paths are no visitor's business
            return {"problem": f"The server cannot read or write the work list's files: {error.strerror or 'unknown'}."}

    def list(self, work_list: WorkList, _: object) -> Answer:
        """Every row, as JSON in a text: Gradio would watch each value of plain JSON, and be slow."""
        found = rows(work_list.workspace, work_list.predictions)
        return {
            "rows": json.dumps(found, allow_nan=False, separators=(",", ":")),
            "name": work_list.name,
            "shared": work_list.shared,
            "classes": [*self.inspect.predictor.checkpoint.classes],
            "thumbnails": str(work_list.predictions.thumbnails),
        }

    def predict(self, work_list: WorkList, _: object) -> Answer:
        """Predict pending cases for `BATCH_SECONDS`; gives their rows, and how many cases are left."""
        until, done = time.monotonic() + BATCH_SECONDS, []
        with self.batches[work_list.name], self.cases:
            for number in (pending := work_list.predictions.pending()):
                work_list.predictions.make(number, self.workspaces.predict)
                done.append(number)
                if time.monotonic() > until:
                    break
        return {
            "rows": [one_row(work_list.workspace, work_list.predictions, n) for n in done],
            "left": len(pending) - len(done),
        }

    def retry(self, work_list: WorkList, _: object) -> Answer:
        """Make files that could not be read pending again."""
        work_list.predictions.forget_problems()
        return {"left": len(work_list.predictions.pending())}

    def tally(self, work_list: WorkList, _: object) -> Answer:
        """Statistics of the list, as JSON in a text."""
        return {"plots": json.dumps(tally(rows(work_list.workspace, work_list.predictions)), allow_nan=False)}

    def add(self, work_list: WorkList, request: object) -> Answer:
        """Add uploaded files, and say what became of them."""
        files = checked(AddRequest, request).files
        self.workspaces.check_room(work_list, sum(uploads.size(file) for file in files))
        return {"said": uploads.add(work_list.workspace, files)}

    def judge(self, work_list: WorkList, request: object) -> Answer:
        """Store a verdict; if it was changed in another window, say so and store nothing."""
        given = checked(JudgeRequest, request)
        workspace = work_list.workspace
        try:
            workspace.judge(given.id, given.reviewer, given.verdict, given.comment, version=given.version)
        except ConflictError as error:
            return {"conflict": str(error), "row": one_row(workspace, work_list.predictions, given.id)}
        return {"row": one_row(workspace, work_list.predictions, given.id)}

    def draw(self, work_list: WorkList, request: object) -> Answer:
        """Store changed masks and give their scores; masks that conflict are named and not stored."""
        given = checked(DrawRequest, request)
        workspace, author = work_list.workspace, given.author or "somebody"
        size = decode_apart(workspace.item(given.id).case.image).size
        check_masks(len(given.changes), size, "The request", most=MAX_CHANGES)
        conflicts: dict[str, str] = {}
        for change in given.changes:
            try:
                if change.removed:
                    workspace.remove(given.id, change.reader, version=change.version, author=author)
                else:
                    mask = drawn(change.drawing, size)
                    mask = read_as_normal(size, reader=mask.reader) if mask.is_empty else mask
                    workspace.draw(given.id, mask, version=change.version, author=author)
            except ConflictError as error:
                conflicts[change.reader] = str(error)
        with self.cases:
            work_list.predictions.make(given.id, self.workspaces.predict)
        return {
            "row": one_row(workspace, work_list.predictions, given.id),
            "versions": workspace.newest_versions(given.id),
            "refused": [*conflicts],
            "conflict": " ".join(conflicts.values()),
        }

    def taken(self, request: object) -> tuple[str | None, str]:
        """A download that a page requests: its path, from which Gradio copies it, or why there is none."""
        try:
            given = checked(DownloadRequest, request)
            work_list = self.workspaces.open(given.token)
            folder = self.workspaces.download_folder()
            return str(write_download(work_list, given, folder, self.inspect.predictor.checkpoint)), ""
        except DeepPneumoniaError as error:
            return None, str(error)

    def opened(self, request: object) -> dict[Any, Any]:
        """What changes on the screen when a case of the list is opened; nothing without a request."""
        if request is None:
            return {}
        given = None
        try:
            given = checked(OpenRequest, request)
            case, file, facts = self.case(self.workspaces.open(given.token), given.id)
        except DeepPneumoniaError as error:
            problem = self.inspect.head["problem"]
            return {problem: html.refusal(str(error)), self.refused: given.id if given else None}
        threshold = self.inspect.predictor.checkpoint.thresholds.attention
        shown = {**scene(case, file, [], threshold), **facts}
        return {**self.inspect.shows(case, file), self.stage.html: shown, self.refused: None}

    def case(self, work_list: WorkList, number: int) -> tuple[Case, str, dict[str, Any]]:
        """A case of the list with its prediction, its file, and what its scene has in addition.

        key: the browser keeps unsaved drawings under it. work: the case, and the newest version of each reader.
        files: null, as the list opens the case again after a reload.

        Raises:
            DeepPneumoniaError: there is no such case, or its file cannot be read.
        """
        with self.cases:
            predicted = work_list.predictions.make(number, self.workspaces.predict)
        if predicted is None:
            problem = one_row(work_list.workspace, work_list.predictions, number)["problem"]
            raise WorkspaceError(f"{problem} Repair the file, then open the case again.")
        image = predicted.item.case.image
        case = Case(image.name, predicted.radiograph, predicted.masks, predicted.prediction)
        work = {"id": number, "versions": work_list.workspace.newest_versions(number)}
        return case, str(image), {"key": f"work/{work_list.name}/{predicted.item.key}", "work": work, "files": None}
