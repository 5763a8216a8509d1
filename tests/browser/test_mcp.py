"""The named endpoints as tools of a language model, by the MCP package's own client."""

import asyncio
import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer.opened_case import open_case, runs
from tests.browser.serving import served


@pytest.fixture(scope="module")
def tools_address(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the tools; what came within their calls is deleted when Ctrl-C ends the viewer."""
    folder = tmp_path_factory.mktemp("gradio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        with served(trained / "checkpoint", "--mcp") as address:
            yield f"{address}gradio_api/mcp/"
            assert [*folder.rglob("file.png")], "no call brought a file"
    assert [*folder.rglob("file.png")] == []


def called(address: str, *calls: tuple[str, dict[str, Any]]) -> tuple[dict[str, str], list[Any]]:
    """Names and descriptions of the tools, and the answer of each call: JSON, or the text of an error."""

    async def session() -> tuple[dict[str, str], list[Any]]:
        async with streamable_http_client(address) as (inward, outward, *_), ClientSession(inward, outward) as client:
            await client.initialize()
            tools = {t.name: t.description or "" for t in (await client.list_tools()).tools}
            answers = [await client.call_tool(name, given) for name, given in calls]
            texts = [(a.isError, a.content[0].text) for a in answers]
            return tools, [text if failed else json.loads(text) for failed, text in texts]

    # In a thread of its own: Playwright, whose browser other tests hold open, has a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, session()).result()


def url(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def test_a_model_finds_three_tools_reads_compares_and_is_told_what_is_wrong(
    tools_address: str, uploads: Path, trained: Path
) -> None:
    chest, mask = url(uploads / "chest.png"), url(uploads / "doctor_a.png")
    files = [str(uploads / "doctor_a.png")]
    case = open_case(Predictor.load(trained / "checkpoint", "cpu").predict, str(uploads / "chest.png"), files)
    drawing = {"reader": "me", "counts": runs(case.masks[0].mask)}
    tools, answers = called(
        tools_address,
        ("predict", {"file": chest, "masks": [mask]}),
        ("agree", {"file": chest, "drawings": [drawing]}),
        ("compare", {"file": chest, "a": "attention", "b": "random"}),
        ("predict", {"file": url(uploads / "notes.png")}),
    )
    assert set(tools) == {"predict", "agree", "compare"}
    assert all(len(about) > 40 for about in tools.values())
    assert [a["agreement"][0]["iou"] for a in answers[:2]] == pytest.approx(
        [case.prediction.agreement[0].scores.iou] * 2
    )
    assert answers[2]["b"]["key"] == "random"
    assert "is not a PNG" in answers[3]
