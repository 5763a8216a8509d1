"""Events of one page are answered in their order; a slow file of one page keeps no other page waiting."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deep_pneumonia.errors import LimitError
from deep_pneumonia.limits import MAX_DECODERS, MAX_PAGE_EVENTS
from deep_pneumonia.radiographs.radiograph import Radiograph
from deep_pneumonia.viewer import opened_case
from deep_pneumonia.viewer.guard.turns import Turns
from tests.guarded_viewer import API, WAIT_SECONDS, Served, Visit, filedata


class Line:
    """Events that hold their turn until they are let go, and what happened in which order."""

    def __init__(self) -> None:
        self.turns, self.log, self.gates = Turns(), [], {}  # type: ignore[var-annotated]

    def event(self, page: str, name: str) -> "asyncio.Task[None]":
        self.gates[name] = asyncio.Event()
        return asyncio.create_task(self._answer(page, name))

    async def _answer(self, page: str, name: str) -> None:
        async with self.turns.turn(page):
            self.log.append(f"{name} begins")
            await self.gates[name].wait()
        await asyncio.sleep(0)  # Gradio sends the answer after the turn
        self.log.append(f"{name} sent")

    async def rest(self) -> None:
        """Let every task go as far as it can."""
        for _ in range(20):
            await asyncio.sleep(0)


def test_an_event_begins_when_the_answer_to_the_one_before_is_sent() -> None:
    async def play() -> list[str]:
        line = Line()
        tasks = [line.event("a", name) for name in ("1", "2")]
        await line.rest()
        line.gates["2"].set()
        await line.rest()
        assert line.log == ["1 begins"]
        line.gates["1"].set()
        await asyncio.gather(*tasks)
        return line.log

    assert asyncio.run(play()) == ["1 begins", "1 sent", "2 begins", "2 sent"]


def test_another_page_does_not_wait() -> None:
    async def play() -> list[str]:
        line = Line()
        slow, quick = line.event("a", "slow"), line.event("b", "quick")
        line.gates["quick"].set()
        await quick
        assert not slow.done()
        line.gates["slow"].set()
        await slow
        return line.log

    assert asyncio.run(play()) == ["slow begins", "quick begins", "quick sent", "slow sent"]


def test_an_event_given_up_while_it_waits_keeps_the_order() -> None:
    async def play() -> list[str]:
        line = Line()
        tasks = [line.event("a", name) for name in ("1", "2", "3")]
        await line.rest()
        tasks[1].cancel()
        line.gates["3"].set()
        await line.rest()
        assert line.log == ["1 begins"]
        line.gates["1"].set()
        await asyncio.gather(*tasks, return_exceptions=True)
        return line.log

    assert asyncio.run(play()) == ["1 begins", "1 sent", "3 begins", "3 sent"]


def test_as_many_pages_are_answered_at_once_as_there_are_decoders() -> None:
    async def play() -> None:
        line = Line()
        names = [str(i) for i in range(MAX_DECODERS + 2)]
        tasks = [line.event(name, name) for name in names]
        await line.rest()
        assert len(line.log) == MAX_DECODERS
        for name in names:
            line.gates[name].set()
        await asyncio.gather(*tasks)
        assert len(line.log) == 2 * len(names)

    asyncio.run(play())


def test_a_page_with_too_many_unanswered_events_is_told() -> None:
    async def play() -> None:
        line = Line()
        tasks = [line.event("a", str(i)) for i in range(MAX_PAGE_EVENTS)]
        await line.rest()
        with pytest.raises(LimitError, match=f"^{MAX_PAGE_EVENTS} requests of this page are not answered yet"):
            await line.event("a", "more")
        for gate in line.gates.values():
            gate.set()
        await asyncio.gather(*tasks)
        line.event("a", "later")
        line.gates["later"].set()
        await line.rest()
        assert line.log[-1] == "later sent"
        assert not line.turns._unanswered, "nothing is kept of a page without unanswered events"

    asyncio.run(play())


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Files called slow... are decoded once this is set."""
    gate, decode = threading.Event(), opened_case.decode_apart

    def slowed(file: str | Path) -> Radiograph:
        assert not Path(file).name.startswith("slow") or gate.wait(WAIT_SECONDS)
        return decode(file)

    monkeypatch.setattr(opened_case, "decode_apart", slowed)
    yield gate
    gate.set()


def joined(page: Visit, session: str, event: str, data: list[Any], event_data: Any = None) -> None:
    """Send an event of the page, such as "upload" of the button to choose another radiograph."""
    config = re.search(r"window\.gradio_config = (\{.*?\});</script>", page.client.get("/").text, re.DOTALL)
    assert config
    stated = json.loads(config[1])
    ids = {c["props"].get("elem_id"): c["id"] for c in stated["components"]}
    target = [ids[{"upload": "another", "select": "cases"}[event]], event]
    number = next(d["id"] for d in stated["dependencies"] if target in d["targets"])
    body = {"data": data, "fn_index": number, "session_hash": session, "event_data": event_data}
    assert page.client.post(f"{API}/queue/join", json=body).status_code == 200


def answers(page: Visit, session: str, count: int) -> Iterator[str]:
    """The answers to a page's events, in the order in which they arrive."""
    with page.client.stream("GET", f"{API}/queue/data", params={"session_hash": session}) as lines:
        for line in lines.iter_lines():
            if '"process_completed"' in line:
                assert '"success":true' in line
                yield line
                count -= 1
            if not count:
                return


def test_a_slow_file_holds_up_its_own_page_alone(served: Served, radiograph: bytes, gate: threading.Event) -> None:
    slow, other = served.page(), served.page()

    def upload(page: Visit, name: str) -> dict[str, Any]:
        sent = page.client.post(f"{API}/upload", files={"files": (name, radiograph)})
        return filedata(sent.json()[0])

    joined(slow, "a", "upload", [[upload(slow, "slow.png")]])
    joined(slow, "a", "select", [], {"index": 1, "value": None})
    joined(other, "b", "upload", [[upload(other, "quick.png")]])
    (quick,) = answers(other, "b", 1)
    assert "quick.png" in quick
    assert not gate.is_set()
    gate.set()
    first, second = answers(slow, "a", 2)
    assert "slow.png" in first
    assert "slow.png" not in second
