"""ZeroGPU, the shared GPUs of Hugging Face Spaces: a function that runs the network borrows one while it runs.

The package `spaces` is there on every Gradio Space and nowhere else, so it is no dependency; without it nothing here
changes anything. On ZeroGPU it has torch say that there is a GPU, hold what is moved to it, and move that to a real
one when a wrapped function is called, which then runs in a forked process: https://huggingface.co/docs/hub/spaces-zerogpu.
"""

import importlib
import importlib.util
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import ParamSpec, TypeVar

from deep_pneumonia.errors import DeepPneumoniaError

P = ParamSpec("P")
T = TypeVar("T")

# Of a GPU for one call, at most; a visitor with less left of the day's share is refused, so not more than needed.
SECONDS = 30


def prepare() -> ModuleType | None:
    """Import `spaces` where it is installed, and return it; before any weights are loaded, for it changes torch."""
    return importlib.import_module("spaces") if importlib.util.find_spec("spaces") else None


def on_gpu(function: Callable[P, T]) -> Callable[P, T]:
    """The function run where there is a GPU; where `spaces` is not installed, the function itself.

    What is given and returned travels between processes: arrays and dataclasses, never a network or a tensor on the
    GPU. So wrap what has its reader bound to it, such as `on_gpu(reader.read)`.

    Raises:
        DeepPneumoniaError: what the function raises, with its text.
    """
    spaces = prepare()
    if spaces is None:
        return function

    # Of an error raised over there only the name of its class would come back.
    def kept(*args: P.args, **kwargs: P.kwargs) -> T | DeepPneumoniaError:
        try:
            return function(*args, **kwargs)
        except DeepPneumoniaError as error:
            return error

    borrowed = spaces.GPU(duration=SECONDS)(kept)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        answer = borrowed(*args, **kwargs)
        if isinstance(answer, DeepPneumoniaError):
            raise answer
        return answer

    return called
