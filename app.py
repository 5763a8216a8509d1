"""Start the viewer: `python app.py`, or `make app`. Hugging Face Spaces starts here too."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from deep_pneumonia import shipped
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.prediction.predictor import Predictor

# Where Hugging Face Spaces mounts storage that outlives a restart, if it was bought.
STORAGE = Path("/data")


def persistent() -> str:
    """The folder of the work list on a Space with such storage; "" elsewhere."""
    there = "SPACE_ID" in os.environ and os.access(STORAGE, os.W_OK)
    return str(STORAGE / "workspace") if there else ""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse options, load the reader, serve until stopped; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--checkpoint", default=str(shipped.CHECKPOINT), metavar="DIR", help="checkpoint folder")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to compute")
    parser.add_argument("--compare", default="", metavar="DIR", help="second checkpoint for Compare (the shipped one)")
    parser.add_argument(
        "--workspace",
        default=persistent(),
        metavar="DIR",
        help="folder of the work list for all who open the page; empty: each page has its own, which goes away",
    )
    parser.add_argument("--mcp", action="store_true", help="serve the named endpoints as an MCP server too")
    arguments = parser.parse_args(argv)
    port = os.environ.get("GRADIO_SERVER_PORT", "0")
    if not port.isdecimal() or int(port) > 65535:
        print(f"error: GRADIO_SERVER_PORT is {port!r}; give a number from 1 to 65535.", file=sys.stderr)
        return 2
    from deep_pneumonia.viewer import gpu  # gradio reads the port as it is imported
    from deep_pneumonia.viewer.app import launch

    gpu.prepare()
    try:
        predictor = Predictor.load(arguments.checkpoint, arguments.device)
        second = arguments.compare or (shipped.PLAIN_CHECKPOINT if shipped.PLAIN_CHECKPOINT.is_dir() else "")
        other = Predictor.load(second, arguments.device) if second else None
        launch(predictor, other, mcp=arguments.mcp, workspace=arguments.workspace or None)
    except DeepPneumoniaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # while loading; once it serves, Ctrl-C is the way to end it
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
