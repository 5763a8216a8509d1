"""The strip of teaching cases beside the viewer: thumbnails, and what a case teaches."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import gradio as gr
from PIL import Image

from deep_pneumonia.datasets.teaching_cases import TeachingCase
from deep_pneumonia.files import sha256

SIMULATED = "simulated in a real chest CT: the masks are exact, but the shipped model never saw such a picture"
THUMBNAIL = 144  # pixels a side, for screens of twice the density


class Examples:
    """Thumbnails of the cases, laid out inside the current Blocks."""

    def __init__(self, cases: Sequence[TeachingCase]) -> None:
        self.cases = cases
        self.by_digest = {case.sha256: case for case in cases}
        gr.HTML('<h2 class="strip">Teaching cases</h2>')
        self.gallery = gr.Gallery(
            [(_thumbnail(case), case.title) for case in cases],
            label="Teaching cases",
            show_label=False,
            columns=4,
            allow_preview=False,
            interactive=False,
            buttons=[],
            elem_id="cases",
        )

    def files(self, index: int) -> tuple[list[str], list[str]]:
        """The radiograph's file and its readers' masks, as if a person had uploaded them."""
        case = self.cases[index]
        return [str(case.image)], [str(r.mask) for r in case.readers if r.mask is not None]

    def place(self, file: str) -> int | None:
        """Which case the radiograph in this file is, if it is one."""
        case = self.by_digest.get(sha256(Path(file)))
        return None if case is None else self.cases.index(case)

    def lesson(self, file: str) -> str:
        """What the case in this file teaches, as HTML; nothing for a file that is no case."""
        place = self.place(file)
        if place is None:
            return ""
        case = self.cases[place]
        kind = f"{case.label} \u00b7 {case.difficulty} \u00b7 {SIMULATED}"
        return (
            f'<section class="lesson" aria-label="Teaching case"><h2>{escape(case.title)}</h2>'
            f'<p class="kind">{escape(kind)}</p>'
            f"<p>{escape(case.findings)}</p><p><b>To learn:</b> {escape(case.teaching_point)}</p></section>"
        )


def _thumbnail(case: TeachingCase) -> Image.Image:
    with Image.open(case.image) as picture:
        picture.load()
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        return picture
