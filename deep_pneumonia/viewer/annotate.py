"""The Annotate screen: readers draw masks over the radiograph in the viewer, and save them here."""

import io
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.annotation import to_png
from deep_pneumonia.masks.coco import to_coco
from deep_pneumonia.masks.dicom_seg_write import to_seg
from deep_pneumonia.viewer import html
from deep_pneumonia.viewer.downloads import Made, packed
from deep_pneumonia.viewer.opened_case import Opened, opened
from deep_pneumonia.viewer.opening import Opening
from deep_pneumonia.viewer.stage import Stage

FORMATS = {"PNG": "png", "COCO JSON": "json", "DICOM SEG": "dcm"}


class Annotate:
    """Instructions and a button for each file format, laid out inside the current Blocks."""

    def __init__(self, opening: Opening, stage: Stage) -> None:
        gr.HTML(html.HOW_TO_DRAW)
        gr.HTML('<h3 class="take">Save masks</h3>')
        with gr.Row(elem_classes="downloads"):
            self.buttons = {form: gr.Button(name, size="sm") for name, form in FORMATS.items()}
        for form, button in self.buttons.items():
            Made(opening, stage).on(button, partial(saved, form))


def saved(form: str, file: str, drawings: Any) -> dict[str, str]:
    """The readers' masks as drawn now, in a file of one format ("png", "json" or "dcm").

    Raises:
        DeepPneumoniaError: the radiograph is gone, or there is no mask to save.
    """
    case = opened(file, (), drawings)
    if not case.masks:
        raise AnnotationError("There is no mask to save; draw one, or add a reader who saw no lesion.")
    stem = Path(case.name).stem
    if form == "png":
        return _pngs(case, stem)
    if form == "json":
        return packed(f"{stem}-masks.json", to_coco(case.masks, case.name))
    return _seg(case, stem, file)


def _pngs(case: Opened, stem: str) -> dict[str, str]:
    """One PNG, or a ZIP with one PNG per reader; files are named after readers."""
    if len(case.masks) == 1:
        return packed(f"{_plain(case.masks[0].reader)}.png", to_png(case.masks[0].mask))
    return packed(f"{stem}-masks.zip", _zip({f"{_plain(a.reader)}.png": to_png(a.mask) for a in case.masks}))


def _seg(case: Opened, stem: str, file: str) -> dict[str, str]:
    """DICOM SEG in the radiograph's own geometry.

    A radiograph that is not DICOM is added as a secondary capture, because a segmentation has to refer to an image.
    """
    files = to_seg(case.masks, Path(file).read_bytes(), case.radiograph.pixels)
    if files.source is None:
        return packed(f"{stem}-masks.dcm", files.segmentation)
    pair = {f"{stem}-masks.dcm": files.segmentation, f"{stem}-radiograph.dcm": files.source}
    return packed(f"{stem}-masks.zip", _zip(pair))


def _zip(files: Mapping[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def _plain(name: str) -> str:
    """A reader's name as a safe file name."""
    return "".join(c if c.isalnum() or c in " ._-" else "_" for c in name).strip(" .") or "reader"
