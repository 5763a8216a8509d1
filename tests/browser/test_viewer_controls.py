"""The browser-side viewer's controls: each acts at once, and none of them asks the server."""

import json
import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import load_cases
from deep_pneumonia.masks.annotation import read_mask
from deep_pneumonia.prediction.agreement import compare
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import decode
from tests.browser.screen import DESKTOP, PHONE, SHOTS, Screen

Open = Callable[..., Screen]
SLIDERS = {
    "Attention": range(0, 101, 5),
    "Threshold": range(0, 101, 5),
    "Centre": range(0, 101, 5),
    "Width": range(1, 101, 5),
}


def test_no_slider_sends_a_request_and_the_frames_are_reported(screen: Screen) -> None:
    screen.press("2", "1") if screen.size != PHONE else None
    before = len(screen.requests)
    report = {}
    for name, values in SLIDERS.items():
        screen.page.evaluate("window.deepPneumonia.stage.renderer.timings.length = 0")
        for value in values:
            screen.slide(name, value)
        frames = screen.stage("renderer.timings")
        assert len(frames) >= len(values) - 1
        report[name] = {"frames": len(frames), "median_ms": statistics.median(frames), "longest_ms": max(frames)}
    assert screen.requests[before:] == []
    SHOTS.mkdir(parents=True, exist_ok=True)
    path = SHOTS / f"frames-{screen.size[0]}.json"
    path.write_text(json.dumps({"size": screen.stage("size"), "sliders": report}, indent=1))
    print(f"\nmilliseconds a frame, {screen.size[0]} pixels wide: {json.dumps(report)}")


def test_the_threshold_moves_the_figures_as_python_measures_them(screen: Screen, uploads: Path, trained: Path) -> None:
    masks = [uploads / "doctor_a.png", uploads / "doctor_b.png"]
    screen.replace(uploads / "chest.png", *masks)
    screen.shows("chest.png")
    attention = Predictor.load(trained / "checkpoint", "cpu").predict(decode(uploads / "chest.png")).attention
    for threshold in (10, 40, 62):
        screen.slide("Threshold", threshold)
        for row, mask in enumerate(masks):
            wanted = compare(attention, read_mask(mask).mask, threshold / 100)
            scores = [f"{v:.2f}" for v in (wanted.iou, wanted.dice, wanted.share_inside)]
            said = screen.page.locator(".readers li").nth(row).locator(".scores b").all_inner_texts()
            assert said == scores


def test_a_window_changes_the_greys_and_inverting_turns_them_round(screen: Screen, uploads: Path) -> None:
    screen.replace(uploads / "chest.png")
    screen.shows("chest.png")
    screen.press("a", "1") if screen.size != PHONE else screen.press("a")
    place = (190.5, 225.5)
    plain = screen.grey(*place)
    assert plain[0] == plain[1] == plain[2]
    screen.press("i")
    assert [255 - v for v in plain] == pytest.approx(screen.grey(*place), abs=1)
    screen.press("i")
    screen.slide("Width", 1)
    screen.slide("Centre", 100)
    assert screen.grey(*place) == [0, 0, 0]
    screen.press("r")
    screen.press("a")
    assert screen.grey(*place) == plain
    assert screen.stage("display.window") == {"centre": 0.5, "width": 1, "invert": False}


def test_without_attention_the_greys_are_the_files_own(screen: Screen) -> None:
    screen.press("a", "m", "2")
    left = screen.grey(300, 400)
    assert max(left) - min(left) == 0
    screen.press("a", "m")
    assert screen.stage("display.attention") is True


