"""Command lines from frozen dataclasses, so that every option of a run is declared once.

`option` adds the help text to a field: `epochs: int = option(20, "passes over the images")`.
"""

import argparse
import dataclasses
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from deep_pneumonia import shipped
from deep_pneumonia.errors import DeepPneumoniaError

T = TypeVar("T")


def option(
    default: Any,
    help: str,  # noqa: A002
    choices: Sequence[str] | None = None,
    *,
    low: float = -math.inf,
    high: float = math.inf,
) -> Any:
    """A dataclass field that becomes the command-line option --its-name.

    choices: the values allowed, None for any. low, high: the range of a number, both ends included.
    """
    return dataclasses.field(default=default, metadata={"help": help, "choices": choices, "low": low, "high": high})


def _within(kind: Any, low: float, high: float) -> Callable[[str], Any]:
    """A converter to `kind` that rejects numbers outside `low` to `high`, both included."""

    def parse(text: str) -> Any:
        value = kind(text)
        if kind is not str and not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is out of range, expected {_range(low, high)}")
        return value

    parse.__name__ = getattr(kind, "__name__", "value")  # argparse shows it if the text is not a number
    return parse


def _range(low: float, high: float) -> str:
    if math.isinf(high):
        return f"{low} or more"
    return f"at most {high}" if math.isinf(low) else f"{low} to {high}"


def add_checkpoint_option(parser: argparse.ArgumentParser) -> None:
    """Add --checkpoint, the folder of the checkpoint that predicts; the shipped one by default."""
    parser.add_argument(
        "--checkpoint",
        default=str(shipped.CHECKPOINT),
        metavar="DIR",
        help="checkpoint folder (default: the shipped one)",
    )


def add_device_option(parser: argparse.ArgumentParser) -> None:
    """Add --device, where to compute."""
    parser.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to compute (default: auto)"
    )


def add_category_option(parser: argparse.ArgumentParser) -> None:
    """Add --category, the names of the lesion in files of several categories."""
    parser.add_argument(
        "--category", action="append", default=[], metavar="NAME",
        help="category or label that marks the lesion in COCO and LabelMe files (default: the one named like a "
        "lesion, or the only one); may be repeated",
    )  # fmt: skip


def parser_for(config: type[T], description: str | None, verb: str) -> argparse.ArgumentParser:
    """The parser of `deep-pneumonia VERB` with one option a field of `config`; --help shows every default."""
    parser = argparse.ArgumentParser(prog=f"deep-pneumonia {verb}", description=description, formatter_class=Help)
    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        flag = "--" + field.name.replace("_", "-")
        help_text = field.metadata["help"]
        if field.type is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=field.default, help=help_text)
        else:
            parser.add_argument(
                flag,
                type=_within(field.type, field.metadata["low"], field.metadata["high"]),
                default=field.default,
                choices=field.metadata["choices"],
                metavar=None if field.metadata["choices"] else field.name.split("_")[-1].upper(),
                help=help_text,
            )
    return parser


def config_from(config: type[T], arguments: argparse.Namespace) -> T:
    """The dataclass filled from parsed arguments."""
    names = [f.name for f in dataclasses.fields(config)]  # type: ignore[arg-type]
    return config(**{name: getattr(arguments, name) for name in names})


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Help that shows the default of every option that has one."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default in (None, "") else super()._get_help_string(action)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the manifests, the folder of the run and the cache."""
    parser.add_argument(
        "--manifest", action="append", required=True, metavar="CSV", help="manifest.csv; may be repeated"
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of this run")
    parser.add_argument("--cache", metavar="DIR", help="folder of decoded images (default: 'cache' beside --out)")


def cache_folder(arguments: argparse.Namespace) -> Path:
    """The folder of decoded images that `add_data_options` asked for."""
    return Path(arguments.cache or Path(arguments.out).parent / "cache")


def guarded(verb: Callable[[], None]) -> int:
    """Run a verb and return its exit status.

    An error of this package or of the file system becomes one line on stderr and status 2, Ctrl-C status 130.
    """
    try:
        verb()
    except (DeepPneumoniaError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "Stopped; the same command resumes a training run, a simulated set or a prediction of a work list.",
            file=sys.stderr,
        )
        return 130
    return 0
