"""The Review screen in a real browser: a list, a whole review by keyboard, files that are added."""

from pathlib import Path

from playwright.sync_api import expect

from deep_pneumonia.worklist.workspace import Workspace
from tests.browser.review_list import listed, on_stage
from tests.browser.screen import PHONE, Open, Screen

VERDICTS = ["agree", "partly", "disagree", "unsure"]


def test_ten_cases_are_reviewed_with_the_keyboard_alone(opened: Open) -> None:
    screen = opened("review")
    listed(screen, 13)
    keyboard = screen.page.keyboard
    table = screen.page.locator(".work-list .virtual")
    table.focus()
    keyboard.press("Home")
    keyboard.press("Enter")
    name, seen = "", []
    for number in range(10):
        name = on_stage(screen, other_than=name)
        seen.append(name)
        if number == 0:
            keyboard.press("1")
            expect(screen.page.locator("#case-verdict .state")).to_contain_text("Enter your name")
            keyboard.type("Ana")
            keyboard.press("Enter")
            screen.page.evaluate("document.activeElement.blur()")
        if number == 3:
            keyboard.press("c")
            keyboard.type("the map is too low")
            keyboard.press("Control+Enter")
        keyboard.press(str(number % 4 + 1))
    expect(screen.page.locator("#case-verdict")).to_contain_text("You have reviewed 10 of 13 cases.")
    assert len(set(seen)) == 10
    rows = screen.page.evaluate("window.deepPneumonia.review.rows()")
    given = {row["name"]: row["verdicts"].get("Ana") for row in rows}
    assert [given[name]["verdict"] for name in seen] == [VERDICTS[n % 4] for n in range(10)]
    assert given[seen[3]]["comment"] == "the map is too low"
    assert sum(value is None for value in given.values()) == 3


def test_the_list_is_searched_filtered_sorted_and_remembers(opened: Open) -> None:
    screen = opened("review")
    listed(screen, 13)
    page = screen.page
    page.get_by_label("Search the work list").fill("behind heart")
    expect(page.locator(".work-list .count")).to_have_text("1 of 13 cases")
    page.get_by_label("Label", exact=True).select_option("Normal")
    expect(page.locator(".work-list .count")).to_have_text("0 of 13 cases")
    page.get_by_role("button", name="Clear filters").click()
    listed(screen, 13)
    page.get_by_role("button", name="Case", exact=True).click()
    names = page.locator(".work-list .c-name b").all_text_contents()
    assert names == sorted(names)
    page.get_by_text("Statistics of this list").click()
    page.get_by_role("button", name="not reviewed yet: 13 cases").click()
    expect(page.locator(".work-list .chip")).to_contain_text("not reviewed yet")
    page.locator(".work-list .chip").click()
    expect(page.locator(".work-list .chip")).to_be_hidden()


def test_a_phone_reviews_a_case(opened: Open) -> None:
    screen = opened("review", PHONE, "dark")
    listed(screen, 13)
    screen.page.locator(".work-list .row").first.click()
    on_stage(screen)
    screen.page.get_by_label("Your name").fill("Ben")
    screen.page.get_by_role("button", name="Partly").click()
    expect(screen.page.locator("#case-verdict")).to_contain_text("You have reviewed 1 of 13 cases.")
    assert screen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_case_that_cannot_be_opened_leaves_the_one_on_the_stage_to_be_judged(
    shared: tuple[Workspace, Screen],
) -> None:
    space, screen = shared
    page = screen.page
    listed(screen, 3)
    page.locator(".work-list .row").first.click()
    case = on_stage(screen)
    page.get_by_label("Your name").fill("Ana")
    page.keyboard.press("Tab")
    page.get_by_label("go on to the next").uncheck()
    opened = page.evaluate("window.deepPneumonia.stage.scene.work.id")
    number = next(number for number in (1, 2, 3) if number != opened)
    space.item(number).case.image.write_bytes(b"damaged")
    page.goto(page.url.replace(f"#case={opened}", f"#case={number}"))
    expect(page.locator("#problem")).to_contain_text("Repair the file")
    expect(page.locator("#case-list [aria-selected=true] b")).to_have_text(case)
    page.keyboard.press("2")
    expect(page.locator("#case-verdict .state")).to_contain_text("Saved, ")
    assert space.verdicts(opened)[opened]["Ana"].verdict == "partly"


def test_files_and_an_export_are_added_to_a_page_s_own_list(opened: Open, uploads: Path, tmp_path: Path) -> None:
    screen = opened("review")
    listed(screen, 13)
    page = screen.page
    own = tmp_path / "own"
    own.mkdir()
    (own / "patient-7.dcm").write_bytes((uploads / "chest.dcm").read_bytes())
    (own / "patient-8.png").write_bytes((uploads / "other.png").read_bytes())
    (own / "patient-8-mask-Dr B.png").write_bytes((uploads / "doctor_b.png").read_bytes())
    (own / "patient-9.png").write_bytes((uploads / "notes.png").read_bytes())
    page.locator(".review input[type=file]").first.set_input_files(sorted(own.iterdir()))
    listed(screen, 15)
    expect(page.locator(".review-problem")).to_contain_text("2 new cases.")
    expect(page.locator(".review-problem")).to_contain_text("patient-9.png")
    expect(page.locator(".work-list .unpredicted")).to_have_count(0)
    page.get_by_label("Search the work list").fill("patient-8")
    expect(page.locator(".work-list .row .c-readers")).to_have_text("1")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export, ZIP").click()
    target = tmp_path / "export.zip"
    download.value.save_as(target)
    other = opened("review")
    listed(other, 13)
    other.page.locator(".review input[type=file]").first.set_input_files(target)
    listed(other, 15)
    expect(other.page.locator(".review-problem")).to_contain_text("Imported 2 cases")
