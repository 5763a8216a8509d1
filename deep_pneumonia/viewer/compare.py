"""The Compare screen: any two explanations of the radiograph, on the same scale and with the same scores."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import gradio as gr

from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.prediction.explanation import available, compare
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer import html
from deep_pneumonia.viewer.gpu import on_gpu
from deep_pneumonia.viewer.guard.turns import PAGE_QUEUE, PROGRAM_QUEUE
from deep_pneumonia.viewer.inspect import Inspect, answered, checked
from deep_pneumonia.viewer.opened_case import opened
from deep_pneumonia.viewer.stage import WITH_DRAWINGS, Stage

DEFAULT_KEYS = {"Left": "attention", "Right": "grad_cam"}
SHOW_ANSWER = "(answer) => window.deepPneumonia.compare(answer)"


class Compare:
    """Two choices and the scores of both, laid out inside the current Blocks."""

    def __init__(self, predictor: Predictor, other: Predictor | None, inspect: Inspect, stage: Stage) -> None:
        self.predictors = [predictor] if other is None else [predictor, other]
        self.inspect, self.stage = inspect, stage
        self.first = ("attention", "attention_b" if other else "grad_cam")
        gr.HTML(html.COMPARE + (html.UNGUIDED if other and _is_unguided(other) else ""))
        choices = self.choices(())
        self.a = gr.Dropdown(choices, value=self.first[0], label="Left", elem_id="compare-a")
        self.b = gr.Dropdown(choices, value=self.first[1], label="Right", elem_id="compare-b")
        self.problem = gr.HTML(elem_id="compare-problem")
        self.table = gr.HTML(elem_id="compared")
        self.answer = gr.JSON(label="Comparison", visible=False)
        # Inputs of programs: a drop-down would refuse the doctors of a case that no visitor has open.
        self.given = [gr.Textbox(key, label=side, visible=False) for side, key in DEFAULT_KEYS.items()]
        self.compared = on_gpu(partial(compare, predictor=predictor, other=other))

    def choices(self, masks: Sequence[Annotation]) -> list[tuple[str, str]]:
        """Name and key of every explanation that can be chosen with these masks."""
        return [(name, key) for key, name in available(self.predictors, masks)]

    def listen(self) -> None:
        """Compare again on every new choice, case or drawing while the screen is open."""
        inputs = [self.inspect.opening.shown, self.a, self.b]
        outputs = [self.a, self.b, self.answer, self.table, self.problem]
        options: dict[str, Any] = {"api_visibility": "private", "trigger_mode": "always_last", **PAGE_QUEUE}
        self.stage.on("comparing", self.show, inputs, outputs, show_progress="hidden", **options).success(
            None, self.answer, None, js=SHOW_ANSWER
        )
        chosen = {"fn": self.show, "inputs": [*inputs, self.stage.drawings], "outputs": outputs, "js": WITH_DRAWINGS}
        gr.on([self.a.input, self.b.input], show_progress_on=self.table, **chosen, **options).success(
            None, self.answer, None, js=SHOW_ANSWER
        )
        gr.on(
            [], self.compare, [*self.inspect.opening.given, *self.given, self.stage.drawings], self.answer,
            api_name="compare", **PROGRAM_QUEUE,
        )  # fmt: skip

    def show(self, shown: str | None, a: str, b: str, drawings: Any) -> dict[Any, Any]:
        """The changes of the screen for two chosen explanations of the case on the stage."""
        try:
            file = self.inspect.opening.mine(shown)
            if not file or drawings is None:
                return {self.table: "", self.answer: None}
            case = opened(file, (), drawings)
            choices = self.choices(case.masks)
            keys = {key for _, key in choices}
            asked = (a, b)
            a, b = (key if key in keys else first for key, first in zip(asked, self.first, strict=True))
            answer = self.compared(case.radiograph, case.masks, a, b).to_json(case.name)
        except DeepPneumoniaError as error:
            return {self.problem: html.refusal(str(error))}
        # A value that was asked for is not sent back: by now the visitor may have chosen another.
        values = [{} if key == old else {"value": key} for key, old in zip((a, b), asked, strict=True)]
        chosen = {
            part: gr.update(choices=choices, **value) for part, value in zip((self.a, self.b), values, strict=True)
        }
        return {**chosen, self.answer: answer, self.table: html.comparison(answer), self.problem: ""}

    def compare(
        self, file: Any, masks: list[str] | None = None, a: str = "attention", b: str = "grad_cam", drawings: Any = None
    ) -> dict[str, Any]:
        """Compare two explanations of a chest radiograph: their maps, agreement with masks, and how alike they are.

        Args:
            file: the radiograph.
            masks: mask files; ignored if drawings are given.
            a: attention, grad_cam, random or doctor:NAME; with a second checkpoint also attention_b or grad_cam_b.
            b: the explanation to compare it with.
            drawings: a list of {"reader": name, "kind": "pixel", "counts": run lengths of 0 and 1 in row order}.
        """

        def answer() -> dict[str, Any]:
            case = opened(*self.inspect.opened(file, masks), checked(drawings))
            return self.compared(case.radiograph, case.masks, a, b).to_json(case.name)

        return answered(answer)


def _is_unguided(predictor: Predictor) -> bool:
    """Whether the checkpoint was trained without doctors' masks."""
    options = predictor.checkpoint.training.get("options", {})
    return all(options.get(name) == 0 for name in ("attention_weight", "hard_probability", "regulation_weight"))
