"""The strip of teaching cases beside the viewer: thumbnails, and what a case teaches."""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr
from markupsafe import Markup
from PIL import Image

from deep_pneumonia.datasets.teaching_cases import TeachingCase
from deep_pneumonia.files import sha256

SIMULATED = "simulated in a real chest CT: the masks are exact; the shipped model was not trained on such images"
THUMBNAIL_SIDE = 144  # pixels: shown at half the size, for dense screens


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
        """The radiograph's file and the readers' masks of case `index`, as if a visitor had uploaded them."""
        case = self.cases[index]
        return [str(case.image)], [str(m.path) for m in case.masks if m.path is not None]

    def place(self, file: str) -> int | None:
        """The index of the case whose radiograph this file is; None if there is none."""
        case = self.by_digest.get(sha256(Path(file)))
        return None if case is None else self.cases.index(case)

    def lesson(self, file: str) -> Markup:
        """What the case in this file teaches; empty if the file is not a teaching case."""
        place = self.place(file)
        if place is None:
            return Markup("")
        case = self.cases[place]
        return Markup(
            '<section class="lesson" aria-label="Teaching case"><h2>{title}</h2><p class="kind">{kind}</p>'
            "<p>{findings}</p><p><b>To learn:</b> {point}</p></section>"
        ).format(
            title=case.title,
            kind=f"{case.label} \u00b7 {case.difficulty} \u00b7 {SIMULATED}",
            findings=case.findings,
            point=case.teaching_point,
        )


def _thumbnail(case: TeachingCase) -> Image.Image:
    with Image.open(case.image) as picture:
        picture.load()
        picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        return picture
