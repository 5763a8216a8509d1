"""The lesson without a browser: figures are measured, predictions the network's, formulas those of training."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import TeachingCase
from deep_pneumonia.masks.annotation import read_mask
from deep_pneumonia.prediction.cautions import Caution
from deep_pneumonia.prediction.explanation import compare
from deep_pneumonia.prediction.predictor import Prediction, Predictor
from deep_pneumonia.radiographs.radiograph import decode
from deep_pneumonia.training.losses import class_balanced_weights
from deep_pneumonia.viewer.opened_case import runs
from deep_pneumonia.viewer.opening import Opening
from deep_pneumonia.viewer.teach import lesson_facts, lesson_steps
from deep_pneumonia.viewer.teach import lesson_results as results
from deep_pneumonia.viewer.teach import lesson_text as text
from deep_pneumonia.viewer.teach.lesson import Lesson, contents
from deep_pneumonia.viewer.teach.lesson_facts import facts, frames
from deep_pneumonia.viewer.teach.lesson_steps import Steps, blanks
from tests.blocks import inside
from tests.javascript import answers

MAX_WORDS = 125
SOURCES = ("nih", "kermany", "covid")
WEAK = (Caution("unlikely_finding", "Weak."),)


@pytest.fixture(scope="module")
def prediction(predictor: Predictor) -> Prediction:
    return predictor.predict(decode(shipped.LESSON / "severity-0.png"))


def read(html: str) -> str:
    """What a person reads."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)))


def metrics(folder: Path) -> Any:
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("step", range(1, 7))
def test_every_step_is_short_plain_json_with_scenes_that_nobody_draws_on(steps: Steps, step: int) -> None:
    page = json.loads(json.dumps(steps.page(step), allow_nan=False))
    assert page["step"] == step
    assert 60 < len(read(page["html"]).split()) <= MAX_WORDS
    assert page["scenes"]
    for scene in page["scenes"]:
        assert scene["locked"] is True
        assert scene["key"].startswith("lesson/")
        assert "files" not in scene
    assert len({scene["key"] for scene in page["scenes"]}) == len(page["scenes"])
    choices = page["widget"].get("choices")
    assert choices is None or len(choices) == len(page["scenes"])
    assert steps.page(step) is steps.page(step)


@pytest.mark.parametrize("step", [-1, 0, 7, 10**9])
def test_a_number_that_is_no_step_opens_the_first(steps: Steps, step: int) -> None:
    assert steps.page(step)["step"] == 1


def test_the_severity_series_is_what_the_network_reads_in_the_shipped_frames(
    steps: Steps, predictor: Predictor
) -> None:
    page = steps.page(1)
    entries = frames()["frames"]
    series = page["widget"]["series"]
    assert len(page["scenes"]) == len(entries) == len(series) == 8
    assert [(one["area"], one["contrast"]) for one in series] == [(e["area"], e["contrast"]) for e in entries]
    for place in (0, 4, 7):
        found = predictor.predict(decode(shipped.LESSON / entries[place]["image"]))
        assert series[place]["evidence"] == pytest.approx(found.evidence)
        assert series[place]["finding"] == pytest.approx(found.finding)
    last = read_mask(shipped.LESSON / entries[-1]["mask"], (512, 512)).mask
    assert page["scenes"][-1]["masks"] == [{"reader": "Truth", "kind": "pixel", "counts": runs(last)}]
    assert page["scenes"][0]["masks"] == []


def test_what_is_said_of_the_series_follows_from_it(prediction: Prediction) -> None:
    weak = replace(prediction, finding=0.1, evidence=0.2, warnings=WEAK)
    strong = replace(prediction, finding=0.75, evidence=0.8, warnings=())
    said = results.rises([weak, weak, strong])
    assert "from 10% to 75%" in said
    assert "from 0.20 to 0.80" in said
    assert "from severity 2 on" in said
    assert "at no severity" in results.rises([weak, weak])
    assert "at every severity" in results.rises([strong, strong])


