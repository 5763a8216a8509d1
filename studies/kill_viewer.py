"""The viewer that `studies.kills` kills: it serves a shared work list, which a page in another process reviews."""

import json
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from deep_pneumonia.files import write_bytes
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.worklist.records import VERDICTS
from tests.guarded_viewer import guarded

WAIT_SECONDS = 120  # for an answer
SIZE = (96, 80)


def serve(folder: Path, predictor: Predictor, images: Sequence[Path]) -> int:
    """Serve the list in `folder` until a page has reviewed every image; returns the page's exit status.

    What the viewer confirmed to the page is a line in told.txt, which the page writes even if the viewer is killed.
    """
    (folder / "address.txt").unlink(missing_ok=True)
    page = os.fork()  # before the viewer has threads
    if not page:
        os._exit(_page(folder, len(images)))
    with guarded(predictor, folder / "served", workspace=folder / "list") as served:
        write_bytes(served.address.encode(), folder / "address.txt")
        return os.waitstatus_to_exitcode(os.waitpid(page, 0)[1])


def _page(folder: Path, count: int) -> int:
    """Load the page, then give every case a verdict and a mask; 1 if the viewer goes away."""
    viewer, place = os.getppid(), folder / "address.txt"
    while not place.exists():
        if os.getppid() != viewer:
            return 1
        time.sleep(0.05)
    try:
        with httpx.Client(base_url=place.read_text(), timeout=WAIT_SECONDS, trust_env=False) as client:
            component = _load(client)
            with (folder / "told.txt").open("a") as told:
                for number in range(1, count + 1):
                    for what, facts in (("verdict", _verdict(number)), ("mask", _mask(number))):
                        _ask(client, component, {"id": number, **facts})
                        print(what, number, file=told, flush=True)
    except (httpx.HTTPError, EOFError):
        return 1
    return 0


def _load(client: httpx.Client) -> int:
    """The number of the Review screen in the page; the client gets the page's token."""
    page = client.get("/").text
    token = re.search(r'name="page-token" content="([^"]+)"', page)
    config = re.search(r"window\.gradio_config = (\{.*?\});</script>", page, re.DOTALL)
    if not (token and config):
        raise EOFError
    client.headers["X-Page-Token"] = token[1]
    found = next(c for c in json.loads(config[1])["components"] if c["props"].get("elem_id") == "review")
    return int(found["id"])


def _ask(client: httpx.Client, component: int, request: dict[str, Any]) -> None:
    body = {"session_hash": "page", "component_id": component, "fn_name": "asked", "data": {"token": None, **request}}
    answer = client.post("/gradio_api/component_server", json=body).raise_for_status().json()
    if "row" not in answer:  # with a conflict too, where the run before was killed before it could answer
        raise EOFError


def _verdict(number: int) -> dict[str, Any]:
    return {"what": "judge", "version": 0, "reviewer": "Ana", "verdict": VERDICTS[number % 4], "comment": f"{number}"}


def _mask(number: int) -> dict[str, Any]:
    """A band of rows, as run lengths."""
    height, width = SIZE
    counts = [width * number, width * 10, width * (height - 10 - number)]
    change = {"version": 0, "reader": "Ana", "kind": "pixel", "counts": counts, "size": list(SIZE)}
    return {"what": "draw", "author": "Ana", "changes": [change]}
