"""Masks of the work list in a real browser: they are corrected, saved as they change, undone, and never lost."""

import csv
import zipfile
from pathlib import Path

from playwright.sync_api import expect

from deep_pneumonia.worklist.workspace import Workspace
from tests.browser.review_list import listed, on_stage
from tests.browser.screen import Open, Screen


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
    screen.press("b")
    screen.drag((60, 60), (90, 90))
    expect(page.locator(".viewer .status")).to_contain_text("Saved in the work list")
    after = {d.reader: d.version for d in space.drawings(case)}
    changed = {reader for reader in after if after[reader] != before.get(reader)}
    assert changed == {"Ana"}  # a stroke is the reviewer's own; the doctors' masks are locked
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
    page.get_by_role("button", name="Lock ").first.click()
    screen.press("b")
    screen.drag((200, 200), (260, 230))
    status = page.locator(".viewer .status")
    expect(status).to_contain_text("was changed by Ben")
    page.get_by_role("button", name="Keep mine as the newest").click()
    expect(status).to_contain_text("Saved in the work list")
    assert (
        page.evaluate("window.deepPneumonia.stage.scene.work.versions[window.deepPneumonia.stage.layers[0].reader]")
        == 3
    )


def test_what_is_undone_is_undone_in_the_work_list(shared: tuple[Workspace, Screen]) -> None:
    space, screen = shared
    page = screen.page
    listed(screen, 3)
    page.locator(".work-list .row").first.click()
    on_stage(screen)
    case = page.evaluate("window.deepPneumonia.stage.scene.work.id")
    page.locator("#case-verdict").get_by_role("link", name="Annotate").click()
    before = {d.reader: d.digest for d in space.drawings(case)}
    doctor = next(iter(before))

    def saved(*names: str) -> None:
        """Wait until the work list has masks by these readers."""
        expect(page.locator(".viewer .status")).to_contain_text("Saved in the work list")
        assert {d.reader for d in space.drawings(case)} == set(names)

    others = set(before) - {doctor}
    screen.press("b")
    screen.drag((60, 60), (90, 90))
    saved(*before, "You")
    screen.press("Control+z")
    saved(*before)  # and not a "You" who saw no lesion
    page.get_by_role("button", name=f"Remove {doctor}").click()
    saved(*others)
    screen.press("Control+z")
    saved(*before)
    page.get_by_role("textbox", name="Name of reader 1").fill("Dr New")
    page.keyboard.press("Tab")
    saved(*others, "Dr New")
    screen.press("Control+z")
    saved(*before)
    assert {d.reader: d.digest for d in space.drawings(case)} == before
    page.get_by_role("link", name="Review", exact=True).click()
    listed(screen, 3)
