"""The column where a case is opened: thumbnails of the teaching cases, and boxes for one's own files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import TeachingCase
from deep_pneumonia.errors import UnreadableFileError
from deep_pneumonia.viewer import html
from deep_pneumonia.viewer.examples import Examples
from deep_pneumonia.viewer.guard.owners import OWNERS
from deep_pneumonia.viewer.guard.visitors import visitor
from deep_pneumonia.viewer.opened_case import sorted_files

Files = tuple[list[str] | None, list[str] | None]
Holds = Callable[[str], bool]
Show = Callable[[list[str] | None, list[str] | None], dict[Any, Any]]
# JavaScript: the files that static/storage.js keeps for this tab.
LAST_FILES = '() => [JSON.parse(sessionStorage.getItem("deep-pneumonia/last") ?? "null")]'


class Opening:
    """The column's elements, laid out inside the current Blocks."""

    def __init__(self, cases: Sequence[TeachingCase], holds: Holds = lambda path: False) -> None:  # noqa: ARG005
        """`holds` tells whether a file is the radiograph of a case in a work list."""
        self.holds = holds
        self.examples = Examples(cases)
        self.file = gr.File(label="Radiograph", file_count="multiple", height=120, elem_id="file")
        # The column is shown and hidden, not the button: once a button was changed, Gradio describes the type of its
        # files again at each event, which takes a third as long as the prediction itself.
        with gr.Column(visible=False, min_width=0) as self.instead:
            self.another = gr.UploadButton(
                "Choose another radiograph", file_count="multiple", size="sm", elem_id="another"
            )
        gr.HTML(html.FILE_HINT)
        self.masks = gr.File(label="Doctors' masks", file_count="multiple", height=120, elem_id="masks")
        gr.HTML(html.MASKS_HINT)
        self.last = gr.JSON(visible=False)
        # Inputs of programs: one radiograph, and masks.
        self.given = [
            gr.File(label="Radiograph", visible=False),
            gr.File(label="Doctors' masks", file_count="multiple", visible=False),
        ]
        # The file on the stage, which stays there when the next files are rejected. The page holds it: with a state on
        # the server each page would keep a connection open, and stopping would not wait to delete uploads.
        self.shown = gr.Textbox(visible=False)

    @property
    def both(self) -> list[Any]:
        """The two boxes that hold a case's files."""
        return [self.file, self.masks]

    def listen(self, blocks: gr.Blocks, show: Show, outputs: Sequence[Any], **options: Any) -> None:
        """Show the case whenever one is opened or its files change, in one answer of the server."""
        filled = [*outputs, *self.both]

        def both(files: Files) -> dict[Any, Any]:
            return {**show(*files), **dict(zip(self.both, files, strict=True))}

        def chosen(event: gr.SelectData) -> dict[Any, Any]:
            return both(self.examples.files(event.index))

        blocks.load(lambda last: both(self.first(last)), self.last, filled, js=LAST_FILES, **options)
        # Two quick clicks are two events: Gradio would give the second the place of the first.
        self.examples.gallery.select(chosen, None, filled, trigger_mode="multiple", **options)
        # A mask belongs to one radiograph; another one of the same size must not be scored against it.
        self.another.upload(lambda files: both((files, None)), self.another, filled, **options)
        self.file.clear(lambda: both((None, None)), None, filled, **options)
        changes = [self.file.upload, self.file.delete, self.masks.upload, self.masks.delete, self.masks.clear]
        gr.on(changes, show, self.both, outputs, trigger_mode="always_last", **options)

    def first(self, last: Any = None) -> Files:
        """The case that is open at the start: this tab's files before a reload, else the first teaching case."""
        if isinstance(last, dict) and isinstance(last.get("file"), str):
            masks = [m for m in last.get("masks") or [] if isinstance(m, str)]
            if all(_is_ours(path) for path in (last["file"], *masks)):
                return [last["file"]], masks or None
        return self.examples.files(0) if self.examples.cases else (None, None)

    def files(self, dropped: Sequence[str] | None, masks: Sequence[str] | None) -> tuple[str | None, list[str]]:
        """The radiograph and the masks among the files in the boxes.

        Raises:
            DeepPneumoniaError: there are several radiographs.
        """
        if isinstance(dropped, str):  # a program gives one file
            dropped = [dropped]
        return sorted_files(list(dropped or []), list(masks or []))

    def mine(self, shown: str | None) -> str | None:
        """The file that a page says is on its stage, or None.

        Raises:
            UnreadableFileError: the file is neither an upload nor in a work list, or it is gone.
        """
        if shown and not (_is_ours(shown) or (self.holds(shown) and Path(shown).exists())):
            raise UnreadableFileError(
                f"{Path(shown).name} is gone; upload it again. Uploads are deleted within an hour."
            )
        return shown or None


def _is_ours(path: str) -> bool:
    """Whether a path that a browser remembers is a teaching case or an upload that still exists."""
    return is_upload(path) or _is_in(path, shipped.CASES)


def is_upload(path: str) -> bool:
    """Whether a path that a browser sends is an upload of this visitor that still exists."""
    uploads = get_upload_folder()
    return _is_in(path, uploads) and OWNERS.allows(Path(path), Path(uploads), visitor().token)


def _is_in(path: str, folder: str | Path) -> bool:
    try:
        return Path(path).resolve(strict=True).is_relative_to(Path(folder).resolve())
    except (OSError, ValueError):
        return False
