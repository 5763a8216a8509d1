"""The Inspect screen: one radiograph, the model's reading of it, and doctors' masks beside it."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from deep_pneumonia.annotation import Annotation, read_mask
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.figures import draw_contours, overlay
from deep_pneumonia.radiograph import Radiograph, decode
from deep_pneumonia.reader import Reader, Reading

FILE_TYPES = [".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".dcm", ".dicom"]
# Longest side of the pictures that are sent to the browser.
SHOWN = 1024
FIGURES = {
    "hit": ("Hit", "the highest attention lies in the mask"),
    "iou": ("IoU", "overlap of the attention above the threshold with the mask"),
    "dice": ("Dice", "the same overlap, counted twice over the sum of both areas"),
    "share_inside": ("Share inside", "share of all attention that lies in the mask"),
    "average_precision": ("Average precision", "how well attention ranks mask pixels first"),
}
Picture = NDArray[np.uint8]


def read(
    reader: Reader, file: str, masks: Sequence[str]
) -> tuple[dict[str, float], Picture, Picture, str, str, dict[str, Any]]:
    """Read files and give what the screen shows: probabilities, two pictures, two texts, the reading as JSON.

    Raises:
        DeepPneumoniaError: a file cannot be read.
    """
    radiograph = decode(file)
    annotations = [read_mask(m, radiograph.size, reader=Path(m).stem) for m in masks]
    reading = reader.read(radiograph, annotations)
    left, right = pictures(radiograph, annotations, reading)
    words = agreement_table(reading)
    return reading.probabilities, left, right, notes(reading), words, reading.to_json(Path(file).name)


def pictures(radiograph: Radiograph, annotations: Sequence[Annotation], reading: Reading) -> tuple[Picture, Picture]:
    """The radiograph, and the radiograph with attention on its fixed 0-1 scale and the masks' contours."""
    step = max(1, -(-max(radiograph.size) // SHOWN))
    pixels, attention = radiograph.pixels[::step, ::step], reading.attention[::step, ::step]
    shown = [Annotation(a.mask[::step, ::step].copy(), a.reader, a.kind) for a in annotations]
    grey = np.repeat((pixels * 255).round().astype(np.uint8)[:, :, None], 3, axis=2)
    base = overlay(pixels, attention) if reading.shows_map else grey
    return grey, draw_contours(base, shown)


def notes(reading: Reading) -> str:
    """Warnings above the result, in words, and what the probability means."""
    warnings = "".join(f"> ⚠ {w.message}\n>\n" for w in reading.warnings)
    return (
        f"{warnings}\n\nAmong radiographs like those the model was trained on that get "
        f"{reading.probabilities[reading.predicted]:.0%} for **{reading.predicted}**, about that share are. "
        f"Highest attention {reading.evidence:.2f} of 1."
    )


def agreement_table(reading: Reading) -> str:
    """Agreement with each mask as HTML, the controls on the same case beside it."""
    if not reading.agreement:
        return "<p>Add a doctor's mask to see how well the attention agrees with it.</p>"
    parts = []
    for a in reading.agreement:
        if a.area_fraction == 0:
            parts.append(f"<p><b>{escape(a.reader)}</b>: the mask is empty, so there is nothing to agree with.</p>")
            continue
        rows = "".join(
            f"<tr><td title='{hint}'>{name}</td>{''.join(f'<td>{_cell(getattr(f, key))}</td>' for f in columns)}</tr>"
            for columns in [(a.figures, a.controls["random"], a.controls["centre"])]
            for key, (name, hint) in FIGURES.items()
        )
        parts.append(
            f"<table><caption>{escape(a.reader)}, covers {a.area_fraction:.1%}</caption><tr><th></th><th>Attention</th>"
            f"<th>Random map</th><th>Lung centres</th></tr>{rows}</table>"
        )
    for name, probabilities in (reading.what_if or {}).items():
        best = max(probabilities, key=lambda key: probabilities[key])
        what = "without the lesion" if name == "lesion_removed" else "with only the lesion"
        parts.append(f"<p>The same radiograph {what}: {escape(best)} {probabilities[best]:.0%}</p>")
    return "".join(parts)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def screen(reader: Reader) -> None:
    """Lay out the screen inside the current Blocks."""

    def show(file: str | None, masks: list[str] | None) -> tuple[Any, ...]:
        if not file:
            return (*(gr.skip() for _ in range(6)), "")
        try:
            return (*read(reader, file, masks or []), "")
        except DeepPneumoniaError as error:
            # The last good case stays on the screen; only the sentence is new.
            return (*(gr.skip() for _ in range(6)), f"> ⚠ **Not read.** {error}")

    with gr.Row():
        file = gr.File(label="Radiograph: PNG, JPEG, TIFF, WebP, BMP or DICOM", type="filepath", height=140)
        masks = gr.File(
            label="Doctors' masks: PNG of the same size", file_count="multiple", type="filepath", height=140
        )
    problem = gr.Markdown(elem_id="problem")
    with gr.Row():
        left = gr.Image(label="Radiograph", format="png", interactive=False, elem_id="radiograph")
        right = gr.Image(
            label="Attention (0 to 1, fixed scale) and masks", format="png", interactive=False, elem_id="attention"
        )
        with gr.Column():
            label = gr.Label(label="Probabilities", elem_id="probabilities")
            words = gr.Markdown(elem_id="notes")
            table = gr.HTML(elem_id="agreement")
    with gr.Accordion("Reading as JSON", open=False):
        data = gr.JSON()
    outputs = [label, left, right, words, table, data, problem]
    for trigger in (file, masks):
        trigger.change(show, [file, masks], outputs, api_name="read" if trigger is file else False)
