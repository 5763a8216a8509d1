"""The guided lesson: steps with the viewer beside the text."""

import gradio as gr

from deep_pneumonia.reader import Reader
from deep_pneumonia.viewer.opening import Opening
from deep_pneumonia.viewer.stage import Stage


class Lesson:
    """The screen's columns, laid out inside the current Blocks."""

    def __init__(
        self, reader: Reader, other: Reader | None, opening: Opening, stage: Stage, left: gr.Column, right: gr.Column
    ) -> None:
        with left:
            gr.HTML("<h2>Lesson</h2>")
