"""The Inspect screen: what the model reads in the radiograph, and how its attention agrees with each mask."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import gradio as gr

from deep_pneumonia.errors import AnnotationError, DeepPneumoniaError, UnreadableFileError
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer import html
from deep_pneumonia.viewer.downloads import Downloads
from deep_pneumonia.viewer.gpu import on_gpu
from deep_pneumonia.viewer.opened_case import Case, open_case
from deep_pneumonia.viewer.opening import Opening
from deep_pneumonia.viewer.scene import scene
from deep_pneumonia.viewer.stage import Stage

# One reading at a time, whoever asks: two would only halve the speed of both.
ONE: dict[str, Any] = {"concurrency_id": "read", "concurrency_limit": 1}


class Inspect:
    """The panel beside the viewer, and what fills it and the viewer when files are opened."""

    def __init__(self, predictor: Predictor, opening: Opening, stage: Stage, head: Mapping[str, Any]) -> None:
        self.predictor, self.opening, self.stage, self.head = predictor, opening, stage, head
        self.summary = gr.HTML(elem_id="summary")
        self.agreement = gr.HTML(elem_id="agreement")
        with gr.Column(visible=False, elem_id="inspected") as self.after:
            self.downloads = Downloads(predictor, opening, stage)
            with gr.Accordion("Reading as JSON", open=False):
                self.data = gr.JSON(label="Reading", show_label=False, elem_id="json")
        self.downloads.listen(self.data)
        self.open = partial(open_case, on_gpu(predictor.predict))
        self.known: dict[int, Case] = {}
        if opening.examples.cases:
            self.known_case(0)  # nobody waits for the first screen

    def listen(self, blocks: gr.Blocks) -> None:
        """Files are read when they are opened, and agreement is measured again when masks are drawn on."""
        opening = self.opening
        progress = {"show_progress_on": [self.head["start"], self.summary], "api_visibility": "private"}
        opening.listen(blocks, self.show, self.parts, **progress, **ONE)
        self.stage.on(
            "drawn",
            self.redrawn,
            [opening.shown],
            [self.data, self.agreement, self.head["problem"]],
            show_progress="hidden",
            api_visibility="private",
            trigger_mode="always_last",
            **ONE,
        )
        gr.on([], self.predict, opening.given, self.data, api_name="predict", **ONE)
        gr.on([], self.agree, [*opening.given, self.stage.drawings], self.data, api_name="agreement", **ONE)

    @property
    def filled(self) -> list[Any]:
        """What is empty without a case."""
        return [self.stage.html, self.summary, self.agreement, self.data, self.head["lesson"]]

    def show(self, dropped: list[str] | None, more: list[str] | None) -> dict[Any, Any]:
        """What changes on the screen for these files."""
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
            # The last good case stays on the screen; only the sentence is new.
            return {head["problem"]: html.refusal(str(error)), instead: gr.update(visible=True)}
        return {**self.shows(case, file), self.stage.html: scene(case, file, masks, threshold, place)}

    @property
    def parts(self) -> list[Any]:
        """What opening a case changes."""
        return [
            *self.filled, self.head["problem"], self.head["start"], self.opening.instead, self.after,
            self.opening.shown,
        ]  # fmt: skip

    def shows(self, case: Case, file: str) -> dict[Any, Any]:
        """What the screen says of a case in this file; the scene on the stage is still to come."""
        return {
            **self._said(case),
            self.summary: html.summary(case.name, case.prediction),
            self.head["lesson"]: self.opening.examples.lesson(file),
            self.head["start"]: gr.update(visible=False),
            self.opening.instead: gr.update(visible=True),
            self.after: gr.update(visible=True),
            self.opening.shown: file,
        }

    def known_case(self, place: int) -> Case:
        """A shipped case, read when it is first asked for and never again."""
        if place not in self.known:
            files, masks = self.opening.examples.files(place)
            self.known[place] = self.open(files[0], masks)
        return self.known[place]

    def redrawn(self, shown: str | None, drawings: Any) -> dict[Any, Any]:
        """Agreement of what is on the stage with the masks as they are drawn now."""
        try:
            file = self.opening.mine(shown)
            return self._said(self.open(file, (), drawings)) if file and drawings is not None else {}
        except DeepPneumoniaError as error:
            return {self.head["problem"]: html.refusal(str(error))}

    def _said(self, case: Case) -> dict[Any, Any]:
        return {
            self.data: case.prediction.to_json(case.name),
            self.agreement: html.agreement(case.prediction),
            self.head["problem"]: "",
        }

    def predict(self, file: Any, masks: list[str] | None = None) -> dict[str, Any]:
        """Read a chest radiograph: class probabilities, attention's evidence, agreement with doctors' masks.

        Args:
            file: the radiograph (PNG, JPEG, TIFF, WebP, BMP or DICOM).
            masks: none, one or more files of masks (PNG, COCO or LabelMe JSON, RSNA boxes as CSV, DICOM SEG).

        The answer is the reading as JSON, with the fields that the README lists.
        """
        return self.agree(file, masks, None)

    def agree(self, file: Any, masks: list[str] | None = None, drawings: Any = None) -> dict[str, Any]:
        """Measure how well the model's attention agrees with masks that were drawn on a radiograph.

        Args:
            file: the radiograph.
            masks: files of masks; they are ignored where drawings are given.
            drawings: a list of {"reader": name, "kind": "pixel", "counts": run lengths of 0 and 1 in row order}.

        The answer is the reading as JSON, the same as that of `read`.
        """
        try:
            case = self.open(*self.opened(file, masks), checked(drawings))
        except DeepPneumoniaError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return case.prediction.to_json(case.name)

    def opened(self, file: Any, masks: list[str] | None) -> tuple[str, list[str]]:
        """The radiograph and the masks that a program gave.

        Raises:
            UnreadableFileError: there is no radiograph.
        """
        found, others = self.opening.files(file, masks)
        if not found:
            raise UnreadableFileError("There is no file; give a radiograph.")
        return found, others


def checked(drawings: Any) -> Sequence[Mapping[str, Any]] | None:
    """Drawings as a program gave them.

    Raises:
        AnnotationError: they are no list.
    """
    if drawings is None or isinstance(drawings, list):
        return drawings
    raise AnnotationError("Drawings are a list with one entry a reader; give [] for none.")
