"""The frame of the viewer: theme, privacy, and the screens."""

import gradio as gr
from markupsafe import Markup

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import load_cases
from deep_pneumonia.drawing.pictures import NOT_A_DEVICE
from deep_pneumonia.limits import MAX_WAITING
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer import html
from deep_pneumonia.viewer.about import About
from deep_pneumonia.viewer.annotate import Annotate
from deep_pneumonia.viewer.compare import Compare
from deep_pneumonia.viewer.element import SCRIPTS
from deep_pneumonia.viewer.gpu import on_gpu
from deep_pneumonia.viewer.guard.calls import GuardedBlocks
from deep_pneumonia.viewer.inspect import Inspect
from deep_pneumonia.viewer.opening import Opening
from deep_pneumonia.viewer.review.screen import Review
from deep_pneumonia.viewer.review.workspaces import Workspaces
from deep_pneumonia.viewer.stage import Stage
from deep_pneumonia.viewer.teach.lesson import Lesson
from deep_pneumonia.viewer.teach.quiz import Quiz
from deep_pneumonia.viewer.teach.quiz_cases import of_workspaces

TITLE = "Deep Pneumonia"
HEAD = Markup("""<header><h1>{title}</h1>
<nav class="screens" aria-label="Screens"><a href="#inspect" aria-current="page">Inspect</a>
<a href="#annotate">Annotate</a><a href="#compare">Compare</a><a href="#review">Review</a>
<a href="#lesson">Teach</a><a href="#about">About</a></nav>
<p class="device">{notice}</p></header>""").format(title=TITLE, notice=NOT_A_DEVICE)
STYLES = [SCRIPTS / name for name in ("viewer.css", "review.css", "teach.css")]
# In seconds: every ten minutes, delete uploads older than half an hour.
DELETE_CACHE = (600, 1800)


def theme() -> gr.themes.Base:
    """A plain theme in the fonts of the visitor's machine; nothing is fetched from another server."""
    return gr.themes.Base(
        primary_hue="sky",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_400")


def build(predictor: Predictor, other: Predictor | None = None, workspaces: Workspaces | None = None) -> GuardedBlocks:
    """The whole viewer for one checkpoint and, if given, a second one to compare it with.

    `workspaces`: the work lists.

    All screens share one stage, so the image stays as it is when another screen opens. Only the columns beside it
    change, which static/viewer.css does by `data-screen`.
    """
    workspaces = workspaces or workspaces_for(predictor)
    with GuardedBlocks(title=TITLE, fill_width=True, analytics_enabled=False, delete_cache=DELETE_CACHE) as blocks:
        gr.HTML(HEAD)
        with gr.Row(elem_id="screens"):
            with gr.Column(min_width=230, elem_id="case"):
                with beside("inspect", "annotate", "compare"):
                    opening = Opening(workspaces.cases, workspaces.holds)
                with beside("case"):
                    gr.HTML('<div id="case-list"></div>')
                lefts = {name: beside(name) for name in ("lesson", "quiz")}
            with gr.Column(elem_id="stage"):
                head = {"problem": gr.HTML(elem_id="problem"), "start": gr.HTML(html.START, elem_id="start")}
                gr.HTML(
                    '<p class="work-bar"><a id="work-back" href="#case">\u2190 Back to the review of this case</a></p>'
                )
                stage = Stage()
                head["lesson"] = gr.HTML(elem_id="lesson")
            with gr.Column(min_width=300, elem_id="panel"):
                compared = beside("compare")
                with beside("annotate"):
                    Annotate(opening, stage)
                with beside("case"):
                    gr.HTML('<div id="case-verdict"></div>')
                with beside("inspect", "annotate", "case"):
                    inspect = Inspect(predictor, opening, stage, head)
                with compared:
                    compare = Compare(predictor, other, inspect, stage)
                rights = {name: beside(name) for name in ("lesson", "quiz")}
            with gr.Column(elem_id="wide"):
                with beside("review"):
                    review = Review(workspaces, inspect, stage)
                with beside("about"):
                    About(predictor, other)
        Lesson(predictor, other, opening, lefts["lesson"], rights["lesson"])
        Quiz(predictor, stage, lefts["quiz"], rights["quiz"], decks=of_workspaces(workspaces))
        inspect.listen(blocks)
        compare.listen()
        review.listen()
    # Programs wait in line as visitors do.
    blocks.queue(max_size=int(MAX_WAITING), api_open=False)
    return blocks


def beside(*screens: str) -> gr.Column:
    """A column that is visible while one of these screens is open."""
    return gr.Column(elem_classes=["beside", *(f"for-{screen}" for screen in screens)])


def workspaces_for(predictor: Predictor, workspace: str | None = None) -> Workspaces:
    """The work lists, not started yet: one in the folder `workspace` for all visitors, or one for each page.

    Raises:
        WorkspaceError: the folder cannot be used.
    """
    return Workspaces(on_gpu(predictor.predict), predictor.checkpoint.key, load_cases(shipped.CASES), workspace)
