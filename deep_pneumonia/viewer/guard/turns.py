"""Lines in which calls wait: a page's events are answered in their order, and no page waits for another's files.

Without an order, the answer to the first of two quick events could replace what the second one shows: the figures of
one case beside the picture of another.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from deep_pneumonia.errors import LimitError
from deep_pneumonia.limits import MAX_DECODERS, MAX_PAGE_EVENTS, MAX_WAITING

PAGES, PROGRAMS = "pages", "programs"
# Events of the screens that predict: `Turns` keeps their order.
PAGE_QUEUE: dict[str, Any] = {"concurrency_id": PAGES, "concurrency_limit": int(MAX_WAITING)}
# Calls of programs, which match answers to calls themselves. The model itself takes one at a time (`gpu.on_gpu`).
PROGRAM_QUEUE: dict[str, Any] = {"concurrency_id": PROGRAMS, "concurrency_limit": int(MAX_DECODERS)}


class Turns:
    """The order in which events of pages are answered: those of one page in turn, some pages at a time."""

    def __init__(self) -> None:
        self._unanswered: defaultdict[str, list[asyncio.Task[Any]]] = defaultdict(list)  # by page
        self._running = asyncio.Semaphore(int(MAX_DECODERS))  # each may hold a radiograph of the most pixels

    @asynccontextmanager
    async def turn(self, page: str) -> AsyncIterator[None]:
        """Wait until the page's earlier events are answered, each in a task that ends when its answer has been sent.

        Raises:
            LimitError: the page has too many unanswered events.
        """
        task, before = asyncio.current_task(), self._unanswered[page]
        assert task is not None  # noqa: S101  (a coroutine runs in a task)
        if len(before) >= MAX_PAGE_EVENTS:
            raise LimitError(f"{len(before)} requests of this page are not answered yet; try again after an answer.")
        self._unanswered[page] = [*before, task]
        task.add_done_callback(lambda done: self._answered(page, done))
        if before:
            await asyncio.wait(before)
        async with self._running:
            yield

    def _answered(self, page: str, task: asyncio.Task[Any]) -> None:
        self._unanswered[page] = [other for other in self._unanswered[page] if other is not task]
        if not self._unanswered[page]:
            del self._unanswered[page]