def test_letters_are_judged_by_how_far_they_move_the_prediction(prediction: Prediction) -> None:
    before = replace(prediction, predicted="a", probabilities={"a": 0.6, "b": 0.4}, evidence=0.5)
    same = replace(before, probabilities={"a": 0.61, "b": 0.39})
    other = replace(before, predicted="b", probabilities={"a": 0.3, "b": 0.7}, evidence=0.6)
    assert "hardly moves" in results.moved("net", before, same)
    said = results.moved("<net>", before, other)
    assert "&lt;net&gt; moves" in said
    assert "60.0% to 30.0%; the predicted class changes" in said
    assert "0.50 to 0.60" in said
    assert "not a shortcut here" in results.lettered(same, [("net", before, same)])
    assert "Look for such marks" in results.lettered(same, [("net", before, same), ("net", before, other)])


def test_the_pair_differs_by_its_letters_and_both_networks_read_it(steps: Steps, predictor: Predictor) -> None:
    page = steps.page(5)
    first, second = (
        predictor.predict(decode(shipped.LESSON / n)) for n in ("severity-0.png", "severity-0-letters.png")
    )
    for choice in page["widget"]["choices"]:
        assert choice["html"].count(results.moved(predictor.checkpoint.name, first, second)) == 2
    assert page["scenes"][0]["pixels"] != page["scenes"][1]["pixels"]


def test_the_figures_of_both_checkpoints_are_those_of_their_evaluation() -> None:
    said = read(text.masks(facts(), facts(shipped.PLAIN_CHECKPOINT)))
    for folder in (shipped.CHECKPOINT, shipped.PLAIN_CHECKPOINT):
        found = metrics(folder)
        hit = found["localisation"]["nih"]["attention"]["hit_rate"]
        area = found["classification"]["nih"]["auroc_abnormal"]
        assert f"{hit['value']:.0%} ({hit['low']:.0%} to {hit['high']:.0%})" in said
        assert f"{area['value']:.2f} ({area['low']:.2f} to {area['high']:.2f})" in said
        assert found["checkpoint"]["name"] in said
    assert "do not overlap" in said
    assert "overlap, so this remains open" in said


def test_the_class_follows_the_source_in_the_figures_themselves() -> None:
    known = facts()
    said = read(text.cheating(known, "Lung opacity"))
    for source in SOURCES:
        confusion = metrics(shipped.CHECKPOINT)["classification"][source]["confusion"]
        column = confusion["classes"].index("Lung opacity")
        named = sum(row[column] for row in confusion["matrix"])
        assert f"{named} of {sum(map(sum, confusion['matrix']))} images from" in said
    assert known.largest_source("Lung opacity") == ("nih", known.counts["Lung opacity"])


def test_calibration_and_rarity_quote_the_checkpoint() -> None:
    known = facts()
    said = read(text.calibration(known))
    assert f"temperature {known.model['temperature']:.2f}" in said
    for source in SOURCES:
        found = metrics(shipped.CHECKPOINT)["classification"][source]["ece"]
        assert f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})" in said
    rare = read(text.rarity(known, "Lung opacity"))
    assert f"{known.counts['Lung opacity']:,} of Lung opacity" in rare
    assert f"\u03b2 = {known.model['training']['options']['beta']}" in rare
    assert str(known.repeats) in rare


def test_a_picture_without_a_chest_is_refused_and_without_a_gate_answered() -> None:
    whole = Predictor.load(shipped.CHECKPOINT, "cpu")
    ungated = Predictor(replace(whole.checkpoint, gate=None), whole.device)
    (_, grey), (_, noise) = blanks()
    for picture in (grey, noise):
        assert "<b>Rejected.</b>" in results.unknown(whole.predict(picture), blank=True)
    assert "This picture is blank" in results.unknown(ungated.predict(grey), blank=True)  # a plain check, not the gate
    answered = ungated.predict(noise)
    silent = replace(answered, warnings=(Caution("unlikely_finding", "So no map is shown."),))
    assert results.unknown(silent, blank=True).endswith("So no map is shown.</p>")
    said = results.unknown(answered, blank=True)
    assert "high enough for a map" in said
    assert "no chest" in said
    assert np.array_equal(blanks()[1][1].pixels, noise.pixels)


