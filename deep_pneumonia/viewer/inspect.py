"""The Inspect screen: one radiograph, the model's reading of it, and doctors' masks beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deep_pneumonia.annotation import Annotation, read_mask
from deep_pneumonia.cases import TeachingCase
from deep_pneumonia.errors import AnnotationError, DeepPneumoniaError, MaskSizeError, UnreadableFileError
from deep_pneumonia.figures import READER_COLOURS, draw_contours, overlay
from deep_pneumonia.radiograph import Radiograph, decode
from deep_pneumonia.reader import Reader, Reading
from deep_pneumonia.viewer import words
from deep_pneumonia.viewer.examples import Examples

# Longest side of the pictures that are sent to the browser.
SHOWN = 1024
Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Case:
    """One radiograph under the name its person gave it, its masks, and the model's reading."""

    name: str
    radiograph: Radiograph
    masks: tuple[Annotation, ...]
    reading: Reading


def read(reader: Reader, file: str, masks: Sequence[str]) -> Case:
    """Read a radiograph and its masks from uploaded files.

    Raises:
        DeepPneumoniaError: a file cannot be read; the text names it as its person does.
    """
    name = Path(file).name
    if gone := [Path(f).name for f in (file, *masks) if not Path(f).exists()]:
        raise UnreadableFileError(f"Uploads are deleted within the hour, and {gone[0]} is gone; upload it again.")
    if len(masks) > len(READER_COLOURS):
        raise AnnotationError(
            f"{len(masks)} masks were given, but only {len(READER_COLOURS)} can be told apart by colour; give fewer."
        )
    radiograph = decode(file)
    annotations = tuple(read_upload(m, name, radiograph.size) for m in masks)
    return Case(name, radiograph, annotations, reader.read(radiograph, annotations))


def read_upload(file: str, radiograph: str, size: tuple[int, int]) -> Annotation:
    """The mask in an uploaded file, for a radiograph of that name and size (H, W); the file names the reader.

    Raises:
        AnnotationError: it cannot be read, or has another size.
    """
    path = Path(file)
    try:
        annotation = read_mask(path, reader=path.stem)
    except AnnotationError as error:
        # The person knows the file's name, not where the upload lies.
        raise AnnotationError(str(error).replace(str(path), path.name)) from error
    if annotation.size != size:
        (rows, columns), (height, width) = annotation.size, size
        raise MaskSizeError(
            f"The mask {path.name} has {rows} x {columns} pixels but the radiograph {radiograph} has "
            f"{height} x {width}; give a mask drawn on this radiograph."
        )
    return annotation


