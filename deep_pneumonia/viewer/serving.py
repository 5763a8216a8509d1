"""The viewer as a server: Gradio behind the guard, with its temporary folder and its stop."""

import ctypes
import importlib.util
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.routes import App, ORJSONResponse
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from deep_pneumonia import shipped
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.limits import MAX_FILE_BYTES, MAX_SESSIONS
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.version import __version__
from deep_pneumonia.viewer import app as frame
from deep_pneumonia.viewer import mcp as mcp_tools
from deep_pneumonia.viewer.element import SCRIPTS
from deep_pneumonia.viewer.guard.addresses import Addresses, addresses_for, on_spaces
from deep_pneumonia.viewer.guard.calls import GuardedBlocks
from deep_pneumonia.viewer.guard.headers import SPACES_ANCESTORS
from deep_pneumonia.viewer.guard.journal import Journal
from deep_pneumonia.viewer.guard.middleware import BUSY_STATUS, Guard, Rules, busy, unusable
from deep_pneumonia.viewer.guard.owners import OWNERS
from deep_pneumonia.viewer.guard.page import Page
from deep_pneumonia.viewer.guard.tokens import Tokens
from deep_pneumonia.viewer.guard.uploads import received_apart
from deep_pneumonia.viewer.review.workspaces import Workspaces


@dataclass(frozen=True)
class Options:
    """How the viewer is served.

    allowed_hosts: names it answers to besides those it listens at. proxies: addresses and networks whose forwarding
    headers are believed. frame_ancestors: origins that may show it in a frame. accounts: names and passwords of those
    who may enter; empty for everybody. mcp: whether language models may call it. allow_urls: whether they may give
    files as public web addresses. log_requests: whether each request is a line in the log. metrics: whether /metrics
    is served.
    """

    allowed_hosts: Sequence[str] = ()
    proxies: Sequence[str] = ()
    frame_ancestors: Sequence[str] = ()
    accounts: Sequence[tuple[str, str]] = ()
    mcp: bool = False
    allow_urls: bool = False
    log_requests: bool = False
    metrics: bool = False


DEFAULTS = Options()


M_ARENA_MAX = -8  # the option of glibc's mallopt(3)


class GuardedApp(App):
    """Gradio's server with the guard around all of its own middleware."""

    def __init__(self, rules: Rules, tokens: Tokens, journal: Journal, **options: Any) -> None:
        self.guarding = (rules, tokens, journal)
        super().__init__(default_response_class=ORJSONResponse, **options)

    def build_middleware_stack(self) -> ASGIApp:
        """The layers from the outermost to the routes."""
        return Guard(super().build_middleware_stack(), *self.guarding)


def launch(
    predictor: Predictor, other: Predictor | None = None, *, workspace: str | None = None, options: Options = DEFAULTS
) -> None:
    """Serve until stopped, and print the address; GRADIO_SERVER_NAME and GRADIO_SERVER_PORT change it.

    Raises:
        WorkspaceError: the folder `workspace` cannot be used.
        DeepPneumoniaError: the port is taken, the name is not an address of this machine, an option is wrong, or the
            package for `mcp` is not installed.
    """
    _check(options)
    _share_arenas()
    with ExitStack() as stack:
        workspaces = stack.enter_context(frame.workspaces_for(predictor, workspace))
        stack.enter_context(received_apart())
        blocks = frame.build(predictor, other, workspaces)
        try:
            address = start(blocks, workspaces, predictor, options)
            print(f"{frame.TITLE} is at {address} - stop it with Ctrl-C.", flush=True)
            blocks.block_thread()
        except KeyboardInterrupt:  # it serves before `block_thread` waits for Ctrl-C
            blocks.close(verbose=False)


