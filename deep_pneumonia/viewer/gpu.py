"""ZeroGPU, the shared GPUs of Hugging Face Spaces: a function that runs the network borrows one for each call.

The package `spaces` is installed on every Gradio Space and nowhere else, so it is not a dependency; without it this
module changes nothing. On ZeroGPU it makes torch report a GPU and keeps what is moved there. When a wrapped function
is called, it runs in a forked process on a real GPU: https://huggingface.co/docs/hub/spaces-zerogpu.
"""

import importlib
import importlib.util
import threading
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import ParamSpec, TypeVar

from deep_pneumonia.errors import DeepPneumoniaError

P = ParamSpec("P")
T = TypeVar("T")

# The longest that one call may hold a GPU, in seconds. A visitor with less left of the daily quota is turned away, so
# this is no more than needed.
GPU_SECONDS = 30
TURN = threading.RLock()  # of the model


def prepare() -> ModuleType | None:
    """Import `spaces` if it is installed; call this before loading any weights, because `spaces` changes torch."""
    return importlib.import_module("spaces") if importlib.util.find_spec("spaces") else None


def on_gpu(function: Callable[P, T]) -> Callable[P, T]:
    """The function wrapped to take its turn on the model: one call at a time, as two would halve the speed of both.

    Where `spaces` is installed, it runs on a GPU that it borrows.

    Arguments and results travel between processes, so they must be arrays and dataclasses, never a network or a tensor
    on the GPU. Wrap a method bound to its predictor, such as `on_gpu(predictor.predict)`.

    Raises:
        DeepPneumoniaError: the error that the function raises, with its message.
    """
    spaces = prepare()
    if spaces is None:

        @wraps(function)
        def in_turn(*args: P.args, **kwargs: P.kwargs) -> T:
            with TURN:
                return function(*args, **kwargs)

        return in_turn

    # Only the class name of an error raised in the other process would come back.
    def kept(*args: P.args, **kwargs: P.kwargs) -> T | DeepPneumoniaError:
        try:
            return function(*args, **kwargs)
        except DeepPneumoniaError as error:
            return error

    borrowed = spaces.GPU(duration=GPU_SECONDS)(kept)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        answer = borrowed(*args, **kwargs)
        if isinstance(answer, DeepPneumoniaError):
            raise answer
        return answer

    return called
