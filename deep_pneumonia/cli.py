"""Command lines made from frozen dataclasses, so that a run's options have one home.

A field's help stands in its metadata: `epochs: int = option(20, "passes over the images")`.
"""

import argparse
import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

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
    """A dataclass field that becomes the option --its-name with `help` and, if given, `choices`, `low` and `high`."""
    return dataclasses.field(default=default, metadata={"help": help, "choices": choices, "low": low, "high": high})


def _within(kind: Any, low: float, high: float) -> Callable[[str], Any]:
    """`kind`, refusing numbers outside `low` to `high` (both allowed) before a run starts."""

    def parse(text: str) -> Any:
        value = kind(text)
        if kind is not str and not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not allowed, expected {low} to {high}")
        return value

    parse.__name__ = getattr(kind, "__name__", "value")  # argparse names it when the text is no number
    return parse


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
    """Help that shows every default there is, and none where there is none."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default in (None, "") else super()._get_help_string(action)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Options that say where data comes from and results go."""
    parser.add_argument(
        "--manifest", action="append", required=True, metavar="CSV", help="manifest.csv; may be repeated"
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of this run")
    parser.add_argument("--cache", metavar="DIR", help="decoded images; 'cache' beside --out if not given")


def guarded(verb: Callable[[], None]) -> int:
    """Run a verb; a named error or a file that cannot be written becomes one line on stderr and exit status 2, an
    interrupt 130."""
    import sys

    try:
        verb()
    except (DeepPneumoniaError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; the same command goes on with a training run, a simulated set or a reading.", file=sys.stderr)
        return 130
    return 0
