"""A reviewer beside a case, and the statistics: nothing is lost, every key holds, a figure opens its cases."""

import json

from playwright.sync_api import Page, Route, expect

from tests.browser.review_list import listed, on_stage
from tests.browser.screen import Open, Screen

REFUSAL = "The disk is full."


def refuse(route: Route) -> None:
    """Answer verdicts as a server that cannot keep them does."""
    if '"judge"' in (route.request.post_data or ""):
        route.fulfill(json={"problem": REFUSAL})
    else:
        route.continue_()


def on_first_case(opened: Open) -> Screen:
    screen = opened("review")
    listed(screen, 13)
    screen.page.locator(".work-list .row").first.click()
    on_stage(screen)
    screen.page.get_by_label("Your name").fill("Ana")
    screen.page.keyboard.press("Tab")
    return screen


def own_verdict(page: Page, case: str) -> list[str] | None:
    verdict = f"window.deepPneumonia.review.rows().find(({{ name }}) => name === {json.dumps(case)}).verdicts.Ana"
    return page.evaluate(f"(({{ verdict, comment }}) => [verdict, comment])({verdict} ?? {{}})")  # type: ignore[no-any-return]


def test_a_verdict_that_was_not_kept_is_said_and_outlives_the_page(opened: Open) -> None:
    screen = on_first_case(opened)
    page = screen.page
    page.route("**/component_server/", refuse)
    page.get_by_label("Comment").fill("the apex is missed")
    page.get_by_role("button", name="Disagree").click()
    state = page.locator("#case-verdict .state")
    expect(state).to_contain_text(f"Not saved: {REFUSAL}")
    case = on_stage(screen)
    page.get_by_role("button", name="Next \u2192").click()
    on_stage(screen, other_than=case)
    expect(page.locator("#case-verdict .missed")).to_have_text(f"Not saved yet: {case}")
    page.go_back()
    page.reload()
    assert on_stage(screen) == case
    expect(page.get_by_label("Comment")).to_have_value("the apex is missed")
    expect(state).to_contain_text("Not saved yet")
    page.unroute("**/component_server/")
    page.get_by_role("button", name="Try again").click()
    on_stage(screen, other_than=case)
    assert own_verdict(page, case) == ["disagree", "the apex is missed"]


def on_next_case(page: Page, case: str) -> str:
    """Wait until the stage has another case than this one, whatever else the page has done by then."""
    page.wait_for_function("(n) => window.deepPneumonia.stage.scene.name !== n", arg=case)
    return str(page.evaluate("window.deepPneumonia.stage.scene.name"))


def test_no_verdict_is_taken_while_another_case_is_being_opened(opened: Open) -> None:
    screen = on_first_case(opened)
    page = screen.page
    case, held, released = on_stage(screen), list[Route](), False
    page.route("**/queue/join*", lambda route: route.continue_() if released else held.append(route))
    page.keyboard.press("n")
    page.keyboard.press("4")
    panel = page.locator("#case-verdict")
    expect(panel).to_have_attribute("aria-busy", "true")
    expect(panel.locator(".state")).to_contain_text("is being opened")
    expect(page.locator("#case-list [aria-selected=true] b")).not_to_have_text(case)
    released = True
    for route in held:
        route.continue_()
    later = on_stage(screen, other_than=case)
    expect(panel).to_have_attribute("aria-busy", "false")
    page.keyboard.press("1")
    on_stage(screen, other_than=later)
    assert own_verdict(page, later) == ["agree", ""]
    assert own_verdict(page, case) == [None, None]


def test_a_verdict_is_for_the_case_on_the_stage_even_before_it_is_painted(opened: Open) -> None:
    screen = on_first_case(opened)
    page = screen.page
    case = on_stage(screen)
    page.evaluate("[window.frames_held, window.requestAnimationFrame] = [[], (draw) => window.frames_held.push(draw)]")
    page.keyboard.press("n")
    later = on_next_case(page, case)
    page.keyboard.press("3")
    expect(page.locator("#case-verdict .reviewed")).to_contain_text("You have reviewed 1 of 13")
    assert own_verdict(page, later) == ["disagree", ""]
    assert own_verdict(page, case) == [None, None]


def test_keys_hold_wherever_the_focus_is_on_the_case_but_in_a_field(opened: Open) -> None:
    screen = on_first_case(opened)
    page = screen.page
    case = on_stage(screen)
    page.get_by_label("go on to the next").uncheck()
    layout = screen.stage("display.layout")
    page.get_by_role("button", name="Unsure").click()
    expect(page.locator("#case-verdict .state")).to_contain_text("Saved, ")
    page.keyboard.press("2")
    expect(page.get_by_role("button", name="Partly")).to_have_attribute("aria-pressed", "true")
    assert own_verdict(page, case) == ["partly", ""]
    assert screen.stage("display.layout") == layout
    page.locator(".viewer").focus()
    page.keyboard.press("Shift+Digit3")
    assert screen.stage("display.layout") == "slider"
    page.keyboard.press("c")
    page.keyboard.type("1 n")
    page.keyboard.press("Escape")
    expect(page.locator("#case-verdict .state")).to_contain_text("Saved, ")
    assert own_verdict(page, case) == ["partly", "1 n"]
    page.locator("#case-list .virtual").focus()
    page.keyboard.press("n")
    on_stage(screen, other_than=case)


def test_a_part_of_a_plot_opens_its_cases_and_the_chip_takes_that_back(opened: Open) -> None:
    screen = opened("review")
    listed(screen, 13)
    page = screen.page
    page.get_by_text("Statistics of this list").click()
    part = page.locator('.plot button[data-part^="confusion/Normal / "]:not(:disabled)').first
    number = part.inner_text()
    part.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".work-list .count")).to_have_text(f"{number} of 13 cases")
    expect(page.locator(".work-list .c-label")).to_contain_text(["Normal"] * int(number))
    page.locator(".work-list .chip").click()
    listed(screen, 13)