def test_zoom_and_pan_are_linked_and_the_point_under_the_pointer_stays(opened: Open) -> None:
    screen = opened()
    assert screen.stage("renderer.panes.length") == 2
    x, y = (round(v) for v in screen.at(300, 700, pane=1))  # a wheel turns at whole pixels
    point = screen.under(x, y, pane=1)
    before = len(screen.requests)
    screen.page.mouse.move(x, y)
    screen.page.mouse.wheel(0, -600)
    screen.settled()
    assert screen.at(*point, pane=1) == pytest.approx((x, y), abs=0.1)
    assert screen.stage("view.scale") > 2 * screen.stage("view.fitting")
    # The same grey lies at the same place of both panes: nothing but attention differs.
    screen.press("a", "m")
    assert screen.grey(310, 690, 0) == screen.grey(310, 690, 1)
    centre = screen.stage("view.centre")
    screen.press("v")
    screen.drag((300, 700), (340, 720))
    moved = screen.stage("view.centre")
    assert (centre[0] - moved[0], centre[1] - moved[1]) == pytest.approx((40, 20), abs=1)
    screen.press("0")
    assert screen.stage("view.scale") == screen.stage("view.fitting")
    assert screen.requests[before:] == []


def test_dragging_windows_divides_and_rules(opened: Open, uploads: Path) -> None:
    screen = opened()
    screen.drag((500, 500), (600, 620), button="right")
    window = screen.stage("display.window")
    assert window["width"] == 1
    assert window["centre"] > 0.5
    screen.press("r", "3")
    assert screen.stage("renderer.panes.map((p) => p.element.hidden)") == [False, True]
    screen.drag((512, 300), (300, 300))
    assert screen.stage("display.divider") < 0.45
    screen.replace(uploads / "chest.dcm")
    screen.shows("chest.dcm")
    screen.press("1", "l")
    screen.drag((100, 200), (180, 260))
    ruler = np.array(screen.stage("ruler"))
    assert ruler[1] - ruler[0] == pytest.approx([80, 60], abs=1.5)
    assert screen.stage("scene.spacing_mm") == [0.5, 0.25]


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_help_opens_at_its_beginning(opened: Open, size: tuple[int, int]) -> None:
    screen = opened("annotate", size=size)
    screen.press("?")
    dialog = screen.page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Keys")).to_be_in_viewport(ratio=1)
    assert dialog.evaluate("(d) => d.scrollTop") == 0
    screen.page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()


def test_every_key_of_the_help_is_there_and_letters_in_fields_are_letters(opened: Open) -> None:
    screen = opened("annotate")
    screen.press("?")
    dialog = screen.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    for key in ("A", "M", "I", "R", "F", "?", "Ctrl+Z", "\u2190"):
        expect(dialog.locator("kbd", has_text=key).first).to_be_visible()
    screen.page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    field = screen.page.get_by_role("textbox", name="Name of reader 1")
    field.fill("")
    field.press_sequentially("Imra")
    assert screen.stage("display.window.invert") is False
    assert field.input_value() == "Imra"
    screen.press("]", "]", "[", "i", "o")
    assert screen.stage("display.window.invert") is True
    assert screen.stage("display.outline") is False


def test_fingers_zoom_and_scroll(opened: Open) -> None:
    screen = opened(size=PHONE, theme="dark")
    assert screen.canvas().evaluate("(c) => getComputedStyle(c).touchAction") == "pan-y"
    screen.at(512, 512)
    session = screen.context.new_cdp_session(screen.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    (x, y) = screen.at(512, 512)
    touch("touchStart", (x - 30, y))
    touch("touchStart", (x - 30, y), (x + 30, y))
    for step in range(1, 6):
        touch("touchMove", (x - 30 - 10 * step, y), (x + 30 + 10 * step, y))
    touch("touchEnd")
    screen.settled()
    assert screen.stage("view.scale") == pytest.approx(screen.stage("view.fitting") * 160 / 60, rel=0.1)
    assert screen.canvas().evaluate("(c) => c.style.touchAction") == "none"


def test_controls_have_names_and_the_picture_says_what_it_is(screen: Screen) -> None:
    nameless = screen.page.locator(".viewer :is(button, input):visible").evaluate_all(
        "(all) => all.filter((e) => !(e.ariaLabel || e.textContent.trim() || e.labels?.length)).map((e) => e.outerHTML)"
    )
    assert nameless == []
    expect(screen.canvas()).to_have_attribute(
        "aria-label",
        f"{screen.page.locator('.pane figcaption').first.inner_text()} of {load_cases(shipped.CASES)[0].image.name}",
    )
