"""The command `deep-pneumonia`: it runs one verb, which is a module of its own.

`deep-pneumonia predict chest.png` and `python -m deep_pneumonia.predict chest.png` do the same. A verb's module is
imported only when it is run, so that help and version are printed at once.
"""

import argparse
import sys
from collections.abc import Sequence
from difflib import get_close_matches

from deep_pneumonia import __version__
from deep_pneumonia.cli import PROGRAM, failed, run_verb

# Each verb with its line in --help; its module is its name with "_" for "-".
VERBS = {
    "app": "open the viewer in the browser",
    "predict": "predict one radiograph and compare the attention map with doctors' masks",
    "review": "keep a work list: add cases, predict, report, export, import",
    "evaluate": "score a checkpoint on prepared images, with 95% intervals",
    "prepare": "turn a published data set, or a folder of your own, into a manifest",
    "pretrain": "pre-train the backbone on radiographs without labels",
    "train": "train a checkpoint, its attention guided by doctors' masks",
    "fit-gate": "fit the gate, which rejects inputs that are no frontal chest radiographs",
    "simulate": "render radiographs with pneumonia from a chest CT",
}


def parser() -> argparse.ArgumentParser:
    """The options of the command itself; a verb has a parser of its own."""
    width = max(map(len, VERBS)) + 2
    verbs = "\n".join(f"  {name:<{width}}{line}" for name, line in VERBS.items())
    p = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=f"{PROGRAM} VERB [options]\n       {PROGRAM} VERB --help",
        description="Pneumonia in chest radiographs, with attention that is held to doctors' masks.\n\n"
        f"verbs:\n{verbs}",
        epilog="Research and teaching only. Not a medical device.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb that the first word names; returns its exit status, or 2 with one line on stderr."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words:
        parser().print_help(sys.stderr)
        return 2
    if words[0].startswith("-"):
        parser().parse_args(words)
        return 2  # parse_args has exited, unless all it got was "--"
    if words[0] not in VERBS:
        return failed(f"there is no verb {words[0]!r}; {_advice(words[0])}")
    return run_verb(words[0], words[1:])


def _advice(word: str) -> str:
    close = get_close_matches(word.replace("_", "-"), VERBS, n=1)
    return f"did you mean {PROGRAM} {close[0]}?" if close else f"{PROGRAM} --help lists them."


if __name__ == "__main__":
    sys.exit(main())
