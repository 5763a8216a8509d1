"""The Quiz screen: mark the lesion, choose the class, then see what the doctors and the model marked."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import gradio as gr
import numpy as np
from PIL import Image

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import load_cases
from deep_pneumonia.errors import AnnotationError, DeepPneumoniaError
from deep_pneumonia.files import sha256
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.names import distinct
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import Radiograph, decode
from deep_pneumonia.viewer.element import scripted
from deep_pneumonia.viewer.gpu import on_gpu
from deep_pneumonia.viewer.guard.turns import PAGE_QUEUE
from deep_pneumonia.viewer.opened_case import Case, Opened, drawn
from deep_pneumonia.viewer.scene import picture
from deep_pneumonia.viewer.stage import Stage
from deep_pneumonia.viewer.teach.quiz_answer import answered
from deep_pneumonia.viewer.teach.quiz_cases import Deck, Decks, QuizCase, deck, find, taught

MARK, MARK_COLOUR = "Your mark", "#FF8AD8"  # unlike the colours of doctors and of the attention
THUMBNAIL_SIDE = 96  # pixels
EVENTS = ("begin", "choose", "ask", "reveal")
# The script draws the screen, and its events carry a request to the server.
MOUNTING = """
const events = ["begin", "choose", "ask", "reveal"];
const send = (event) => events.includes(event) && trigger(event);
mount(element.querySelector(".quiz"), document.querySelector("#quiz-deck .quiz-deck"), send);
"""
# JavaScript for the page's token of its workspace, under the key of static/storage.js.
PAGE_KEY = 'sessionStorage.getItem("deep-pneumonia/desk") ?? ""'
KEY_AND_REQUEST = f"() => [{PAGE_KEY}, window.deepPneumonia.quiz.request]"
TELL_ANSWER = "(answer) => window.deepPneumonia.quiz.answered(answer)"


class Quiz:
    """The screen's columns, laid out inside the current Blocks.

    decks: returns the cases of the workspace that a page's token opens; None if there are no workspaces.
    """

    def __init__(
        self, predictor: Predictor, stage: Stage, left: gr.Column, right: gr.Column,
        *, decks: Decks | None = None,
    ) -> None:  # fmt: skip
        self.predictor, self.stage, self.own = predictor, stage, decks
        self.predict = on_gpu(predictor.predict)
        self.teaching = self._deck("teaching", "Teaching cases", taught(load_cases(shipped.CASES)))
        with left:
            gr.HTML('<div class="quiz-deck"></div>', elem_id="quiz-deck")
        with right:
            self.html = scripted(
                '<section class="quiz" aria-label="Quiz"></section>', "teach/quiz.js", MOUNTING, elem_id="quiz"
            )
            # Filled by the page with each call, and the answers to it; never shown.
            self.token = gr.Textbox(visible=False)
            self.request = gr.JSON(label="Question", visible=False)
            self.answers = {event: gr.JSON(label=event, visible=False) for event in EVENTS}
        self._listen()

    def _listen(self) -> None:
        both, latest = [self.token, self.request], {"trigger_mode": "always_last"}
        self._on("begin", self.begin, [self.token], [], js=f"() => [{PAGE_KEY}]", **latest)
        self._on("choose", self.choose, [self.token], [], js=f"() => [{PAGE_KEY}]", **latest)
        self._on("ask", self.ask, both, [self.stage.html], js=KEY_AND_REQUEST, **latest)
        self._on("reveal", self.reveal, both, [self.stage.html], js=KEY_AND_REQUEST, **PAGE_QUEUE)

    def _on(self, event: str, function: Callable[..., Any], inputs: Any, outputs: list[Any], **options: Any) -> None:
        answer = self.answers[event]
        listen = getattr(self.html, event)
        options |= {"show_progress": "hidden", "api_visibility": "private"}
        listen(function, inputs, [*outputs, answer], **options).then(None, answer, None, js=TELL_ANSWER)

    def begin(self, token: str) -> dict[str, Any]:
        """The cases and the possible answers, without anything that tells which answer is right."""
        problem = None
        try:
            decks = self.decks(token)
        except DeepPneumoniaError as error:
            decks, problem = [self.teaching], str(error)
        shown = [
            {
                "key": one.key, "name": one.name, "answers": list(one.answers),
                "cases": [{"id": c.id, "difficulty": c.difficulty} for c in one.cases],
            }
            for one in decks
        ]  # fmt: skip
        return {"event": "begin", "decks": shown, "problem": problem}

    def choose(self, token: str) -> dict[str, Any]:
        """The cases by name, for a teacher who makes a list of them."""
        try:
            decks = self.decks(token)
        except DeepPneumoniaError as error:
            return {"event": "choose", "problem": str(error)}
        cases = [
            {
                "id": c.id, "title": c.title or c.image.name, "deck": one.name,
                "about": ", ".join(filter(None, (c.label, c.difficulty))),
                "picture": _thumbnail(c.image) if one is self.teaching else None,
            }
            for one in decks for c in one.cases
        ]  # fmt: skip
        return {"event": "choose", "cases": cases}

    def ask(self, token: str, request: Any) -> tuple[Any, dict[str, Any]]:
        """The radiograph of a case for the stage, without anything that would give the answer away."""
        try:
            asked = _request(request)
            _, case = find(self.decks(token), asked.get("id"))
            found = self._scene(Opened(_name(asked), decode(case.image), ()), case)
        except DeepPneumoniaError as error:
            return gr.skip(), {"event": "ask", "problem": str(error)}
        found["mark"] = {"reader": MARK, "colour": MARK_COLOUR}
        return found, {"event": "ask", "id": case.id}

    def reveal(self, token: str, request: Any) -> tuple[Any, dict[str, Any]]:
        """The doctors' masks, the learner's mark and the attention for the stage, and the scores between them."""
        try:
            asked = _request(request)
            one, case = find(self.decks(token), asked.get("id"))
            chosen = _chosen(asked, one)
            radiograph = decode(case.image)
            mark = _mark(asked.get("drawings"), radiograph)
            doctors = _named(case.annotations(radiograph.size))
            prediction = self.predict(radiograph)
        except DeepPneumoniaError as error:
            return gr.skip(), {"event": "reveal", "problem": str(error)}
        masks = (*doctors, *([] if mark.is_empty else [mark]))
        found = self._scene(Case(_name(asked), radiograph, masks, prediction), case)
        if not mark.is_empty:
            found["masks"][-1]["colour"] = MARK_COLOUR
        threshold = self.predictor.checkpoint.thresholds.attention
        said = answered(one, case, chosen, mark, doctors, prediction, threshold)
        return {**found, "locked": True}, {"event": "reveal", **said}

    def decks(self, token: str) -> list[Deck]:
        """The teaching cases, and those of the visitor's workspace if it has any."""
        own = self._deck("own", "Your workspace", self.own(token or "") if self.own else ())
        return [self.teaching, own] if own.cases else [self.teaching]

    def _deck(self, key: str, name: str, cases: Sequence[QuizCase]) -> Deck:
        checkpoint = self.predictor.checkpoint
        return deck(key, name, cases, checkpoint.classes, checkpoint.normal)

    def _scene(self, case: Opened, asked: QuizCase) -> dict[str, Any]:
        """A scene of this screen only: drawings in it are not annotations, and a reload opens no file for it."""
        found = picture(case, self.predictor.checkpoint.thresholds.attention)
        key = f"quiz/{sha256(asked.image)}"
        return {**found, "key": key, "place": None, "files": None, "screen": "quiz", "case": asked.id}


