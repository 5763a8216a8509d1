"""The browser-side viewer as one element of the page; static/*.js draw in it and respond to every control."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import gradio as gr
import numpy as np

from deep_pneumonia.drawing.pictures import ATTENTION_COLOURS, OPACITY, READER_COLOURS
from deep_pneumonia.prediction.scores import SCORES
from deep_pneumonia.viewer.element import scripted

# The element's value is the case; its events tell the server about drawings and the Compare screen.
MOUNTING = """
const look = { palette: props.palette, most: props.most, colours: props.colours, scores: props.scores };
const tell = (event) => trigger(event === "drawn" ? "drawn" : "comparing");
const viewer = mount(element.querySelector(".viewer"), look, { tell });
const show = () => viewer.show(props.value);
watch("value", show);
show();
"""
# What the page sends with an event: the files as the server knows them, and the readers' masks as drawn now.
WITH_DRAWINGS = "(...given) => [...given.slice(0, -1), window.deepPneumonia?.drawings() ?? null]"


class Stage:
    """The viewer, laid out inside the current Blocks."""

    def __init__(self) -> None:
        self.html = scripted(
            '<div class="viewer" role="region" aria-label="Viewer" tabindex="0" hidden></div>',
            "main.js",
            MOUNTING,
            elem_id="viewer",
            palette="".join(bytes(c).hex() for c in np.rint(ATTENTION_COLOURS * 255).astype(np.uint8)),
            most=float(OPACITY[-1]),
            colours=list(READER_COLOURS),
            scores=[asdict(score) for score in SCORES],
        )
        # Filled by the page with each call; never shown.
        self.drawings = gr.JSON(label="Drawings", visible=False)

    def on(self, event: str, function: Callable[..., Any], inputs: Sequence[Any], outputs: Any, **options: Any) -> Any:
        """Call `function` with the inputs and the drawings on "drawn" or "comparing".

        "drawn": a mask was changed. "comparing": the Compare screen needs an answer.
        """
        listen = getattr(self.html, event)
        return listen(function, [*inputs, self.drawings], outputs, js=WITH_DRAWINGS, **options)
