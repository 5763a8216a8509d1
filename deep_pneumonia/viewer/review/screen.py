"""The Review screen: a work list, its readings and verdicts, and the case of it that is on the stage.

The page asks (`asked`) and is answered in plain JSON; static/review draws what it is told. A case is opened
by an event of Gradio's, as a file is on Inspect: the stage and all that stands beside it serve both.
"""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import gradio as gr

from deep_pneumonia.errors import ConflictError, DeepPneumoniaError, WorkspaceError
from deep_pneumonia.masks.annotation import read_as_normal
from deep_pneumonia.radiographs.radiograph import decode
from deep_pneumonia.viewer import html
from deep_pneumonia.viewer.element import scripted
from deep_pneumonia.viewer.inspect import ONE_AT_A_TIME, Inspect
from deep_pneumonia.viewer.opened_case import Case, drawn
from deep_pneumonia.viewer.review import uploads as intake
from deep_pneumonia.viewer.review.downloads import take
from deep_pneumonia.viewer.review.requests import Answer, Request, changes, text, whole_number
from deep_pneumonia.viewer.review.workspaces import Desk, Place
from deep_pneumonia.viewer.scene import scene
from deep_pneumonia.viewer.stage import Stage
from deep_pneumonia.worklist.rows import one_row, rows
from deep_pneumonia.worklist.statistics import tally

BATCH = 1.0  # seconds of reading in one answer: a page that goes away leaves no more than this behind
NAME = 100  # characters of a reviewer's or reader's name
COMMENT = 4000

MOUNTING = """
mount(element.querySelector(".review"), {
  ask: (request) => server.asked(request), upload, open: () => trigger("opening"),
  download: () => trigger("taking"),
  file: (path) => `${window.gradio_config?.root ?? ""}/gradio_api/file=${path}`,
});
"""
TAKING = "() => [window.deepPneumonia?.review?.wanted() ?? null]"
TAKEN = "(file, why) => window.deepPneumonia.review.taken(file, why)"
OPENING = "() => [window.deepPneumonia?.review?.opening() ?? null]"


