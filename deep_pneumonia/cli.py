"""Command lines from frozen dataclasses, so that every option of a run is declared once.

`option` adds the help text to a field: `epochs: int = option(20, "passes over the images")`.
"""

import argparse
import dataclasses
import importlib
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from deep_pneumonia import shipped
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.files import NO_ROOM_ERRORS

T = TypeVar("T")
PROGRAM = "deep-pneumonia"
INTERRUPTED = 130  # exit status after Ctrl-C
# The extra of pyproject.toml that installs a package which a plain install lacks.
EXTRA_OF = {
    "lightning": "train",
    "sklearn": "train",
    "nibabel": "simulate",
    "scipy": "simulate",
    "mcp": "mcp",
}


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
        sys.stdout.flush()  # or a full disk would be noticed when Python ends, with a traceback
    except DeepPneumoniaError as error:
        return failed(str(error))
    except OSError as error:
        _mute_output()
        return failed(_of_the_system(error))
    except UnicodeEncodeError as error:
        return failed(f"a name holds what is no text ({error.object!a}); rename the file.")
    except KeyboardInterrupt:
        print(
            "Stopped; the same command resumes a training run, a simulated set or a prediction of a work list.",
            file=sys.stderr,
        )
        return INTERRUPTED
    return 0


def failed(text: str) -> int:
    """Print an error on one line of stderr; returns the exit status 2."""
    print(f"error: {text}", file=sys.stderr)
    return 2


def _of_the_system(error: OSError) -> str:
    where = f" {error.filename}" if error.filename else ""
    why = error.strerror or error
    if error.errno in NO_ROOM_ERRORS:
        return f"there is no room left on the disk to write{where or ' the output'} ({why}); make room and try again."
    return f"the file{where} cannot be read or written ({why}); check the path."


def _mute_output() -> None:
    """Drop what standard output still holds, as Python would fail once more when it ends."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        return
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def leaving_at_ctrl_c() -> Iterator[None]:
    """While modules are imported, let Ctrl-C end the process at once, with one line and status 130.

    An interrupt inside the import of a C extension would surface as another error, with a traceback.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(*_: object) -> None:
    os.write(2, b"Stopped.\n")
    os._exit(INTERRUPTED)


def run_verb(verb: str, words: Sequence[str]) -> int:
    """Import the module of a verb such as "fit-gate" and run it; returns its exit status."""
    try:
        with leaving_at_ctrl_c():
            module = importlib.import_module(f"deep_pneumonia.{verb.replace('-', '_')}")
        status: int = module.main(words)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in EXTRA_OF:
            raise
        return failed(
            f"{verb} needs the package {package}, which is not installed; install it with: "
            f"pip install 'deep-pneumonia[{EXTRA_OF[package]}]'"
        )
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return INTERRUPTED
    return status
