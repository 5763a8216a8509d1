"""The Annotate screen: a visitor begins as a new reader, loaded masks are locked, and all changes can be undone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.screen import DESKTOP, PHONE, Open, Screen

INSIDE, OUTSIDE = (512.0, 512.0), (600.0, 640.0)  # points of a teaching case


def readers(screen: Screen) -> list[list[Any]]:
    """Name, colour and mask of each reader, as the page holds them."""
    script = "window.deepPneumonia.stage.layers.map((l, i) => [l.reader, l.colour, window.deepPneumonia.drawings()[i]])"
    return list(screen.page.evaluate(script))


def swipe(screen: Screen, *points: tuple[float, float]) -> None:
    """One finger over image points."""
    session = screen.context.new_cdp_session(screen.page)
    places = [screen.at(*point) for point in points]
    for number, (x, y) in enumerate(places):
        kind = "touchMove" if number else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    screen.settled()


@pytest.fixture(params=[(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"])
def teaching(opened: Open, request: pytest.FixtureRequest) -> Screen:
    """The screen with the first teaching case and its exact mask."""
    size, theme = request.param
    return opened("annotate", size, theme)


def test_the_first_stroke_and_the_first_swipe_change_no_mask(teaching: Screen) -> None:
    page, before = teaching.page, readers(teaching)
    truth = before[0][0]
    expect(page.get_by_role("radio", name="Draw as You")).to_be_checked()
    expect(page.get_by_role("button", name=f"Lock {truth}", exact=True)).to_have_attribute("aria-pressed", "true")
    teaching.drag(INSIDE, OUTSIDE)
    if teaching.size == PHONE:
        swipe(teaching, INSIDE, OUTSIDE)
    assert readers(teaching) == before
    page.get_by_role("button", name="Brush").click()  # the tool is chosen: now the visitor draws, under their own name
    teaching.drag(INSIDE, OUTSIDE)
    assert readers(teaching)[:-1] == before
    assert readers(teaching)[-1][0] == "You"
    expect(page.locator("#agreement")).to_contain_text("You covers")
    page.get_by_role("button", name="Undo").click()
    assert readers(teaching) == before  # no empty mask stays that would read as "no lesion"
    expect(page.get_by_role("radio", name="Draw as You")).to_be_checked()
    if teaching.size == PHONE:
        swipe(teaching, INSIDE, OUTSIDE)
    else:
        teaching.press("Control+Shift+Z")
    assert [name for name, *_ in readers(teaching)] == [*(name for name, *_ in before), "You"]
    assert teaching.fits()


def test_a_finger_scrolls_the_page_until_a_tool_is_chosen(opened: Open) -> None:
    screen = opened("annotate", PHONE)
    before = readers(screen)
    assert screen.canvas().evaluate("(c) => getComputedStyle(c).touchAction") == "pan-y"
    screen.page.evaluate("scrollTo(0, 0)")
    screen.at(*INSIDE)
    scrolled, centre = screen.page.evaluate("scrollY"), screen.stage("view.centre")
    swipe(screen, *((512, y) for y in range(700, 300, -50)))
    screen.page.wait_for_function("(y) => scrollY > y", arg=scrolled)
    assert readers(screen) == before
    assert screen.stage("view.centre") == centre  # the page moved, and not the picture too
    screen.page.get_by_role("button", name="Brush").click()
    screen.settled()
    assert screen.canvas().evaluate("(c) => getComputedStyle(c).touchAction") == "none"


def test_a_pinch_that_begins_as_a_stroke_leaves_no_reader(opened: Open) -> None:
    screen = opened("annotate", PHONE)
    before = readers(screen)
    screen.press("b")
    (x, y) = screen.at(*INSIDE)
    session = screen.context.new_cdp_session(screen.page)
    one, two = {"x": x, "y": y, "id": 0}, {"x": x + 60, "y": y, "id": 1}
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [one]})
    screen.page.wait_for_function("(n) => window.deepPneumonia.stage.layers.length === n", arg=len(before) + 1)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [one, two]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    screen.settled()
    assert readers(screen) == before
    expect(screen.page.get_by_role("radio", name="Draw as You")).to_be_checked()


def test_a_locked_mask_says_how_it_is_unlocked(teaching: Screen) -> None:
    page, before = teaching.page, readers(teaching)
    truth = before[0][0]
    lock = page.get_by_role("button", name=f"Lock {truth}", exact=True)
    page.get_by_role("radio", name=f"Draw as {truth}").check()
    for tool in "bexp":
        teaching.press(tool)
        expect(page.locator(".viewer .note")).to_have_text("")
        teaching.drag(INSIDE, OUTSIDE)
        words = f"The mask of {truth} is locked: press K, or its Lock button, to unlock it."
        expect(page.locator(".viewer .note")).to_have_text(words)
        assert readers(teaching) == before
        teaching.page.get_by_role("radio", name="Draw as You").check()
        teaching.page.get_by_role("radio", name=f"Draw as {truth}").check()
    teaching.press("b", "k")
    expect(lock).to_have_attribute("aria-pressed", "false")
    teaching.drag(INSIDE, OUTSIDE)
    assert readers(teaching)[0][2] != before[0][2]
    teaching.press("Control+z")
    assert readers(teaching) == before
    lock.focus()
    page.keyboard.press(" ")
    expect(lock).to_have_attribute("aria-pressed", "true")
    expect(lock).to_be_focused()
    teaching.drag(INSIDE, OUTSIDE)
    assert readers(teaching) == before
    teaching.press("?")
    help_row = page.get_by_role("dialog").locator("tr", has=page.locator("kbd", has_text="K"))
    expect(help_row).to_contain_text("lock or unlock")


def test_a_loaded_mask_that_was_changed_is_locked_again_after_a_reload(opened: Open) -> None:
    screen = opened("annotate")
    page = screen.page
    truth = readers(screen)[0][0]
    page.get_by_role("button", name=f"Lock {truth}", exact=True).click()
    expect(page.get_by_role("radio", name=f"Draw as {truth}")).to_be_checked()  # who unlocks it draws on it
    screen.press("b")
    screen.drag(INSIDE, OUTSIDE)
    page.get_by_role("radio", name="Draw as You").check()
    screen.drag(INSIDE, OUTSIDE)
    drawn = readers(screen)
    page.reload()
    screen.ready()
    assert readers(screen) == drawn
    expect(page.get_by_role("button", name=f"Lock {truth}", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Lock You")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("radio", name="Draw as You")).to_be_checked()
    assert screen.stage("display.tool") == "move"


def test_every_change_of_the_readers_is_undone_and_redone(teaching: Screen, uploads: Path) -> None:
    screen, page = teaching, teaching.page
    screen.replace(uploads / "chest.png", uploads / "doctor_a.png", uploads / "doctor_b.png")
    screen.shows_on_stage("chest.png")
    states: list[Sequence[Any]] = [readers(screen)]

    def changed() -> None:
        screen.settled()
        states.append(readers(screen))
        assert states[-1] != states[-2]

    page.get_by_role("button", name="Remove doctor_a").click()
    expect(page.locator(".viewer .note")).to_contain_text("The mask of doctor_a was removed: press Ctrl+Z, or Undo")
    changed()
    page.get_by_label("Colour of doctor_b").evaluate(
        "(c) => { c.value = '#ff00ff'; c.dispatchEvent(new Event('change', { bubbles: true })); }"
    )
    changed()
    page.get_by_role("textbox", name="Name of reader 1").fill("Dr Second")
    page.keyboard.press("Tab")
    changed()
    page.get_by_role("button", name="Add a reader").click()
    changed()
    screen.press("b")
    screen.drag((100, 100), (200, 220))
    changed()
    page.get_by_role("button", name="Remove Dr Second").click()
    changed()
    for state in reversed(states[:-1]):
        page.get_by_role("button", name="Undo").click()
        screen.settled()
        assert readers(screen) == state
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    expect(page.locator("#agreement")).to_contain_text("doctor_a covers")
    for state in states[1:]:
        screen.press("Control+Shift+Z")
        assert readers(screen) == state
    expect(page.get_by_role("button", name="Redo")).to_be_disabled()
    expect(page.locator("#agreement")).not_to_contain_text("Dr Second")
    assert screen.fits()