class Review:
    """The work list, laid out inside the current Blocks; what stands beside its case is the page's own."""

    def __init__(self, desk: Desk, inspect: Inspect, stage: Stage) -> None:
        self.desk, self.inspect, self.stage = desk, inspect, stage
        self.lock = threading.Lock()
        self.answers: dict[str, Callable[[Place, Request], Answer]] = {
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

    def listen(self) -> None:
        """A case of the list opens on the stage."""
        inspect = self.inspect
        self.html.opening(
            self.opened, self.request, inspect.parts, js=OPENING, api_visibility="private",
            trigger_mode="always_last", show_progress_on=[inspect.summary], **ONE_AT_A_TIME,
        )  # fmt: skip
        self.html.taking(
            self.taken, self.request, [self.file, self.why], js=TAKING, api_visibility="private",
            show_progress="hidden",
        ).then(None, [self.file, self.why], None, js=TAKEN)  # fmt: skip

    def asked(self, request: Any) -> Answer:
        """The answer to a page's request {"what", "token", ...}; {"problem": a sentence} where there is none."""
        try:
            if not isinstance(request, dict) or request.get("what") not in self.answers:
                raise WorkspaceError("The page asked for what this program does not know; load it again.")
            return self.answers[request["what"]](self.desk.place(request.get("token")), request)
        except DeepPneumoniaError as error:
            return {"problem": str(error)}

    def list(self, place: Place, _: Request) -> Answer:
        """Every row, as JSON in a text: Gradio would watch each value of plain JSON, and be slow."""
        return {
            "rows": json.dumps(rows(place.workspace, place.predictions), allow_nan=False, separators=(",", ":")),
            "name": place.name,
            "shared": place.shared,
            "classes": [*self.inspect.predictor.checkpoint.classes],
            "thumbnails": str(place.predictions.thumbnails),
        }

    def predict(self, place: Place, _: Request) -> Answer:
        """Rows that were read in the time of one batch, and how many are left."""
        until, done = time.monotonic() + BATCH, []
        with self.lock:  # two would only halve the speed of both
            for number in (pending := place.predictions.pending()):
                place.predictions.make(number, self.desk.predict)
                done.append(number)
                if time.monotonic() > until:
                    break
        return {
            "rows": [one_row(place.workspace, place.predictions, n) for n in done],
            "left": len(pending) - len(done),
        }

    def retry(self, place: Place, _: Request) -> Answer:
        """Have files that could not be read tried again."""
        place.predictions.forget_problems()
        return {"left": len(place.predictions.pending())}

    def tally(self, place: Place, _: Request) -> Answer:
        """Statistics of the list, as JSON in a text."""
        return {"plots": json.dumps(tally(rows(place.workspace, place.predictions)), allow_nan=False)}

    def add(self, place: Place, request: Request) -> Answer:
        """Take in what was uploaded, and say what became of it."""
        return {"said": intake.add(place.workspace, request.get("files"))}

    def judge(self, place: Place, request: Request) -> Answer:
        """Keep a verdict; where it was changed in another window, that is said and nothing is kept."""
        number, reviewer = whole_number(request, "id"), text(request, "reviewer", NAME)
        verdict, comment = text(request, "verdict", 20), text(request, "comment", COMMENT)
        try:
            place.workspace.judge(number, reviewer, verdict, comment, version=whole_number(request, "version"))
        except ConflictError as error:
            return {"conflict": str(error), "row": one_row(place.workspace, place.predictions, number)}
        return {"row": one_row(place.workspace, place.predictions, number)}

    def draw(self, place: Place, request: Request) -> Answer:
        """Keep changed masks, and say how the attention agrees with them; what conflicts is said and not kept."""
        number, author = whole_number(request, "id"), text(request, "author", NAME) or "somebody"
        size = decode(place.workspace.item(number).case.image).size
        conflicts: dict[str, str] = {}
        for change in changes(request):
            version, reader = whole_number(change, "version"), text(change, "reader", NAME)
            try:
                if change.get("removed"):
                    place.workspace.remove(number, reader, version=version, author=author)
                else:
                    mask = drawn(change, size)
                    mask = read_as_normal(size, reader=mask.reader) if mask.is_empty else mask
                    place.workspace.draw(number, mask, version=version, author=author)
            except ConflictError as error:
                conflicts[reader] = str(error)
        with self.lock:
            place.predictions.make(number, self.desk.predict)
        row = one_row(place.workspace, place.predictions, number)
        versions = place.workspace.newest(number)
        return {"row": row, "versions": versions, "refused": [*conflicts], "conflict": " ".join(conflicts.values())}

    def taken(self, request: Any) -> tuple[str | None, str]:
        """A file of the whole list that a page wants: its path, from where Gradio copies it, or why there is none."""
        try:
            place = self.desk.place(request.get("token") if isinstance(request, dict) else None)
            return str(take(place, request, self.desk.scratch(), self.inspect.predictor.checkpoint)), ""
        except DeepPneumoniaError as error:
            return None, str(error)

    def opened(self, request: Any) -> dict[Any, Any]:
        """What changes on the screen when a case of the list is opened."""
        problem = self.inspect.head["problem"]
        try:
            if not isinstance(request, dict):
                return {}
            place = self.desk.place(request.get("token"))
            case, file, facts = self.case(place, whole_number(request, "id"))
        except DeepPneumoniaError as error:
            return {problem: html.refusal(str(error))}
        threshold = self.inspect.predictor.checkpoint.thresholds.attention
        shown = {**scene(case, file, [], threshold), **facts}
        return {**self.inspect.shows(case, file), self.stage.html: shown}

    def case(self, place: Place, number: int) -> tuple[Case, str, dict[str, Any]]:
        """A case of the list with its reading, its file, and what its scene has besides.

        key: drawings that were not kept yet lie in the browser by this. work: the case, and the newest version of
        each reader. files: null, for the list opens it again after a reload.

        Raises:
            DeepPneumoniaError: there is no such case, or its file cannot be read.
        """
        with self.lock:
            seen = place.predictions.make(number, self.desk.predict)
        if seen is None:
            problem = one_row(place.workspace, place.predictions, number)["problem"]
            raise WorkspaceError(f"{problem} Put the file right, then open the case again.")
        image = seen.item.case.image
        case = Case(image.name, seen.radiograph, seen.masks, seen.prediction)
        work = {"id": number, "versions": place.workspace.newest(number)}
        return case, str(image), {"key": f"work/{place.name}/{seen.item.key}", "work": work, "files": None}
