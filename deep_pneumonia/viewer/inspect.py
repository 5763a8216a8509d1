"""The Inspect screen: the model's prediction for a radiograph, and how its attention agrees with each mask."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import gradio as gr

from deep_pneumonia.errors import AnnotationError, DeepPneumoniaError, UnreadableFileError
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer import html
from deep_pneumonia.viewer.downloads import Downloads
from deep_pneumonia.viewer.gpu import on_gpu
from deep_pneumonia.viewer.guard.turns import PAGE_QUEUE, PROGRAM_QUEUE
from deep_pneumonia.viewer.opened_case import Case, open_case
from deep_pneumonia.viewer.opening import Opening
from deep_pneumonia.viewer.scene import scene
from deep_pneumonia.viewer.stage import Stage

T = TypeVar("T")


class Inspect:
    """The panel beside the viewer, and what fills it and the viewer when files are opened."""

    def __init__(self, predictor: Predictor, opening: Opening, stage: Stage, head: Mapping[str, Any]) -> None:
        self.predictor, self.opening, self.stage, self.head = predictor, opening, stage, head
        self.summary = gr.HTML(elem_id="summary")
        self.agreement = gr.HTML(elem_id="agreement")
        with gr.Column(visible=False, elem_id="inspected") as self.after:
            self.downloads = Downloads(predictor, opening, stage)
            with gr.Accordion("Prediction as JSON", open=False):
                self.data = gr.JSON(label="Prediction", show_label=False, elem_id="json")
        self.downloads.listen(self.data)
        self.open = partial(open_case, on_gpu(predictor.predict))
        self.known: dict[int, Case] = {}
        if opening.examples.cases:
            self.known_case(0)  # so that nobody waits for the first screen

    def listen(self, blocks: gr.Blocks) -> None:
        """Predict when files are opened, and score agreement again when masks change."""
        opening = self.opening
        progress = {"show_progress_on": [self.head["start"], self.summary], "api_visibility": "private"}
        opening.listen(blocks, self.show, self.parts, **progress, **PAGE_QUEUE)
        self.stage.on(
            "drawn",
            self.redrawn,
            [opening.shown],
            [self.data, self.agreement, self.head["problem"]],
            show_progress="hidden",
            api_visibility="private",
            trigger_mode="always_last",
            **PAGE_QUEUE,
        )
        gr.on([], self.predict, opening.given, self.data, api_name="predict", **PROGRAM_QUEUE)
        gr.on([], self.agree, [*opening.given, self.stage.drawings], self.data, api_name="agreement", **PROGRAM_QUEUE)

    @property
    def filled(self) -> list[Any]:
        """The elements that are empty without a case."""
        return [self.stage.html, self.summary, self.agreement, self.data, self.head["lesson"]]

    def show(self, dropped: list[str] | None, more: list[str] | None) -> dict[Any, Any]:
        """The changes of the screen for the files in the two boxes."""
        head, opening, instead = self.head, self.opening, self.opening.instead
        threshold = self.predictor.checkpoint.thresholds.attention
        try:
            file, masks = opening.files(dropped, more)
            if not file:
                hidden = {part: gr.update(visible=False) for part in (instead, self.after)}
                start = {head["start"]: gr.update(visible=True), head["problem"]: "", opening.shown: None}
                return {**dict.fromkeys(self.filled), **hidden, **start}
            place = opening.examples.place(file)
            known = place is not None and opening.examples.files(place) == ([file], masks)
            case = self.known_case(place or 0) if known else self.open(file, masks)
        except DeepPneumoniaError as error:
            # The last good case stays on the screen below the message.
            return {head["problem"]: html.refusal(str(error)), instead: gr.update(visible=True)}
        notes = () if known else case.notes
        return {**self.shows(case, file, notes), self.stage.html: scene(case, file, masks, threshold, place)}

    @property
    def parts(self) -> list[Any]:
        """The elements that opening a case changes."""
        return [
            *self.filled, self.head["problem"], self.head["start"], self.opening.instead, self.after,
            self.opening.shown,
        ]  # fmt: skip

    def shows(self, case: Case, file: str, notes: Sequence[str] = ()) -> dict[Any, Any]:
        """The changes of the screen for a case in this file, without the scene on the stage.

        notes: what was found in the files of masks that a visitor gave.
        """
        return {
            **self._results(case),
            self.summary: html.summary(case.name, case.prediction, notes),
            self.head["lesson"]: self.opening.examples.lesson(file),
            self.head["start"]: gr.update(visible=False),
            self.opening.instead: gr.update(visible=True),
            self.after: gr.update(visible=True),
            self.opening.shown: file,
        }

    def known_case(self, place: int) -> Case:
        """A shipped case, predicted when it is first opened and then kept."""
        if place not in self.known:
            files, masks = self.opening.examples.files(place)
            self.known[place] = self.open(files[0], masks)
        return self.known[place]

    def redrawn(self, shown: str | None, drawings: Any) -> dict[Any, Any]:
        """The agreement on the stage, scored against the masks as drawn now."""
        try:
            file = self.opening.mine(shown)
            return self._results(self.open(file, (), drawings)) if file and drawings is not None else {}
        except DeepPneumoniaError as error:
            return {self.head["problem"]: html.refusal(str(error))}

    def _results(self, case: Case) -> dict[Any, Any]:
        return {
            self.data: case.prediction.to_json(case.name),
            self.agreement: html.agreement(case.prediction),
            self.head["problem"]: "",
        }

    def predict(self, file: Any, masks: list[str] | None = None) -> dict[str, Any]:
        """Predict a chest radiograph: class probabilities, the attention's evidence, agreement with doctors' masks.

        Args:
            file: the radiograph (PNG, JPEG, TIFF, WebP, BMP or DICOM).
            masks: mask files, if any (PNG, JPEG or TIFF, COCO or LabelMe JSON, RSNA boxes as CSV, DICOM SEG).

        Returns the prediction as JSON, with the fields that docs/api.md lists.
        """
        return self.agree(file, masks, None)

    def agree(self, file: Any, masks: list[str] | None = None, drawings: Any = None) -> dict[str, Any]:
        """Score how well the model's attention agrees with masks of a radiograph.

        Args:
            file: the radiograph.
            masks: mask files; ignored if drawings are given.
            drawings: a list of {"reader": name, "kind": "pixel", "counts": run lengths of 0 and 1 in row order}.

        Returns the prediction as JSON, as /predict does.
        """
        case = answered(lambda: self.open(*self.opened(file, masks), checked(drawings)))
        return case.prediction.to_json(case.name)

    def opened(self, file: Any, masks: list[str] | None) -> tuple[str, list[str]]:
        """The radiograph and the masks that a program sent.

        Raises:
            UnreadableFileError: no radiograph was sent.
        """
        found, others = self.opening.files(file, masks)
        if not found:
            raise UnreadableFileError("No file was sent; send a radiograph.")
        return found, others


def answered(work: Callable[[], T]) -> T:
    """What `work` returns.

    Raises:
        gr.Error: `work` raised an error of the package, whose traceback would keep its arrays in memory.
    """
    try:
        return work()
    except DeepPneumoniaError as error:
        problem = str(error)
    raise gr.Error(problem, print_exception=False)


def checked(drawings: Any) -> Sequence[Mapping[str, Any]] | None:
    """Drawings as a program sent them.

    Raises:
        AnnotationError: they are not a list.
    """
    if drawings is None or isinstance(drawings, list):
        return drawings
    raise AnnotationError("Drawings must be a list with one entry per reader; send [] for none.")
