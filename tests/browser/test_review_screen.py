"""The Review screen in a real browser: a list, a whole review by keyboard, masks that are corrected and kept."""

import csv
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from deep_pneumonia.datasets.manifest import read_manifests
from deep_pneumonia.worklist.workspace import Workspace
from tests.browser.review_list import listed, on_stage
from tests.browser.screen import PHONE, Open, Screen
from tests.browser.serving import served

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


@pytest.fixture
def shared(tmp_path: Path, trained: Path, drawn_set: Path, browser: Browser) -> Iterator[tuple[Workspace, Screen]]:
    """A viewer on a folder with three drawn patients, whose name an address must escape, and a page of it."""
    space = Workspace(tmp_path / "list #1 \u00fc 50%25?")
    cases = read_manifests([drawn_set])[:3]
    space.add([replace(case, image=Path(shutil.copy(case.image, tmp_path))) for case in cases])
    with served(trained / "checkpoint", "--workspace", str(space.folder)) as address:
        screen = Screen(browser, address, "review", (1440, 900), "light")
        yield space, screen
        screen.close("review-shared")


def test_masks_that_are_corrected_are_kept_and_exported(shared: tuple[Workspace, Screen], tmp_path: Path) -> None:
    space, screen = shared
    page = screen.page
    listed(screen, 3)
    expect(page.locator(".review > .hint")).to_contain_text("everyone who opens this page")
    page.get_by_role("button", name="Predict the rest").click()
    expect(page.locator(".work-list .unpredicted")).to_have_count(0)
    page.wait_for_function("""() => {
        const pictures = [...document.querySelectorAll(".work-list img")];
        return pictures.length === 3 && pictures.every((picture) => picture.complete && picture.naturalWidth > 0);
    }""")
    page.locator(".work-list .row").first.click()
    on_stage(screen)
    page.get_by_label("Your name").fill("Ana")
    page.keyboard.press("Tab")
    page.locator("#case-verdict").get_by_role("link", name="Annotate").click()
    expect(page.locator("#screens")).to_have_attribute("data-screen", "annotate")
    case = page.evaluate("window.deepPneumonia.stage.scene.work.id")
    before = {d.reader: d.version for d in space.drawings(case)}
    screen.drag((60, 60), (90, 90))
    expect(page.locator(".viewer .status")).to_contain_text("Saved in the work list")
    after = {d.reader: d.version for d in space.drawings(case)}
    changed = {reader for reader in after if after[reader] != before.get(reader)}
    assert len(changed) == 1
    reader = changed.pop()
    assert space.versions(case, reader)[-1].author == "Ana"
    page.reload()
    screen.ready()
    page.goto(page.url.replace("#annotate", f"#case={case}"))
    on_stage(screen)
    page.get_by_role("link", name="Work list").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export, ZIP").click()
    target = tmp_path / "export.zip"
    download.value.save_as(target)
    with zipfile.ZipFile(target) as archive:
        manifest = list(csv.DictReader(archive.read("manifest.csv").decode().splitlines()))
    assert len(manifest) == 3
    with page.expect_download() as download:
        page.get_by_role("button", name="Report, PDF").click()
    download.value.save_as(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


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


def test_two_windows_that_change_one_mask_lose_neither(opened: Open) -> None:
    screen = opened("case=1")
    on_stage(screen)
    page = screen.page
    page.goto(page.url.replace("#case=1", "#annotate"))
    page.evaluate(
        """async () => {
          const { ask } = window.deepPneumonia.review;
          const { scene, layers } = window.deepPneumonia.stage;
          const counts = [0, 10, scene.size[0] * scene.size[1] - 10];
          const change = { reader: layers[0].reader, kind: "pixel", counts, version: layers[0].version };
          await ask({ what: "draw", id: scene.work.id, author: "Ben", changes: [change] });
        }"""
    )
    screen.drag((200, 200), (260, 230))
    status = page.locator(".viewer .status")
    expect(status).to_contain_text("was changed by Ben")
    page.get_by_role("button", name="Keep mine as the newest").click()
    expect(status).to_contain_text("Saved in the work list")
    assert (
        page.evaluate("window.deepPneumonia.stage.scene.work.versions[window.deepPneumonia.stage.layers[0].reader]")
        == 3
    )
