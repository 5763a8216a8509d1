"""Downloads of a case: report, prediction and attention. Nothing of them stays on the server."""

import base64
import tempfile
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from deep_pneumonia.drawing.case_report import page
from deep_pneumonia.drawing.pictures import save_picture
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer.gpu import on_gpu
from deep_pneumonia.viewer.opened_case import open_case
from deep_pneumonia.viewer.opening import Opening
from deep_pneumonia.viewer.stage import WITH_DRAWINGS, Stage

SAVE_FILE = "(file) => window.deepPneumonia.save(file)"
MEDIA_TYPES = {
    "png": "image/png",
    "pdf": "application/pdf",
    "json": "application/json",
    "zip": "application/zip",
    "dcm": "application/dicom",
}


def packed(name: str, data: bytes) -> dict[str, str]:
    """A file as JSON that the page turns into a download."""
    return {"name": name, "type": MEDIA_TYPES[name.rpartition(".")[2]], "data": base64.b64encode(data).decode()}


class Downloads:
    """A row of buttons below the prediction, laid out inside the current Blocks."""

    def __init__(self, predictor: Predictor, opening: Opening, stage: Stage) -> None:
        self.opening, self.stage = opening, stage
        self.open = partial(open_case, on_gpu(predictor.predict))
        gr.HTML('<h3 class="take">Download</h3>')
        with gr.Row(elem_classes="downloads"):
            self.png = gr.Button("Report, PNG", size="sm")
            self.pdf = gr.Button("Report, PDF", size="sm")
            self.json = gr.Button("Prediction, JSON", size="sm")
            self.picture = gr.Button("Attention, PNG", size="sm")
            self.values = gr.Button("Attention, NPY", size="sm")

    def listen(self, data: gr.JSON) -> None:
        """The page itself makes files from what it has; the server draws the reports."""
        for button, suffix in ((self.png, "png"), (self.pdf, "pdf")):
            made = Made(self.opening, self.stage)
            made.on(button, partial(self.report, suffix))
        stem = "window.deepPneumonia.stage.scene.stem"
        self.json.click(
            None, data, None, js=f"(data) => window.deepPneumonia.saveJson(data, `${{{stem}}}-prediction.json`)"
        )
        self.picture.click(None, None, None, js="() => window.deepPneumonia.savePicture()")
        self.values.click(None, None, None, js="() => window.deepPneumonia.saveMap()")

    def report(self, suffix: str, file: str, drawings: Any) -> dict[str, str]:
        """The one-page report of a case, with its masks as drawn now; `suffix`: png or pdf."""
        case = self.open(file, (), drawings)
        figure = page(case.name, case.radiograph, case.masks, case.prediction, day=date.today().isoformat())
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"report.{suffix}"
            save_picture(figure, path)
            return packed(f"{Path(case.name).stem}-report.{suffix}", path.read_bytes())


class Made:
    """A file that the server makes when a button is pressed, and that the page then saves."""

    def __init__(self, opening: Opening, stage: Stage) -> None:
        self.opening, self.stage = opening, stage
        self.file = gr.JSON(visible=False)

    def on(self, button: gr.Button, make: Callable[[str, Any], dict[str, str]]) -> None:
        """Make the file from the case on the stage and the masks as drawn now."""

        def made(shown: str | None, drawings: Any) -> dict[str, str]:
            try:
                file = self.opening.mine(shown)
                if not file:
                    raise DeepPneumoniaError("There is no case to save; open one first.")
                return make(file, drawings or [])
            except DeepPneumoniaError as error:
                problem = str(error)
            raise gr.Error(problem, print_exception=False)  # outside, as the error's traceback keeps arrays in memory

        button.click(
            made, [self.opening.shown, self.stage.drawings], self.file, js=WITH_DRAWINGS, api_visibility="private"
        ).success(None, self.file, None, js=SAVE_FILE)