def _request(request: Any) -> Mapping[str, Any]:
    return request if isinstance(request, dict) else {}


def _name(asked: Mapping[str, Any]) -> str:
    """What the case is called until it is revealed."""
    number, total = (n if isinstance(n := asked.get(key), int) else 1 for key in ("number", "total"))
    return f"Case {number} of {total}"


def _chosen(asked: Mapping[str, Any], one: Deck) -> tuple[str, float]:
    """The learner's answer and confidence.

    Raises:
        DeepPneumoniaError: the answer is not among the choices, or the confidence is below that of a guess or above 1.
    """
    answer, confidence = asked.get("answer"), asked.get("confidence")
    if answer not in one.answers:
        raise DeepPneumoniaError(f"{str(answer)[:40]} is not an answer here; choose one of {', '.join(one.answers)}.")
    guess = 1 / len(one.answers)
    if not isinstance(confidence, int | float) or not guess - 0.01 <= confidence <= 1:
        raise DeepPneumoniaError(f"The confidence is {str(confidence)[:40]}; choose from {guess:.2f} (a guess) to 1.")
    return cast(str, answer), float(confidence)


def _mark(drawings: Any, radiograph: Radiograph) -> Annotation:
    """The learner's mask; empty if nothing was drawn.

    Raises:
        AnnotationError: the drawing is malformed, or there are several.
    """
    if not drawings:
        return Annotation(np.zeros(radiograph.size, bool), MARK, "pixel")
    if not isinstance(drawings, list) or len(drawings) > 1:
        raise AnnotationError("A learner has one drawing; send a list of one, or [] if nothing was drawn.")
    return Annotation(drawn(drawings[0], radiograph.size).mask, MARK, "pixel")


def _named(doctors: Sequence[Annotation]) -> list[Annotation]:
    """The doctors' masks, renamed where needed so that no two readers, the learner included, share a name."""
    names = distinct([MARK, *(d.reader for d in doctors)])[1:]
    return [Annotation(d.mask, name, d.kind) for d, name in zip(doctors, names, strict=True)]


@cache
def _thumbnail(image: Path) -> str:
    """A thumbnail as a data URL."""
    with Image.open(image) as picture:
        picture.load()
        picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        data = io.BytesIO()
        picture.convert("L").save(data, format="JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"
