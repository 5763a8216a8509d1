"""Calls of the endpoints: a wrong one gets one sentence as its answer, and nothing is fetched from an address.

Gradio downloads a file whose path is an address, answers wrong arguments with advice on its own components, and writes
a traceback for each.
"""

import inspect
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.datastructures import Headers

from deep_pneumonia.errors import LimitError
from deep_pneumonia.viewer.guard.addresses import network_of
from deep_pneumonia.viewer.guard.journal import Journal
from deep_pneumonia.viewer.guard.owners import OWNERS
from deep_pneumonia.viewer.guard.tokens import Tokens
from deep_pneumonia.viewer.guard.turns import PAGES, PROGRAMS, Turns
from deep_pneumonia.viewer.guard.visitors import NOBODY, VISITOR, Visitor

FILE_HELP = "upload it with gradio_client.handle_file"
UNEXPECTED = "The server could not answer this request. Check what was sent, or tell whoever runs the server."
URL_SCHEMES = ("http:", "https:", "ftp:", "file:")


class GuardedBlocks(gr.Blocks):
    """Blocks that check what a call brings before Gradio does."""

    tokens: Tokens | None = None
    journal: Journal | None = None

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.turns = Turns()

    async def process_api(self, block_fn: Any, inputs: list[Any], *given: Any, **options: Any) -> dict[str, Any]:
        """Answer one call, as Gradio does, but with one line in the log for an error that nobody foresaw."""
        VISITOR.set(self._visitor(options.get("request")))
        line = self.turns.turn(str(options.get("session_hash"))) if block_fn.concurrency_id == PAGES else nullcontext()
        try:
            async with line:
                return await super().process_api(block_fn, inputs, *given, **options)
        except LimitError as error:
            raise _refused(str(error)) from error
        except gr.Error as error:
            error.print_exception = False
            raise
        except Exception as error:
            if self.journal:
                self.journal.fault(error, "call")
            raise gr.Error(UNEXPECTED, print_exception=False) from error
        finally:
            if block_fn.concurrency_id == PROGRAMS:
                self._forget(str(options.get("session_hash")))

    def _forget(self, session: str) -> None:
        """Drop what Gradio keeps of a program's call, which has a session of its own: a copy of the page's elements."""
        with self.state_holder.lock:
            self.state_holder.session_data.pop(session, None)
            self.state_holder.time_last_used.pop(session, None)

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *given: Any, **options: Any) -> Any:
        """Check the arguments of a call, then prepare them as Gradio does.

        Raises:
            gr.Error: an argument is missing or of the wrong form.
        """
        names = _names(block_fn)
        if len(inputs) < len(block_fn.inputs):
            raise _refused(
                f"{len(inputs)} arguments were sent, but {len(block_fn.inputs)} are needed: {', '.join(names)}."
            )
        for name, block, value in zip(names, block_fn.inputs, inputs, strict=False):
            _check(name, block, value)
        try:
            return await super().preprocess_data(block_fn, inputs, *given, **options)
        except gr.Error:
            raise
        except Exception as error:
            raise _refused("The arguments of this call have another form than docs/api.md shows.") from error

    def _visitor(self, request: Any) -> Visitor:
        asked = getattr(request, "request", None)  # what FastAPI knows of the request, within Gradio's
        if asked is None or self.tokens is None:
            return NOBODY
        token = self.tokens.visitor_of(Headers(scope=asked.scope))
        return Visitor(network_of(asked.client.host if asked.client else ""), token)


def _names(block_fn: Any) -> list[str]:
    """What the arguments of a function are called, for sentences."""
    found = [*inspect.signature(block_fn.fn).parameters] if block_fn.fn else []
    return [found[i] if i < len(found) else f"argument {i + 1}" for i in range(len(block_fn.inputs))]


def _check(name: str, block: Any, value: Any) -> None:
    """Check one argument: files have the form of files, and no file is an address.

    Raises:
        gr.Error: they do not.
    """
    if isinstance(block, gr.File | gr.UploadButton):
        many = block.file_count != "single"
        if many and value is not None and not isinstance(value, list):
            raise _refused(f"{name} must be a list of files, not {_kind(value)}; send [] for none.")
        for file in (value or []) if many else [value]:
            if file is not None and not (isinstance(file, dict) and isinstance(file.get("path"), str)):
                raise _refused(f"{name} must be a file, not {_kind(file)}; {FILE_HELP}.")
    if _has_address(value):
        raise _refused(f"{name} is an address; this server fetches nothing, so {FILE_HELP}.")
    if isinstance(block, gr.File | gr.UploadButton):
        files = value if isinstance(value, list) else [value]
        if not all(_is_upload(file["path"]) for file in files if file is not None):
            raise _refused(f"{name} is not a file that was uploaded to this server, or it is gone; {FILE_HELP}.")


def _is_upload(path: str) -> bool:
    uploads = Path(get_upload_folder())
    try:
        inside = Path(path).resolve().is_relative_to(uploads.resolve())
    except (OSError, ValueError):
        return False
    return inside and OWNERS.allows(Path(path), uploads, VISITOR.get().token)


def _has_address(value: Any) -> bool:
    """Whether a value holds, at any depth, a file of Gradio whose path is an address."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            path = one.get("path")
            if isinstance(path, str) and path.strip().lower().startswith(URL_SCHEMES):
                return True
            waiting += one.values()
        elif isinstance(one, list):
            # Runs of numbers, of which a drawing has many, hold no file.
            waiting += [part for part in one if isinstance(part, dict | list)]
    return False


def _kind(value: Any) -> str:
    """A JSON value's kind in a word."""
    kinds = {str: "text", dict: "one object", list: "a list", bool: "a truth value", int: "a number", float: "a number"}
    return kinds.get(type(value), "nothing")


def _refused(sentence: str) -> gr.Error:
    return gr.Error(sentence, print_exception=False)
