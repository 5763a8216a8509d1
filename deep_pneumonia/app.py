"""Open the viewer in the browser: radiographs, attention, doctors' masks, work lists and teaching.

Examples:
  deep-pneumonia app
  deep-pneumonia app --workspace list
The environment variables GRADIO_SERVER_NAME and GRADIO_SERVER_PORT set the address (docs/hosting.md).
Research and teaching only. Not a medical device.
"""

import sys

if __name__ == "__main__":  # `python -m`: before the imports that take seconds, or need an extra
    from deep_pneumonia.cli import run_verb

    sys.exit(run_verb("app", sys.argv[1:]))


import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from deep_pneumonia import shipped
from deep_pneumonia.cli import INTERRUPTED, add_checkpoint_option, add_device_option, leaving_at_ctrl_c
from deep_pneumonia.errors import DeepPneumoniaError

WORKSPACE_VARIABLE = "DEEP_PNEUMONIA_WORKSPACE"
MAX_PORT = 65535


def parser() -> argparse.ArgumentParser:
    """The options of the verb."""
    p = argparse.ArgumentParser(
        prog="deep-pneumonia app", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_checkpoint_option(p)
    add_device_option(p)
    p.add_argument(
        "--compare",
        default="",
        metavar="DIR",
        help="second checkpoint, for the screen Compare (default: the shipped one that was trained without masks)",
    )
    p.add_argument(
        "--workspace",
        default=os.environ.get(WORKSPACE_VARIABLE, ""),
        metavar="DIR",
        help="folder of one work list that everybody who opens the page shares, on a disk with file locks "
        f"(default: ${WORKSPACE_VARIABLE}; without either, each page has a temporary work list of its own)",
    )
    p.add_argument("--mcp", action="store_true", help="also serve the named endpoints as an MCP server")
    add_guard_options(p)
    return p


def add_guard_options(p: argparse.ArgumentParser) -> None:
    """Add the options about who may reach the viewer and what it tells whoever runs it."""
    group = p.add_argument_group("who may reach it, and what it tells you (docs/hosting.md)")
    group.add_argument(
        "--allowed-hosts",
        type=words,
        default=[],
        metavar="NAMES",
        help="names, divided by commas, under which it is reached, such as viewer.example.org or *.example.org "
        "(default: what it listens at, and this machine's own names)",
    )
    group.add_argument(
        "--proxy",
        type=words,
        default=[],
        metavar="ADDRESSES",
        help="addresses or networks of proxies, divided by commas, whose X-Forwarded headers count (default: none)",
    )
    group.add_argument(
        "--frame-ancestors",
        type=words,
        default=[],
        metavar="ORIGINS",
        help="origins of pages, divided by commas, that may show it in a frame, such as https://example.org "
        "(default: its own)",
    )
    group.add_argument(
        "--auth", type=accounts, default=[], metavar="NAME:PASSWORD", help="ask everybody for this name and password"
    )
    group.add_argument(
        "--password-file",
        default="",
        metavar="FILE",
        help="ask for a name and password of this file, a NAME:PASSWORD a line",
    )
    group.add_argument("--allow-urls", action="store_true", help="let MCP tools fetch files from public web addresses")
    group.add_argument("--log-requests", action="store_true", help="write a line of JSON to stderr for each request")
    group.add_argument("--metrics", action="store_true", help="serve counts at /metrics in Prometheus' format")


def words(text: str) -> list[str]:
    """The words of a text that are divided by commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def accounts(text: str) -> list[tuple[str, str]]:
    """Names and passwords, one NAME:PASSWORD a line; empty lines and those that begin with # are left out.

    Raises:
        argparse.ArgumentTypeError: a line has no name or no password. The message does not repeat it.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            name, _, password = line.partition(":")
            if not name.strip() or not password:
                raise argparse.ArgumentTypeError(f"line {number} is not of the form NAME:PASSWORD")
            found.append((name.strip(), password))
    return found


def accounts_in(path: str) -> list[tuple[str, str]]:
    """The names and passwords in a file.

    Raises:
        DeepPneumoniaError: it cannot be read, or has none.
    """
    try:
        found = accounts(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DeepPneumoniaError(f"{path} cannot be read as a file of passwords ({error}).") from error
    except argparse.ArgumentTypeError as error:
        raise DeepPneumoniaError(f"{path}: {error}.") from error
    if not found:
        raise DeepPneumoniaError(f"{path} has no account; write a NAME:PASSWORD a line.")
    return found


def serve(arguments: argparse.Namespace) -> None:
    """Load the checkpoints and serve the viewer until it is stopped.

    Raises:
        DeepPneumoniaError: a checkpoint cannot be loaded, the workspace cannot be used, or the address is taken.
    """
    logins = [*arguments.auth, *(accounts_in(arguments.password_file) if arguments.password_file else [])]
    from deep_pneumonia.viewer.temporary import stopped_by_sigterm, temporary_folder

    with stopped_by_sigterm(), temporary_folder():
        # Gradio reads its variables and makes folders when it is imported, so it is imported now.
        with leaving_at_ctrl_c():
            from deep_pneumonia.prediction.predictor import Predictor
            from deep_pneumonia.viewer import gpu
            from deep_pneumonia.viewer.serving import Options, launch

        options = Options(
            arguments.allowed_hosts,
            arguments.proxy,
            arguments.frame_ancestors,
            logins,
            arguments.mcp,
            arguments.allow_urls,
            arguments.log_requests,
            arguments.metrics,
        )
        gpu.prepare()  # on ZeroGPU, before weights are moved to the GPU
        predictor = Predictor.load(arguments.checkpoint, arguments.device)
        second = arguments.compare or (shipped.PLAIN_CHECKPOINT if shipped.PLAIN_CHECKPOINT.is_dir() else "")
        other = Predictor.load(second, arguments.device) if second else None
        launch(predictor, other, workspace=arguments.workspace or None, options=options)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; returns 0 when stopped, 2 with one line on stderr for what cannot be served, or 130 for Ctrl-C
    while loading."""
    arguments = parser().parse_args(argv)
    port = os.environ.get("GRADIO_SERVER_PORT", "0")
    try:
        if not port.isdecimal() or int(port) > MAX_PORT:
            raise DeepPneumoniaError(f"GRADIO_SERVER_PORT is {port!r}; give a number from 1 to {MAX_PORT}.")
        serve(arguments)
    except DeepPneumoniaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # while loading; once the viewer serves, Ctrl-C ends it with status 0
        print("Stopped.", file=sys.stderr)
        return INTERRUPTED
    return 0
