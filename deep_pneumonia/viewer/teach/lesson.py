"""The guided lesson: six steps with the viewer beside the text; static/teach/lesson.js leads through them."""

import json

import gradio as gr
from markupsafe import Markup

from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer import html
from deep_pneumonia.viewer.element import scripted
from deep_pneumonia.viewer.guard.turns import PAGE_QUEUE
from deep_pneumonia.viewer.opening import Opening
from deep_pneumonia.viewer.teach.lesson_steps import Steps
from deep_pneumonia.viewer.teach.lesson_text import TITLES

# The element's value is one step as JSON text; "asked" requests the step whose number the element holds.
MOUNTING = """
const lesson = mount(element.querySelector(".teach"), () => trigger("asked"));
watch("value", () => lesson.answered(props.value));
"""
ASKED_STEP = '() => [Number(document.querySelector(".teach").dataset.step)]'


class Lesson:
    """The list of steps on the left and the open step on the right, laid out inside the current Blocks."""

    def __init__(
        self, predictor: Predictor, other: Predictor | None, opening: Opening, left: gr.Column, right: gr.Column
    ) -> None:
        self.steps = Steps(predictor, other, opening.examples.cases)
        with left:
            gr.HTML(contents(), elem_id="lesson-steps")
        with right:
            self.html = scripted(
                '<section class="teach" aria-label="Lesson" data-step="1"></section>',
                "teach/lesson.js",
                MOUNTING,
                elem_id="lesson-step",
            )
            number = gr.Number(1, precision=0, visible=False)
        self.html.asked(
            self.page, number, self.html, js=ASKED_STEP, show_progress="hidden", api_visibility="private",
            **PAGE_QUEUE,
        )  # fmt: skip

    def page(self, step: int | None) -> str:
        """One step as JSON text, or the reason why it cannot be shown."""
        step = int(step or 1)
        try:
            return json.dumps(self.steps.page(step), allow_nan=False)
        except DeepPneumoniaError as error:
            return json.dumps({"step": step, "problem": html.refusal(str(error))})


def contents() -> Markup:
    """The list of steps, and the link to the quiz."""
    items = html.joined(
        Markup('<li><a href="#lesson={}">{}</a></li>').format(number, title) for number, title in enumerate(TITLES, 1)
    )
    return Markup(
        '<nav class="teach-steps" aria-label="Steps of the lesson"><h2>Lesson</h2><ol>{}</ol>'
        '<p><a href="#quiz">Then take the quiz</a></p></nav>'
    ).format(items)
