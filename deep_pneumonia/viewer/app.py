"""The frame of the viewer: theme, limits, privacy, and the screens."""

import importlib.util
import os

import gradio as gr
from markupsafe import Markup

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import load_cases
from deep_pneumonia.drawing.pictures import NOT_A_DEVICE
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.limits import MAX_FILE_BYTES
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer import html
from deep_pneumonia.viewer import mcp as mcp_tools
from deep_pneumonia.viewer.about import About
from deep_pneumonia.viewer.annotate import Annotate
from deep_pneumonia.viewer.compare import Compare
from deep_pneumonia.viewer.element import SCRIPTS
from deep_pneumonia.viewer.gpu import on_gpu
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


def build(predictor: Predictor, other: Predictor | None = None, workspaces: Workspaces | None = None) -> gr.Blocks:
    """The whole viewer for one checkpoint and, if given, a second one to compare it with.

    `workspaces`: the work lists.

    All screens share one stage, so the image stays as it is when another screen opens. Only the columns beside it
    change, which static/viewer.css does by `data-screen`.
    """
    workspaces = workspaces or workspaces_for(predictor)
    with gr.Blocks(title=TITLE, fill_width=True, analytics_enabled=False, delete_cache=DELETE_CACHE) as blocks:
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
    return blocks.queue(max_size=32)


def beside(*screens: str) -> gr.Column:
    """A column that is visible while one of these screens is open."""
    return gr.Column(elem_classes=["beside", *(f"for-{screen}" for screen in screens)])


def workspaces_for(predictor: Predictor, workspace: str | None = None) -> Workspaces:
    """The work lists, not started yet: one in the folder `workspace` for all visitors, or one for each page.

    Raises:
        WorkspaceError: the folder cannot be used.
    """
    return Workspaces(on_gpu(predictor.predict), predictor.checkpoint.key, load_cases(shipped.CASES), workspace)


def launch(
    predictor: Predictor, other: Predictor | None = None, *, mcp: bool = False, workspace: str | None = None
) -> None:
    """Serve until stopped, and print the address; GRADIO_SERVER_NAME and GRADIO_SERVER_PORT change it.

    Raises:
        WorkspaceError: the folder `workspace` cannot be used.
        DeepPneumoniaError: the port is taken, the name is not an address of this machine, or the package for `mcp`
            (the named endpoints as tools of a language model) is not installed.
    """
    if mcp and not importlib.util.find_spec("mcp"):
        raise DeepPneumoniaError(
            "The package mcp is not installed; install it with: pip install 'deep-pneumonia[mcp]'."
        )
    with workspaces_for(predictor, workspace) as workspaces:
        _serve(build(predictor, other, workspaces), workspaces, mcp=mcp)


def _serve(blocks: gr.Blocks, workspaces: Workspaces, *, mcp: bool) -> None:
    name, port = (os.environ.get(f"GRADIO_SERVER_{part}") for part in ("NAME", "PORT"))
    try:
        _, address, _ = blocks.launch(
            # If this port is taken, starting fails; without a port Gradio looks for a free one.
            server_port=int(port) if port else None,
            prevent_thread_lock=True,
            quiet=True,
            # Files that the page may fetch, in any working folder: no uploads, and only thumbnails of a work list.
            allowed_paths=[str(shipped.CASES), str(SCRIPTS), str(workspaces.served_folder)],
            max_file_size=int(MAX_FILE_BYTES),
            theme=theme(),
            css_paths=STYLES,
            footer_links=["api"],
            # Nothing leaves this machine, and nothing of a visitor stays.
            share=False,
            run_history=False,
            enable_monitoring=False,
            mcp_server=mcp,
        )
    except OSError as error:
        raise DeepPneumoniaError(
            f"Nothing can listen at {name or '127.0.0.1'}, port {port or '7860 to 7959'}: taken, or no address of this "
            "machine; choose others with GRADIO_SERVER_NAME and GRADIO_SERVER_PORT."
        ) from error
    if mcp:
        mcp_tools.mend(blocks)
    print(f"{TITLE} is at {address} - stop it with Ctrl-C.", flush=True)
    blocks.block_thread()