def pictures(case: Case) -> tuple[Picture, Picture]:
    """The radiograph, and the radiograph with attention on its fixed 0-1 scale and the masks' contours."""
    step = max(1, -(-max(case.radiograph.size) // SHOWN))
    pixels = smaller(case.radiograph.pixels, step)
    grey = np.repeat((pixels * 255).round().astype(np.uint8)[:, :, None], 3, axis=2)
    base = overlay(pixels, smaller(case.reading.attention, step)) if case.reading.shows_map else grey
    shown = [Annotation(smaller(m.mask.astype(np.float32), step) >= 0.5, m.reader, m.kind) for m in case.masks]
    # Lines look equally thin over small and large radiographs, for both fill the same pane.
    return grey, draw_contours(base, shown, width=max(1.0, 4 * max(pixels.shape) / SHOWN))


def smaller(values: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Means over squares of `step` pixels: no moiré, unlike taking each step-th pixel."""
    return np.asarray(Image.fromarray(values).reduce(step)) if step > 1 else values


class Screen:
    """The screen's elements, laid out inside the current Blocks, and what fills them."""

    def __init__(self, reader: Reader, cases: Sequence[TeachingCase] = ()) -> None:
        self.reader = reader
        with gr.Row(elem_id="inspect"):
            with gr.Column(min_width=250, elem_id="case"):
                self.examples = Examples(cases)
                self._files()
            with gr.Column(elem_id="stage"):
                self.problem = gr.HTML(elem_id="problem")
                self.lesson = gr.HTML(elem_id="lesson")
                self.start = gr.HTML(words.START, elem_id="start")
                with gr.Row(visible=False, elem_id="result") as self.result:
                    self._viewer()
                    self._reading()
        self.filled = (
            self.problem,
            self.lesson,
            self.left,
            self.right,
            self.legend,
            self.summary,
            self.agreement,
            self.data,
        )
        self._listen()

    def _files(self) -> None:
        self.file = gr.File(label="Radiograph", height=120, elem_id="file")
        self.another = gr.UploadButton("Choose another radiograph", size="sm", visible=False, elem_id="another")
        gr.HTML(words.FILE_HINT)
        self.masks = gr.File(label="Doctors' masks, if any", file_count="multiple", height=120, elem_id="masks")
        gr.HTML(words.MASKS_HINT)

    def _viewer(self) -> None:
        with gr.Column(elem_id="viewer"):
            with gr.Row(elem_id="panes"):
                self.left, self.right = _pane("Radiograph", "radiograph"), _pane("Attention", "attention")
            self.legend = gr.HTML(elem_id="legend")

    def _reading(self) -> None:
        with gr.Column(min_width=300, elem_id="reading"):
            self.summary = gr.HTML(elem_id="summary")
            self.agreement = gr.HTML(elem_id="agreement")
            with gr.Accordion("Reading as JSON", open=False):
                self.data = gr.JSON(label="Reading", show_label=False, elem_id="json")

    def _listen(self) -> None:
        both = [self.file, self.masks]
        # One reading at a time, whoever asks: two would only halve the speed of both.
        one = {"concurrency_id": "read", "concurrency_limit": 1}
        gr.on(
            [self.file.change, self.masks.change],
            self.show,
            both,
            [*self.filled, self.another, self.start, self.result],
            show_progress_on=[self.start, self.left, self.right],
            api_visibility="private",
            trigger_mode="always_last",
            **one,
        )
        self.examples.gallery.select(self.examples.chosen, None, both, api_visibility="private")
        # A mask belongs to one radiograph; the next of the same size must not be measured against it.
        self.another.upload(lambda uploaded: (uploaded, None), self.another, both, api_visibility="private")
        self.file.clear(lambda: None, None, self.masks, api_visibility="private")
        gr.on([], self.read, both, self.data, api_name="read", **one)

    def show(self, file: str | None, masks: list[str] | None) -> dict[Any, Any]:
        """What changes on the screen for these uploads."""
        if not file:
            return self._emptied()
        try:
            return self._shown(read(self.reader, file, masks or []), self.examples.lesson(file))
        except DeepPneumoniaError as error:
            # The last good case stays on the screen; only the sentence is new.
            return {self.problem: words.refusal(str(error)), self.another: gr.update(visible=True)}

    def _emptied(self) -> dict[Any, Any]:
        hidden = {part: gr.update(visible=False) for part in (self.another, self.result)}
        return {**dict.fromkeys(self.filled), **hidden, self.start: gr.update(visible=True)}

    def first(self) -> tuple[str, list[str]] | None:
        """The files of the case that a visitor finds open, if there is one."""
        return self.examples.files(0) if self.examples.cases else None

    def _shown(self, case: Case, lesson: str) -> dict[Any, Any]:
        plain, marked = pictures(case)
        caption = "Attention" if case.reading.shows_map else "No attention map"
        return {
            self.problem: "",
            self.lesson: lesson,
            self.another: gr.update(visible=True),
            self.start: gr.update(visible=False),
            self.result: gr.update(visible=True),
            self.left: plain,
            self.right: gr.update(value=marked, label=caption, alt_text=f"{caption} of {case.name}"),
            self.legend: words.legend(case.masks, case.reading.shows_map),
            self.summary: words.summary(case.name, case.reading),
            self.agreement: words.agreement(case.reading),
            self.data: case.reading.to_json(case.name),
        }

    def read(self, file: str, masks: list[str] | None = None) -> dict[str, Any]:
        """Give a chest radiograph and no, one or more doctors' masks (PNG of the same size).

        The answer is the reading as JSON, with the fields that the README lists.
        """
        try:
            if not file:
                raise UnreadableFileError("There is no file; give a radiograph.")
            case = read(self.reader, file, masks or [])
        except DeepPneumoniaError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return case.reading.to_json(case.name)


def _pane(label: str, name: str) -> gr.Image:
    return gr.Image(
        label=label,
        format="png",
        interactive=False,
        buttons=["download", "fullscreen"],
        alt_text=label,
        elem_id=name,
    )