def test_two_checkpoints_are_compared_and_with_one_its_attention_and_grad_cam(
    predictor: Predictor, cases: list[TeachingCase], steps: Steps
) -> None:
    for choice in steps.page(3)["widget"]["choices"]:
        assert [choice["comparison"][side]["key"] for side in "ab"] == ["attention", "attention_b"]
    case = next(c for c in cases if c.id == lesson_steps.COMPARED_CASES[0])
    (alone,) = Steps(predictor, None, [case]).page(3)["widget"]["choices"]
    assert [alone["comparison"][side]["key"] for side in "ab"] == ["attention", "grad_cam"]
    radiograph = decode(case.image)
    truth = case.annotations(radiograph.size)[:1]
    wanted = compare(radiograph, truth, "attention", "grad_cam", predictor=predictor).to_json(case.title)
    assert (alone["name"], alone["comparison"]) == (case.title, wanted)


@pytest.fixture
def lesson(predictor: Predictor, cases: list[TeachingCase]) -> Lesson:
    def build() -> Lesson:
        with gr.Blocks() as blocks:
            with gr.Column() as left, gr.Column() as right:
                opening = Opening(cases[:1])
            made = Lesson(predictor, predictor, opening, left, right)
        (function,) = [f for f in blocks.fns.values() if f.name == "page"]
        assert function.api_visibility == "private"
        return made

    return inside(build)


def test_the_server_answers_with_a_step_or_says_why_it_cannot(
    lesson: Lesson, steps: Steps, predictor: Predictor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lesson.steps = steps
    assert json.loads(lesson.page(None))["step"] == 1
    assert json.loads(lesson.page(4))["widget"]["rare"] == "Lung opacity"
    lesson.steps = Steps(predictor, None, [])
    monkeypatch.setattr(lesson_steps, "frames", lambda: lesson_facts.frames(tmp_path / "<b>"))
    problem = json.loads(lesson.page(5))
    assert problem["step"] == 5
    assert "lesson.json cannot be read" in problem["problem"]
    assert "&lt;b&gt;" in problem["problem"]


def test_the_list_of_steps_leads_to_each() -> None:
    assert re.findall(r'href="(.*?)"', contents()) == [*(f"#lesson={n}" for n in range(1, 7)), "#quiz"]


def test_weights_in_the_browser_are_those_of_training() -> None:
    counts = [[10, 2030], [297, 2030, 1175, 1303], [0, 5, 5], [1, 1], [3000, 10, 10**6]]
    cases = [(c, b) for c in counts for b in (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999)]
    found = answers([{"call": "weights", "counts": c, "beta": b} for c, b in cases])
    for one, (c, b) in zip(found, cases, strict=True):
        np.testing.assert_allclose(one, class_balanced_weights(c, b).numpy(), rtol=1e-6, atol=1e-7)
    expected = class_balanced_weights(counts[1], 0.999).numpy() * np.array(counts[1])
    (shares,) = answers([{"call": "shares", "counts": counts[1], "weights": found[6 + 4]}])
    np.testing.assert_allclose(shares, expected / expected.sum(), rtol=1e-6)


def test_temperatures_in_the_browser_are_those_of_the_reader(predictor: Predictor) -> None:
    logits = torch.tensor([[0.0, 1.0], [4.0, -3.0], [-1.0, -1.2]])
    fitted = predictor.checkpoint.temperature
    cases = [(row, t) for row in range(3) for t in (0.3, 1.0, fitted, 4.0)]
    given = [list(p.values()) for p in predictor.probabilities(logits)]
    found = answers(
        [{"call": "tempered", "probabilities": given[row], "fitted": fitted, "temperature": t} for row, t in cases]
    )
    for one, (row, t) in zip(found, cases, strict=True):
        np.testing.assert_allclose(one, (logits[row].double() / t).softmax(0).numpy(), rtol=1e-6)
