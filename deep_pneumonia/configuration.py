"""Command lines made from frozen dataclasses, so that a run's options have one home.

A field's help stands in its metadata: `epochs: int = option(20, "passes over the images")`.
"""

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from deep_pneumonia.errors import DeepPneumoniaError

T = TypeVar("T")


def option(default: Any, help: str, choices: Sequence[str] | None = None) -> Any:  # noqa: A002
    """A dataclass field that becomes the option --its-name with `help` and, if given, `choices`."""
    return dataclasses.field(default=default, metadata={"help": help, "choices": choices})


def parser_for(config: type[T], description: str | None) -> argparse.ArgumentParser:
    """A parser with one option a field of `config`; --help shows every default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=Help)
    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        flag = "--" + field.name.replace("_", "-")
        help_text = field.metadata["help"]
        if field.type is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=field.default, help=help_text)
        else:
            parser.add_argument(
                flag,
                type=field.type,
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
    """Run a verb; a named error becomes one line on stderr and exit status 2, an interrupt 130."""
    import sys

    try:
        verb()
    except DeepPneumoniaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from the last saved step.", file=sys.stderr)
        return 130
    return 0
