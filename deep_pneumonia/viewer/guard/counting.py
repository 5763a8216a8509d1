"""Bodies of requests are counted while they arrive, and attempts to log in are counted by address."""

import time
from collections import defaultdict, deque

from starlette.types import Message, Receive

from deep_pneumonia.limits import MAX_LOGIN_ADDRESSES, MAX_LOGINS

LOGIN_SECONDS = 60.0  # over which the attempts of an address are counted


class TooLong(Exception):  # noqa: N818 (never leaves the guard)
    """A body is longer than its route allows."""


def counted(receive: Receive, limit: int) -> Receive:
    """`receive` that raises `TooLong` after `limit` bytes of a body."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise TooLong
        return message

    return bounded


class Attempts:
    """Attempts to log in, by address."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = defaultdict(deque)

    def allow(self, address: str) -> bool:
        """Whether this address may try once more now; the attempt is counted."""
        now = time.monotonic()
        if len(self._times) > MAX_LOGIN_ADDRESSES:
            self._times.clear()
        times = self._times[address]
        while times and times[0] < now - LOGIN_SECONDS:
            times.popleft()
        times.append(now)
        return len(times) <= MAX_LOGINS
