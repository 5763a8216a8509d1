"""The lesson: all its steps run by themselves, what is tried moves picture and figures at once, and Inspect returns."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.screen import DESKTOP, PHONE, Screen

Open = Callable[..., Screen]
STEPS = 6
LAST = 7  # severity


@pytest.fixture(params=[(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"])
def lesson(opened: Open, request: pytest.FixtureRequest) -> Screen:
    size, theme = request.param
    screen = opened("lesson", size, theme)
    at_step(screen, 1)
    return screen


def at_step(screen: Screen, step: int) -> None:
    """Wait until a step is open and its scene on the stage."""
    expect(screen.page.locator(".teach-count")).to_have_text(f"Step {step} of {STEPS}")
    screen.page.wait_for_function("window.deepPneumonia?.stage.scene?.key.startsWith('lesson/')")
    screen.settled()


def slider(screen: Screen, name: str) -> Locator:
    return screen.page.locator(".teach").get_by_role("slider", name=name)


def greys(screen: Screen) -> list[list[int]]:
    """What is drawn at a few points of the right upper zone, where the pneumonia is."""
    return [screen.grey(x, y) for x, y in ((120.5, 180.5), (150.5, 220.5), (100.5, 240.5))]


def test_all_steps_run_from_the_first_to_the_quiz(lesson: Screen) -> None:
    page = lesson.page
    for step in range(1, STEPS + 1):
        at_step(lesson, step)
        expect(page.locator(".teach-widget")).to_be_visible()
        expect(page.locator(".teach-steps a[aria-current]")).to_have_count(1)
        assert lesson.fits()
        if step < STEPS:
            page.get_by_role("link", name="Next").click()
            assert page.evaluate("location.hash") == f"#lesson={step + 1}"
    expect(page.get_by_role("link", name="To the quiz")).to_have_attribute("href", "#quiz")
    page.get_by_role("link", name="Previous").click()
    at_step(lesson, STEPS - 1)
    page.go_back()
    at_step(lesson, STEPS)


def test_severity_changes_picture_and_figures_at_once_without_a_request(lesson: Screen) -> None:
    page = lesson.page
    before, asked = greys(lesson), len(lesson.requests)
    lesson.page.evaluate("window.deepPneumonia.stage.view.zoom(1.5, [100, 100])")
    zoom = lesson.stage("view.scale")
    slider(lesson, "Severity").focus()
    texts = set()
    for place in range(1, LAST + 1):
        page.keyboard.press("ArrowRight")
        lesson.settled()
        assert lesson.stage("scene.name") == f"Severity {place} of {LAST}"
        texts.add(page.locator(".teach-fact").first.inner_text())
    assert len(texts) == LAST
    assert lesson.stage("view.scale") == zoom
    expect(page.locator(".teach-slider output").first).to_have_text(f"{LAST} of {LAST}")
    after = greys(lesson)
    assert sum(a[0] - b[0] for a, b in zip(after, before, strict=True)) > 60
    assert len(lesson.requests) == asked
    page.get_by_label("True outline").check()
    assert lesson.stage("display.masks") is True
    lesson.press("m")
    expect(page.get_by_label("True outline")).not_to_be_checked()


def test_a_frame_of_the_series_is_shown_without_waiting(opened: Open) -> None:
    screen = opened("lesson")
    at_step(screen, 1)
    before = len(screen.requests)
    shown = screen.page.evaluate("""() => {
      const input = document.querySelector(".teach input[type=range]");
      return Array.from({ length: 24 }, (_, i) => {
        input.value = i % 8;
        input.dispatchEvent(new Event("input", { bubbles: true }));
        return window.deepPneumonia.stage.scene.name;
      });
    }""")
    assert shown == [f"Severity {i % 8} of {LAST}" for i in range(24)]
    assert screen.requests[before:] == []


def test_arrow_keys_walk_through_the_steps_but_not_from_a_slider(opened: Open) -> None:
    screen = opened("lesson=2")
    at_step(screen, 2)
    screen.press("ArrowRight")
    at_step(screen, 3)
    screen.page.evaluate("document.activeElement.blur()")
    screen.page.keyboard.press("ArrowRight")
    at_step(screen, 4)
    slider(screen, "β").focus()
    screen.page.keyboard.press("ArrowLeft")
    at_step(screen, 4)
    screen.page.get_by_role("link", name="Previous").click()
    at_step(screen, 3)
    screen.page.keyboard.press("ArrowLeft")
    at_step(screen, 2)


def test_each_thing_to_try_does_something(lesson: Screen) -> None:
    page = lesson.page
    widget = page.locator(".teach-widget")
    go(lesson, 3)
    assert [side["key"] for side in lesson.stage("compared.sides")] == ["attention", "attention_b"]
    page.get_by_role("button", name="with a venous line").click()
    assert lesson.stage("scene.name") == "Left upper lobe, with a venous line"
    assert len(lesson.stage("compared.sides")) == 2
    go(lesson, 4)
    before = widget.inner_text()
    slide(slider(lesson, "β"), 0)
    assert widget.inner_text() != before
    rare = page.locator(".teach-balance tr", has_text="Lung opacity").locator("td")
    assert rare.nth(1).inner_text() == "1.00"
    slide(slider(lesson, "Images of Lung opacity"), 0)
    assert rare.nth(0).inner_text() == "10"
    go(lesson, 5)
    corner = lesson.page.evaluate("[...window.deepPneumonia.stage.base.levels[0].data].reduce((a, b) => a + b)")
    page.get_by_role("button", name="With letters").click()
    lesson.settled()
    lettered = lesson.page.evaluate("[...window.deepPneumonia.stage.base.levels[0].data].reduce((a, b) => a + b)")
    assert lettered > corner
    go(lesson, 6)
    shares = page.locator(".teach-balance tr")
    fitted = shares.all_inner_texts()
    slide(slider(lesson, "Temperature"), 40)
    assert shares.all_inner_texts() != fitted
    expect(page.locator(".teach-slider output")).not_to_contain_text("as fitted")
    page.get_by_role("button", name="Nothing but grey").click()
    assert lesson.stage("scene.name") == "Nothing but grey"


def go(screen: Screen, step: int) -> None:
    screen.page.evaluate("(n) => (location.hash = `#lesson=${n}`)", step)
    at_step(screen, step)


def slide(what: Locator, value: int) -> None:
    what.evaluate("(s, v) => { s.value = v; s.dispatchEvent(new Event('input', { bubbles: true })); }", value)


def test_the_opened_case_returns_with_its_own_figures(opened: Open, uploads: Path) -> None:
    screen = opened("inspect")
    screen.replace(uploads / "chest.png", uploads / "doctor_a.png")
    screen.shows("chest.png")
    scores = screen.page.locator("#agreement").inner_text()
    screen.page.get_by_role("link", name="Teach").click()
    at_step(screen, 1)
    screen.page.evaluate("window.deepPneumonia.stage.change({ masks: false })")
    assert screen.page.evaluate("window.deepPneumonia.drawings()") is None
    screen.page.get_by_role("link", name="Inspect").click()
    screen.shows("chest.png")
    assert screen.stage("display.masks") is True
    assert [d["reader"] for d in screen.page.evaluate("window.deepPneumonia.drawings()")] == ["doctor_a"]
    assert screen.page.locator("#agreement").inner_text() == scores
    screen.page.get_by_role("link", name="Teach").click()
    at_step(screen, 1)
    screen.page.get_by_role("link", name="Compare").click()
    screen.shows_on_stage("chest.png")
    screen.page.wait_for_function("window.deepPneumonia.stage.compared")
    expect(screen.page.locator("#compared")).to_contain_text("doctor_a")


def test_on_a_phone_the_picture_stays_in_sight(opened: Open) -> None:
    screen = opened("lesson", PHONE)
    at_step(screen, 1)
    slider(screen, "Severity").scroll_into_view_if_needed()
    screen.page.evaluate("window.scrollBy({ top: 400, behavior: 'instant' })")
    screen.settled()
    box = screen.canvas().bounding_box()
    assert box is not None
    assert box["y"] >= 0
    assert box["y"] + box["height"] < PHONE[1] * 0.6
    expect(screen.page.get_by_role("link", name="Next")).to_be_in_viewport()
