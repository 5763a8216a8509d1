"""The six steps of the lesson as plain JSON for the page: text, the scenes of the stage, and one thing to try each.

{"step", "html", "scenes": [scene, ...], "display": of the stage, "widget": {"kind", ...}}; static/teach/ shows them.
The layout "preferred" is side by side where there is room. A step is computed once, when it is first opened.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import TeachingCase
from deep_pneumonia.masks.annotation import Annotation, read_mask
from deep_pneumonia.prediction.explanation import compare
from deep_pneumonia.prediction.predictor import Prediction, Predictor
from deep_pneumonia.radiographs.radiograph import Radiograph, decode
from deep_pneumonia.viewer.gpu import on_gpu
from deep_pneumonia.viewer.opened_case import Case
from deep_pneumonia.viewer.scene import picture
from deep_pneumonia.viewer.teach import lesson_results as results
from deep_pneumonia.viewer.teach import lesson_text as text
from deep_pneumonia.viewer.teach.lesson_facts import facts, frames, plain

Json = dict[str, Any]
TRUTH = "Truth"  # the reader whose mask is the simulated lesion itself
COMPARED_CASES = ("right-upper-lobe", "left-upper-lobe-line")  # an easy one, and one with a venous line
BARE_DISPLAY = {"layout": "overlay", "attention": False, "masks": False}
MARKED_DISPLAY = {"layout": "overlay", "attention": True, "masks": True}
BETAS = (0.0, 0.9, 0.99, 0.999, 0.9999)


class Steps:
    """What each step shows, by the predictions of one checkpoint and, if there is one, of a second."""

    def __init__(self, predictor: Predictor, other: Predictor | None, cases: Sequence[TeachingCase]) -> None:
        self.predictor, self.other, self.cases = predictor, other, cases
        self.predict = on_gpu(predictor.predict)
        self.compared = on_gpu(partial(compare, predictor=predictor, other=other))
        self.known: dict[int, Json] = {}
        self.made: tuple[Callable[[], Json], ...] = (
            self._making, self._attention, self._masks, self._rarity, self._cheating, self._calibration,
        )  # fmt: skip

    def page(self, step: int) -> Json:
        """One step, counted from 1; any other number gives the first.

        Raises:
            DeepPneumoniaError: a file of the lesson or of the shipped checkpoints cannot be read.
        """
        step = step if 1 <= step <= len(self.made) else 1
        if step not in self.known:
            self.known[step] = {"step": step, **self.made[step - 1]()}
        return self.known[step]

    @property
    def normal(self) -> str:
        """The name of the normal class."""
        return self.predictor.checkpoint.normal

    def _scene(self, name: str, radiograph: Radiograph, masks: Sequence[Annotation], prediction: Prediction) -> Json:
        """A scene that cannot be drawn on and has no file of a visitor behind it."""
        seen = picture(Case(name, radiograph, tuple(masks), prediction), self.predictor.checkpoint.thresholds.attention)
        return {**seen, "key": f"lesson/{name}", "place": None, "locked": True}

    def _frame(self, entry: Json, name: str) -> tuple[Json, Prediction]:
        """A picture of the severity series as a scene, and its prediction."""
        radiograph = decode(shipped.LESSON / entry["image"])
        mask = entry.get("mask")
        truth = read_mask(shipped.LESSON / mask, radiograph.size, reader=TRUTH) if mask else None
        prediction = self.predict(radiograph, [truth] if truth else [])
        return self._scene(name, radiograph, [truth] if truth else [], prediction), prediction

    def _making(self) -> Json:
        entries = frames()["frames"]
        made = [self._frame(entry, f"Severity {n} of {len(entries) - 1}") for n, entry in enumerate(entries)]
        predictions = [prediction for _, prediction in made]
        series = [
            {
                "finding": r.finding, "evidence": r.evidence, "shown": r.shows_map,
                "area": e["area"], "contrast": e["contrast"],
            }
            for e, r in zip(entries, predictions, strict=True)
        ]  # fmt: skip
        widget = {
            "kind": "severity", "series": series, "said": results.rises(predictions),
            "limit": self.predictor.checkpoint.thresholds.finding,
        }  # fmt: skip
        return {"html": text.making(), "scenes": [s for s, _ in made], "display": BARE_DISPLAY, "widget": widget}

    def _case(self, case: TeachingCase) -> tuple[Json, Prediction]:
        """A teaching case with its true mask as a scene, and its prediction."""
        radiograph = decode(case.image)
        masks = [a for a in case.annotations(radiograph.size) if a.reader == TRUTH]
        prediction = self.predict(radiograph, masks)
        return self._scene(case.title, radiograph, masks, prediction), prediction

    def _attention(self) -> Json:
        """The first ill case whose map is shown, and the first whose map is not."""
        found: dict[bool, tuple[Json, Prediction]] = {}
        for case in self.cases:
            if len(found) < 2 and case.label != self.normal:
                scene, prediction = self._case(case)
                found.setdefault(prediction.shows_map, (scene, prediction))
        names = {True: "Map shown", False: "No map shown"}
        chosen = [(names[shown], *found[shown]) for shown in (True, False) if shown in found]
        choices = [{"name": name, "html": results.agreement(prediction)} for name, _, prediction in chosen]
        cells = chosen[0][2].cells.shape
        return {
            "html": text.attention((cells[0], cells[1])), "scenes": [scene for _, scene, _ in chosen],
            "display": {**MARKED_DISPLAY, "layout": "preferred"}, "widget": {"kind": "choices", "choices": choices},
        }  # fmt: skip

    def _masks(self) -> Json:
        chosen = [c for c in self.cases if c.id in COMPARED_CASES]
        pair = ("attention", "attention_b" if self.other else "grad_cam")
        scenes, choices = [], []
        for case in chosen:
            scene, _ = self._case(case)
            radiograph = decode(case.image)
            masks = [a for a in case.annotations(radiograph.size) if a.reader == TRUTH]
            answer = self.compared(radiograph, masks, *pair).to_json(case.title)
            scenes.append(scene)
            choices.append({"name": case.title, "html": results.compared(answer), "comparison": answer})
        return {
            "html": text.masks(facts(), plain()), "scenes": scenes, "display": {**MARKED_DISPLAY, "layout": "side"},
            "widget": {"kind": "choices", "choices": choices},
        }  # fmt: skip

    def _rarity(self) -> Json:
        known = facts()
        rare = known.rarest_class
        widget = {"kind": "balance", "counts": known.counts, "rare": rare, "betas": BETAS, "beta": known.beta}
        scene, _ = self._frame(frames()["frames"][-1], "Severity, worst")
        return {"html": text.rarity(known, rare), "scenes": [scene], "display": BARE_DISPLAY, "widget": widget}

    def _cheating(self) -> Json:
        document = frames()
        pair = [document["frames"][document["lettered"]["of"]], document["lettered"]]
        (before, first), (after, second) = (
            self._frame(e, name) for e, name in zip(pair, ("Healthy", "Healthy, with letters"), strict=True)
        )
        changes = [(self.predictor.checkpoint.name, first, second)]
        if self.other:
            a, b = (on_gpu(self.other.predict)(decode(shipped.LESSON / e["image"])) for e in pair)
            changes.append((self.other.checkpoint.name, a, b))
        known = facts()
        choices = [
            {"name": name, "html": results.lettered(prediction, changes)}
            for name, prediction in (("Without letters", first), ("With letters", second))
        ]
        return {
            "html": text.cheating(known, known.rarest_class), "scenes": [before, after],
            "display": {**BARE_DISPLAY, "masks": True},
            "widget": {"kind": "choices", "choices": choices, "keep": True},
        }  # fmt: skip

    def _calibration(self) -> Json:
        case = self.cases[0]
        shown = [("A chest", *self._case(case)), *(self._blank(*one) for one in blanks())]
        choices = [
            {
                "name": name,
                "html": results.unknown(prediction, blank=place > 0),
                "probabilities": prediction.probabilities,
            }
            for place, (name, _, prediction) in enumerate(shown)
        ]
        return {
            "html": text.calibration(facts()), "scenes": [scene for _, scene, _ in shown],
            "display": {**MARKED_DISPLAY, "masks": False, "layout": "preferred"},
            "widget": {"kind": "calibration", "choices": choices, "temperature": self.predictor.checkpoint.temperature},
        }  # fmt: skip

    def _blank(self, name: str, radiograph: Radiograph) -> tuple[str, Json, Prediction]:
        prediction = self.predict(radiograph)
        return name, self._scene(name, radiograph, [], prediction), prediction


def blanks() -> list[tuple[str, Radiograph]]:
    """Two pictures without content: uniform grey, and noise."""
    grey = np.full((256, 256), 128, np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (256, 256), dtype=np.uint8)
    named = {"Nothing but grey": grey, "Nothing but noise": noise}
    return [(n, Radiograph((p / 255).astype(np.float32), None, "PNG", colour=0.0)) for n, p in named.items()]
