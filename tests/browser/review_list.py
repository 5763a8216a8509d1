"""The work list of the Review screen, as a test waits for it."""

import json

from playwright.sync_api import expect

from tests.browser.screen import Screen


def listed(screen: Screen, count: int) -> None:
    """Wait until the list shows this many cases."""
    expect(screen.page.locator(".work-list .count")).to_have_text(f"{count} cases")


def on_stage(screen: Screen, *, other_than: str = "") -> str:
    """Wait until another case of the list than this one is on the stage, and return its name."""
    now = "window.deepPneumonia?.stage.scene?.work ? window.deepPneumonia.stage.scene.name : ''"
    screen.page.wait_for_function(f"({now}) && ({now}) !== {json.dumps(other_than)}")
    name: str = screen.page.evaluate(now)
    expect(screen.page.locator("#case-list [aria-selected=true] b")).to_have_text(name)
    return name
