"""The browser-side viewer as one element of the page; static/*.js draw in it and answer every control."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from deep_pneumonia.drawing.pictures import ATTENTION_COLOURS, OPACITY, READER_COLOURS
from deep_pneumonia.prediction.scores import SCORES

SCRIPTS = Path(__file__).parent / "static"

# Within Gradio's element: its value is the case, its events tell the server of drawings and of the Compare screen.
ON_LOAD = """
const root = element.querySelector(".viewer");
const look = { palette: props.palette, most: props.most, colours: props.colours, scores: props.scores };
const tell = (event) => trigger(event === "drawn" ? "drawn" : "comparing");
import((window.gradio_config?.root ?? "") + props.script).then(({ mount }) => {
  const viewer = mount(root, look, { tell });
  const show = () => viewer.show(props.value);
  watch("value", show);
  show();
});
"""
# What a listener on the page sends: the files as the server knows them, and the readers' masks as they are drawn now.
WITH_DRAWINGS = "(...given) => [...given.slice(0, -1), window.deepPneumonia?.drawings() ?? null]"


class Stage:
    """The viewer, laid out inside the current Blocks."""

    def __init__(self) -> None:
        self.html = gr.HTML(
            None,
            html_template='<div class="viewer" role="region" aria-label="Viewer" tabindex="0" hidden></div>',
            js_on_load=ON_LOAD,
            apply_default_css=False,
            elem_id="viewer",
            palette="".join(bytes(c).hex() for c in np.rint(ATTENTION_COLOURS * 255).astype(np.uint8)),
            most=float(OPACITY[-1]),
            colours=list(READER_COLOURS),
            scores=[asdict(score) for score in SCORES],
            script=f"/gradio_api/file={SCRIPTS / 'main.js'}",
        )
        # Filled by the page as it calls; never shown.
        self.drawings = gr.JSON(label="Drawings", visible=False)

    def on(self, event: str, function: Callable[..., Any], inputs: Sequence[Any], outputs: Any, **options: Any) -> Any:
        """Call `function` with the inputs and the drawings when "drawn" on, or when "comparing" wants an answer."""
        listen = getattr(self.html, event)
        return listen(function, [*inputs, self.drawings], outputs, js=WITH_DRAWINGS, **options)
