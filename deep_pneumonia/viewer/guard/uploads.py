"""How uploads arrive: each in a folder of its own whose name nobody can guess, and nothing stays of one that fails.

Gradio names the folder by the digest of the file, so whoever has a file could ask whether somebody else uploaded it,
and keeps what arrived of an upload that was cut off.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gradio import routes
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from deep_pneumonia.errors import LimitError
from deep_pneumonia.viewer.guard.owners import OWNERS, discard

Receiving = Callable[..., Awaitable[tuple[list[str], list[str], list[str]]]]


def receiver(plain: Receiving) -> Receiving:
    """Gradio's function that receives an upload, with a new folder for each one."""

    async def receive(request: Request, upload_dir: str, *given: Any, **options: Any) -> Any:
        folder = Path(upload_dir) / secrets.token_hex(16)
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            OWNERS.claim(folder, int(request.headers.get("content-length", "0")))
            return await plain(request, str(folder), *given, **options)
        except BaseException as error:
            discard(folder)
            if isinstance(error, LimitError):
                raise MultiPartException(str(error)) from error  # Gradio answers with its text
            if isinstance(error, OSError):
                raise MultiPartException("The server cannot keep this upload; its disk may be full.") from error
            raise

    return receive


@contextmanager
def received_apart() -> Iterator[None]:
    """Have Gradio receive uploads as described above."""
    plain = routes.upload_fn
    routes.upload_fn = receiver(plain)
    try:
        yield
    finally:
        routes.upload_fn = plain
