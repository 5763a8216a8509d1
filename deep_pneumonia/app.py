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
    return p


def serve(arguments: argparse.Namespace) -> None:
    """Load the checkpoints and serve the viewer until it is stopped.

    Raises:
        DeepPneumoniaError: a checkpoint cannot be loaded, the workspace cannot be used, or the address is taken.
    """
    # Gradio reads its variables when it is imported, so it is imported after they were checked.
    with leaving_at_ctrl_c():
        from deep_pneumonia.prediction.predictor import Predictor
        from deep_pneumonia.viewer import gpu
        from deep_pneumonia.viewer.app import launch

    gpu.prepare()  # on ZeroGPU, before weights are moved to the GPU
    predictor = Predictor.load(arguments.checkpoint, arguments.device)
    second = arguments.compare or (shipped.PLAIN_CHECKPOINT if shipped.PLAIN_CHECKPOINT.is_dir() else "")
    other = Predictor.load(second, arguments.device) if second else None
    launch(predictor, other, mcp=arguments.mcp, workspace=arguments.workspace or None)


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