def start(blocks: GuardedBlocks, workspaces: Workspaces, predictor: Predictor, options: Options = DEFAULTS) -> str:
    """Begin to serve in another thread, and return the address.

    Raises:
        DeepPneumoniaError: nothing can listen there, or a proxy is no address.
    """
    name, port = (os.environ.get(f"GRADIO_SERVER_{part}") for part in ("NAME", "PORT"))
    # Served files: the program's own and the teaching cases; of a work list, only thumbnails.
    program, thumbnails = [str(shipped.CASES), str(SCRIPTS)], str(workspaces.served_folder)
    try:
        app = guarded_app(blocks, predictor, program, options)
        _, address, _ = blocks.launch(
            # If this port is taken, starting fails; without a port Gradio looks for a free one.
            server_port=int(port) if port else None,
            prevent_thread_lock=True,
            quiet=True,
            allowed_paths=[*program, thumbnails],
            max_file_size=int(MAX_FILE_BYTES),
            state_session_capacity=int(MAX_SESSIONS),
            theme=frame.theme(),
            css_paths=frame.STYLES,
            footer_links=["api"],
            # Nothing leaves this machine, and nothing of a visitor stays.
            share=False,
            run_history=False,
            enable_monitoring=False,
            # Only this process serves, because only here every request passes the guard.
            ssr_mode=False,
            num_workers=0,
            mcp_server=options.mcp,
            auth=list(options.accounts) or None,
            auth_message="Research and teaching only.",
            _app=app,
        )
    except OSError as error:
        raise DeepPneumoniaError(
            f"Nothing can listen at {name or '127.0.0.1'}, port {port or '7860 to 7959'}: taken, or no address of this "
            "machine; choose others with GRADIO_SERVER_NAME and GRADIO_SERVER_PORT."
        ) from error
    if options.mcp:
        mcp_tools.mend(blocks, allow_urls=options.allow_urls)
    return str(address)


def guarded_app(blocks: GuardedBlocks, predictor: Predictor, program: Sequence[str], options: Options) -> GuardedApp:
    """The server's application for these blocks.

    Raises:
        DeepPneumoniaError: a proxy is not an IP address or network.
    """
    # The guard alone decides whose forwarding headers are believed.
    os.environ["FORWARDED_ALLOW_IPS"] = ""
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # a refused upload is a line of the guard's
    root = os.environ.get("GRADIO_ROOT_PATH", "")
    rules = Rules(
        _addresses(options),
        is_shipped=lambda path: _is_in(path, program),
        may_fetch=lambda path, token: bool(token) and _may_fetch(path, token),
        health=lambda: health(blocks, predictor),
        queue_length=lambda: len(blocks._queue),
        root=root.rstrip("/") if root.startswith("/") else "",
        metrics=options.metrics,
    )
    tokens, journal = Tokens(), Journal(all_requests=options.log_requests)
    blocks.tokens, blocks.journal = tokens, journal
    blocks._queue.ANALYTICS_MAX_EVENTS = 0  # Gradio keeps the last calls for a page that is switched off
    ancestors = [*options.frame_ancestors, *(SPACES_ANCESTORS if on_spaces() else ())]
    answers: dict[Any, Any] = {Exception: unusable, BUSY_STATUS: busy}
    page = Middleware(Page, tokens=tokens, ancestors=ancestors, embedded=bool(ancestors))
    return GuardedApp(rules, tokens, journal, middleware=[page], exception_handlers=answers)


def health(blocks: gr.Blocks, predictor: Predictor) -> dict[str, Any]:
    """What /healthz says: whether the model is loaded, which version runs, and how many requests wait."""
    return {
        "model_loaded": True,  # nothing is served before
        "checkpoint": predictor.checkpoint.name,
        "version": __version__,
        "queue_length": len(blocks._queue),
    }


def _addresses(options: Options) -> Addresses:
    """Which names the viewer answers to, and which proxies it believes."""
    listened_at = os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
    try:
        return addresses_for(listened_at, options.allowed_hosts, options.proxies)
    except ValueError as error:
        raise DeepPneumoniaError(f"--proxy got {error}; give an IP address or network such as 10.0.0.0/8.") from error


def _share_arenas() -> None:
    """Let all threads allocate from two arenas.

    By default glibc makes up to eight for each core as threads come, and none gives its memory back.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # other C libraries have no mallopt
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def _check(options: Options) -> None:
    _addresses(options)
    if options.mcp and not importlib.util.find_spec("mcp"):
        raise DeepPneumoniaError(
            "The package mcp is not installed; install it with: pip install 'deep-pneumonia[mcp]'."
        )
    if options.mcp and options.accounts:
        raise DeepPneumoniaError(
            "Tools of language models cannot log in; leave out --mcp, or --auth and --password-file."
        )
    if options.allow_urls and not options.mcp:
        raise DeepPneumoniaError("--allow-urls is about tools of language models; give --mcp too, or leave it out.")


def _may_fetch(path: str, token: str) -> bool:
    """Whether a page may fetch a file, as far as it matters whose it is; Gradio checks the rest."""
    return Path(path).is_absolute() and OWNERS.allows(Path(path), Path(get_upload_folder()), token)


def _is_in(path: str, folders: Sequence[str]) -> bool:
    try:
        place = Path(path).resolve()
        return any(place.is_relative_to(Path(folder).resolve()) for folder in folders)
    except (OSError, ValueError):
        return False
