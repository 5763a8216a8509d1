"""One line a request, and counts for Prometheus: method, kind of path, status and time, never what a visitor sent.

No line holds an address, a file name or a text from a request. Refused requests and faults are always written, others
on demand.
"""

import json
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Journal:
    """Writes lines and counts. all_requests: whether accepted requests are written too."""

    def __init__(self, *, all_requests: bool = False, write: Callable[[str], None] = _to_stderr) -> None:
        self.all_requests, self.write = all_requests, write
        self._counts: dict[tuple[str, str, int], int] = defaultdict(int)
        self._seconds: dict[str, float] = defaultdict(float)
        self._refused: dict[str, int] = defaultdict(int)
        self._faults = 0
        self._lock = threading.Lock()

    def request(self, method: str, route: str, status: int, seconds: float, refused: str = "") -> None:
        """A request that was answered. refused: why it was not served, in one word; "" if it was."""
        method = method if method in METHODS else OTHER
        with self._lock:
            self._counts[method, route, status] += 1
            self._seconds[route] += seconds
            if refused:
                self._refused[refused] += 1
        if refused or self.all_requests:
            why = {"refused": refused} if refused else {}
            self._line(method=method, route=route, status=status, milliseconds=round(seconds * 1000, 1), **why)

    def fault(self, error: BaseException, where: str) -> None:
        """An error that nobody foresaw, as its type and place: its text may hold what a visitor sent."""
        with self._lock:
            self._faults += 1
        self._line(fault=type(error).__name__, at=_place(error), during=where)

    def metrics(self, queue_length: int) -> str:
        """All counts in Prometheus' text format, version 0.0.4."""
        with self._lock:
            lines = ["# TYPE deep_pneumonia_requests_total counter"]
            lines += [
                f'deep_pneumonia_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
                for (method, route, status), count in sorted(self._counts.items())
            ]
            lines.append("# TYPE deep_pneumonia_request_seconds_total counter")
            lines += [
                f'deep_pneumonia_request_seconds_total{{route="{route}"}} {seconds:.3f}'
                for route, seconds in sorted(self._seconds.items())
            ]
            lines.append("# TYPE deep_pneumonia_refused_total counter")
            lines += [
                f'deep_pneumonia_refused_total{{reason="{why}"}} {count}'
                for why, count in sorted(self._refused.items())
            ]
            lines += ["# TYPE deep_pneumonia_faults_total counter", f"deep_pneumonia_faults_total {self._faults}"]
            lines += ["# TYPE deep_pneumonia_queue_length gauge", f"deep_pneumonia_queue_length {queue_length}"]
        return "\n".join(lines) + "\n"

    def _line(self, **facts: str | int | float) -> None:
        self.write(json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **facts}))


def _place(error: BaseException) -> str:
    """File and line in which an error was raised, without its folder."""
    trace = error.__traceback__
    if trace is None:
        return "unknown"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
