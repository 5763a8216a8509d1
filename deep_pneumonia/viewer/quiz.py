"""The quiz: mark the lesson, name the class, then see what doctors and the model marked."""

import gradio as gr

from deep_pneumonia.reader import Reader
from deep_pneumonia.viewer.opening import Opening
from deep_pneumonia.viewer.stage import Stage


class Quiz:
    """The screen's columns, laid out inside the current Blocks."""

    def __init__(self, reader: Reader, opening: Opening, stage: Stage, left: gr.Column, right: gr.Column) -> None:
        with left:
            gr.HTML("<h2>Quiz</h2>")
