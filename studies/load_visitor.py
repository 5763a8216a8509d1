"""A visitor for `studies.load`: what it sends, and what the right answer is."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx
import numpy as np
from PIL import Image

from studies.fuzz_child import sentence_problem
from studies.fuzz_json import RADIOGRAPH, SIZE
from studies.fuzz_kinds import KINDS
from studies.fuzz_pictures import picture, saved

ACTIONS = (
    "radiograph", "radiograph", "radiograph with mask", "damaged radiograph", "damaged mask", "drawing", "comparison",
    "page", "work list", "verdict", "own file", "another's file",
)  # fmt: skip
FORMS = (".png", ".jpg", ".tif", ".bmp")
DAMAGED = ("picture", "TIFF", "DICOM")
DAMAGED_MASKS = ("mask picture", "DICOM SEG", "COCO, LabelMe")
SECONDS = 600  # to wait for an answer
BUSY = 503


class Failed(Exception):  # noqa: N818 (an answer that is wrong, not a fault of this program)
    """An answer is not the right one."""


@dataclass(frozen=True)
class Film:
    """A radiograph with a mask, and what the endpoint must answer for both."""

    path: Path
    mask: Path
    answer: dict[str, Any]


class Films:
    """The radiographs that all visitors choose from, predicted once in this process."""

    def __init__(self, checkpoint: str, folder: Path) -> None:
        from deep_pneumonia.masks.annotation import write_mask
        from deep_pneumonia.prediction.predictor import Predictor
        from deep_pneumonia.viewer.opened_case import open_case

        predictor = Predictor.load(checkpoint, "cpu")
        self.all: list[Film] = []
        self.small = saved(picture(Random(0), SIZE, "L"), "PNG")  # the radiograph of the damaged masks
        for number in range(8):
            height, width = 200 + 8 * number, 160 + 16 * number
            y, x = np.mgrid[:height, :width] / (height, width)[0]
            grey = 0.5 + 0.4 * np.sin((3 + number) * x) * np.cos((2 + number) * y)
            path = folder / f"film-{number}{FORMS[number % len(FORMS)]}"
            Image.fromarray((grey * 255).astype(np.uint8)).save(path)
            mask = folder / f"reader-{number}.png"
            write_mask((x - 0.4) ** 2 + (y - 0.1 * number) ** 2 < 0.04, mask)
            case = open_case(predictor.predict, str(path), [str(mask)])
            self.all.append(Film(path, mask, case.prediction.to_json("")))


class Visitor:
    """One page or program: it has a token of its own, a name, and files that no other visitor has."""

    def __init__(self, number: int, address: str, films: Films, random: Random) -> None:
        self.number, self.films, self.random = number, films, random
        self.list_token, self.session = secrets.token_hex(16), secrets.token_hex(8)
        self.others: list[Visitor] = []
        self.uploaded = ""
        self.client = httpx.Client(base_url=address, timeout=SECONDS)
        page = self.client.get("/").text
        token = re.search(r'<meta name="page-token"[^>]*content="([^"]*)"', page)
        if token:
            self.client.headers["X-Page-Token"] = token[1]
        components = self.client.get("/config").json()["components"]
        self.review = next(c["id"] for c in components if c["props"].get("elem_id") == "review")

    def act(self, action: str) -> str:
        """Do it; "right", "refused" (with a sentence) or "busy".

        Raises:
            Failed: the answer is wrong.
        """
        film = self.random.choice(self.films.all)
        match action:
            case "radiograph":
                return self._predicted(film, [])
            case "radiograph with mask":
                return self._predicted(film, [self._upload(film.mask.read_bytes(), film.mask.name)])
            case "damaged radiograph":
                kind = self.random.choice(DAMAGED)
                data = KINDS[kind].make(self.random) or b"x"
                return self._any(self._call("predict", self._upload(data, f"damaged-{self.number}.img"), []))
            case "damaged mask":
                kind = self.random.choice(DAMAGED_MASKS)
                data = KINDS[kind].make(self.random) or b"x"
                mask = self._upload(data, "mask" + KINDS[kind].suffix)
                return self._any(self._call("predict", self._upload(self.films.small, RADIOGRAPH), [mask]))
            case "drawing":
                return self._drawn(film)
            case "comparison":
                given = (self._own(film), [], "attention", "random", None)
                return self._own_answer(self._call("compare", *given), film)
            case "page":
                return _required("deep-pneumonia" in self.client.get("/").text.lower(), "the page is served")
            case "work list":
                return self._listed()
            case "verdict":
                return self._judged()
            case "own file":
                self._upload(film.path.read_bytes(), film.path.name)
                found = self.client.get(f"/gradio_api/file={self.uploaded}")
                return _required(
                    found.status_code == 200 and found.content == film.path.read_bytes(), "own file is given"
                )
        return self._stolen()

    def _own(self, film: Film) -> dict[str, Any]:
        return self._upload(film.path.read_bytes(), f"visitor-{self.number}{film.path.suffix}")

    def _upload(self, data: bytes, name: str) -> dict[str, Any]:
        found = self.client.post("/gradio_api/upload", files={"files": (name, data)})
        if found.status_code != 200:
            raise Failed(f"an upload got {found.status_code}: {found.text[:200]}")
        self.uploaded = found.json()[0]
        return {"path": self.uploaded, "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    def _call(self, endpoint: str, *given: object) -> Any:
        """The answer of an endpoint, the sentence of its refusal, or None if it is busy."""
        joined = self.client.post(f"/gradio_api/call/{endpoint}", json={"data": given})
        if joined.status_code == BUSY:
            if wrong := sentence_problem(joined.json()["detail"]):
                raise Failed(f"busy is said without a sentence ({wrong}): {joined.text[:200]}")
            return None
        if joined.status_code != 200:
            raise Failed(f"a call got {joined.status_code}: {joined.text[:200]}")
        event = ""
        with self.client.stream("GET", f"/gradio_api/call/{endpoint}/{joined.json()['event_id']}") as stream:
            for line in stream.iter_lines():
                event = line.removeprefix("event: ") if line.startswith("event: ") else event
                if line.startswith("data: ") and event in ("complete", "error"):
                    data = json.loads(line.removeprefix("data: "))
                    return data[0] if event == "complete" else str(data["error"] if isinstance(data, dict) else data)
        raise Failed("a call ended without an answer")

    def _any(self, answer: Any) -> str:
        """An answer to a file that may be accepted or refused."""
        if answer is None:
            return "busy"
        if isinstance(answer, str):
            if wrong := sentence_problem(answer):
                raise Failed(f"{wrong}: {answer}")
            return "refused"
        return _required(abs(sum(answer["probabilities"].values()) - 1) < 1e-3, "probabilities sum to one")

    def _own_answer(self, answer: Any, film: Film) -> str:
        if answer is None:
            return "busy"
        own = isinstance(answer, dict) and answer["file"] == f"visitor-{self.number}{film.path.suffix}"
        return _required(own, f"the answer is about this visitor's file, got {str(answer)[:100]}")

    def _predicted(self, film: Film, masks: list[dict[str, Any]]) -> str:
        answer = self._call("predict", self._own(film), masks)
        if (said := self._own_answer(answer, film)) == "busy":
            return said
        wanted = film.answer["agreement"] if masks else []
        _required(alike(answer["probabilities"], film.answer["probabilities"]), "the probabilities are this film's")
        return _required(alike(answer["agreement"], wanted), "the agreement is that of this film and mask")

    def _drawn(self, film: Film) -> str:
        height, width = film.answer["size"]
        drawing = {"reader": f"visitor {self.number}", "kind": "pixel", "counts": [0, height * width]}
        answer = self._call("agreement", self._own(film), [], [drawing])
        if (said := self._own_answer(answer, film)) == "busy":
            return said
        readers = [entry["reader"] for entry in answer["agreement"]]
        return _required(readers == [f"visitor {self.number}"], f"the reader is this visitor, got {readers}")

    def _asked(self, what: str, **facts: object) -> dict[str, Any]:
        """The answer to a request of the Review page."""
        request = {"what": what, "token": self.list_token, **facts}
        body = {"session_hash": self.session, "component_id": self.review, "fn_name": "asked", "data": request}
        found = self.client.post("/gradio_api/component_server", json=body)
        if found.status_code != 200:
            raise Failed(f"the work list got {found.status_code}: {found.text[:200]}")
        return found.json()

    def _rows(self) -> list[dict[str, Any]]:
        answer = self._asked("list")
        if "problem" in answer:
            raise Failed(answer["problem"])
        return json.loads(answer["rows"])

    def _listed(self) -> str:
        reviewers = {name for row in self._rows() for name in row["verdicts"]}
        return _required(reviewers <= {f"visitor {self.number}"}, f"the list is this visitor's, got {reviewers}")

    def _judged(self) -> str:
        reviewer, row = f"visitor {self.number}", self.random.choice(self._rows())
        version = row["verdicts"].get(reviewer, {}).get("version", 0)
        verdict = self.random.choice(("agree", "disagree", "unsure"))
        facts = {"id": row["id"], "version": version, "reviewer": reviewer, "verdict": verdict, "comment": ""}
        answer = self._asked("judge", **facts)
        kept = answer.get("row", {}).get("verdicts", {})
        return _required(set(kept) == {reviewer} and kept[reviewer]["verdict"] == verdict, f"kept: {str(answer)[:200]}")

    def _stolen(self) -> str:
        """Ask for the newest file of another visitor, which must not be given."""
        path = self.random.choice(self.others).uploaded
        found = self.client.get(f"/gradio_api/file={path}") if path else None
        return _required(found is None or found.status_code in (403, 404), f"no file of another is given: {path}")


def _required(condition: object, promise: str) -> str:
    if not condition:
        raise Failed(promise)
    return "right"


def alike(found: Any, wanted: Any) -> bool:
    """Whether JSON is equal but for the last digits of its numbers, as two processes may add in another order."""
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict)
            and found.keys() == wanted.keys()
            and all(alike(found[k], wanted[k]) for k in wanted)
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(alike, found, wanted))
    return abs(found - wanted) < 1e-3 if isinstance(wanted, float) else bool(found == wanted)
