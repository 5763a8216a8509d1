"""The guided lesson: six steps with the viewer beside the text; static/teach/lesson.js leads through them."""

import json
from html import escape

import gradio as gr

from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer import html
from deep_pneumonia.viewer.inspect import ONE
from deep_pneumonia.viewer.opening import Opening
from deep_pneumonia.viewer.stage import SCRIPTS
from deep_pneumonia.viewer.teach.lesson_steps import Steps
from deep_pneumonia.viewer.teach.lesson_text import TITLES

# The value is one step as JSON text; "asked" wants the step whose number stands on the element.
ON_LOAD = """
const root = element.querySelector(".teach");
import((window.gradio_config?.root ?? "") + props.script).then(({ mount }) => {
  const lesson = mount(root, () => trigger("asked"));
  watch("value", () => lesson.answered(props.value));
});
"""
ASKED = '() => [Number(document.querySelector(".teach").dataset.step)]'


class Lesson:
    """The list of steps at the left and the open step at the right, laid out inside the current Blocks."""

    def __init__(
        self, predictor: Predictor, other: Predictor | None, opening: Opening, left: gr.Column, right: gr.Column
    ) -> None:
        self.steps = Steps(predictor, other, opening.examples.cases)
        with left:
            gr.HTML(contents(), elem_id="lesson-steps")
        with right:
            self.html = gr.HTML(
                None,
                html_template='<section class="teach" aria-label="Lesson" data-step="1"></section>',
                js_on_load=ON_LOAD,
                apply_default_css=False,
                elem_id="lesson-step",
                script=f"/gradio_api/file={SCRIPTS / 'teach' / 'lesson.js'}",
            )
            number = gr.Number(1, precision=0, visible=False)
        self.html.asked(self.page, number, self.html, js=ASKED, show_progress="hidden", api_visibility="private", **ONE)

    def page(self, step: int | None) -> str:
        """One step as JSON text."""
        step = int(step or 1)
        try:
            return json.dumps(self.steps.page(step), allow_nan=False)
        except DeepPneumoniaError as error:
            return json.dumps({"step": step, "problem": html.refusal(str(error))})


def contents() -> str:
    """The list of steps, and the way to the quiz."""
    items = "".join(f'<li><a href="#lesson={n}">{escape(title)}</a></li>' for n, title in enumerate(TITLES, 1))
    return (
        f'<nav class="teach-steps" aria-label="Steps of the lesson"><h2>Lesson</h2><ol>{items}</ol>'
        '<p><a href="#quiz">Then: the quiz</a></p></nav>'
    )
