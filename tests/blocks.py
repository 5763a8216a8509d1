"""Gradio's elements in tests without a browser."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def inside(work: Callable[[], T]) -> T:
    """Work done inside an event loop: outside of one, Gradio opens loops that it never closes."""

    async def done() -> T:
        return work()

    return asyncio.run(done())
