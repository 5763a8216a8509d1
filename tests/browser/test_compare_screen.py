"""The Compare screen: two explanations of one radiograph, linked, on one scale, with the same figures."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from deep_pneumonia.prediction.explanation import compare
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer.opened_case import opened as opened_case
from tests.browser.screen import DESKTOP, PHONE, Screen

Open = Callable[..., Screen]


@pytest.fixture(params=[(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"])
def comparing(opened: Open, uploads: Path, request: pytest.FixtureRequest) -> Screen:
    """The screen with an uploaded radiograph and one doctor's mask."""
    size, theme = request.param
    screen = opened("compare", size, theme)
    screen.replace(uploads / "chest.png", uploads / "doctor_a.png")
    screen.shows_on_stage("chest.png")
    compared(screen, "attention", "attention_b")
    return screen


def compared(screen: Screen, a: str, b: str) -> None:
    """Wait until two explanations are on the stage."""
    script = "(keys) => String(window.deepPneumonia.stage.compared?.sides.map((side) => side.key)) === String(keys)"
    screen.page.wait_for_function(script, arg=[a, b])
    screen.settled()


def choose(screen: Screen, side: str, name: str) -> None:
    box = screen.page.locator(f"#compare-{side} input")
    box.click()
    # On a phone the list of the other choice may still be closing.
    screen.page.get_by_role("option", name=name, exact=True).nth(0 if side == "a" else -1).click()


def test_any_two_are_compared_with_the_figures_that_python_gives(
    comparing: Screen, uploads: Path, trained: Path
) -> None:
    page = comparing.page
    choose(comparing, "a", "doctor_a")
    compared(comparing, "doctor:doctor_a", "attention_b")  # the answer renews both lists of choices
    choose(comparing, "b", "Attention in random order (A: trained)")
    compared(comparing, "doctor:doctor_a", "random")
    predictor = Predictor.load(trained / "checkpoint", "cpu")
    case = opened_case(str(uploads / "chest.png"), [str(uploads / "doctor_a.png")])
    wanted = compare(
        case.radiograph, case.masks, "doctor:doctor_a", "random", predictor=predictor, other=predictor
    ).to_json("x")
    table = page.locator("#compared table")
    for key, row in (("iou", "IoU"), ("dice", "Dice"), ("average_precision", "Average precision")):
        cells = table.locator(f"tr:has(th:text-is('{row}')) td").all_inner_texts()
        assert cells == [f"{wanted[side]['agreement'][0][key]:.2f}" for side in ("a", "b")]
    assert comparing.fits()


def test_layouts_are_side_by_side_difference_and_divided(comparing: Screen) -> None:
    captions = comparing.page.locator(".pane:visible figcaption")
    comparing.press("1")
    expect(captions).to_have_count(2)
    comparing.press("3")
    expect(captions).to_have_count(1)
    assert "|" in captions.inner_text()
    comparing.press("2")
    expect(captions).to_contain_text("Difference")
    # Both checkpoints are the same here: nothing differs, so nothing is coloured.
    comparing.press("m")
    plain = comparing.grey(190.5, 300.5)
    assert max(plain) == min(plain)


def test_a_doctor_against_the_attention_differs_where_only_one_of_them_is(comparing: Screen) -> None:
    choose(comparing, "a", "doctor_a")
    compared(comparing, "doctor:doctor_a", "attention_b")
    comparing.press("2", "m")
    values = np.array(comparing.page.evaluate("[...window.deepPneumonia.stage.compared.difference.picture]"))
    assert values.min() >= -1
    assert values.max() > 0.2
    inside = np.unravel_index(values.argmax(), comparing.stage("compared.difference.shape"))
    red, _, blue = comparing.grey(inside[1] + 0.5, inside[0] + 0.5)
    assert red > blue


def test_another_case_and_another_drawing_are_compared_anew(comparing: Screen, uploads: Path) -> None:
    before = json.dumps(comparing.stage("compared.sides[0].agreement"))
    comparing.page.evaluate("location.hash = 'annotate'")
    comparing.settled()
    comparing.press("b")
    comparing.drag((190, 250), (200, 260))
    comparing.page.evaluate("location.hash = 'compare'")
    script = "(b) => JSON.stringify(window.deepPneumonia.stage.compared?.sides[0].agreement) !== b"
    comparing.page.wait_for_function(script, arg=before)
    comparing.replace(uploads / "other.png")
    comparing.shows_on_stage("other.png")
    compared(comparing, "attention", "attention_b")
    expect(comparing.page.locator("#compared")).to_contain_text("Add or draw a doctor's mask")
    comparing.page.go_back()
    assert comparing.page.evaluate("document.querySelector('#screens').dataset.screen") == "annotate"
