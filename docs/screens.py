"""Pictures of every screen for the documents: `make screens`, which starts the viewer with the shipped checkpoint.

Wide and narrow, light and dark, with teaching cases, which are simulated; no other radiograph is shown.
"""

import io
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
SCREENS = ("inspect", "annotate", "compare", "review", "case=1", "lesson", "quiz", "about")
SIZES = {1440: 900, 390: 844}
READY = "document.querySelector('.viewer')?.dataset.shown && document.querySelector('#agreement').innerText"
READIES = {
    "compare": "window.deepPneumonia?.stage.compared && document.querySelector('#compared').innerText",
    "review": "document.querySelector('.work-list .row img')?.complete",
    "case=1": "window.deepPneumonia?.stage.scene?.work && document.querySelector('#case-list .row')",
    "lesson": f"{READY} && document.querySelector('.for-lesson svg')",
    "quiz": "window.deepPneumonia?.stage.scene?.screen === 'quiz'",
}
LONG = {"about"}  # of a narrow page its beginning
# A stroke of a third reader's brush, in image coordinates, so that drawing is seen at work.
STROKE = ((330, 330), (400, 420), (470, 500), (400, 560), (340, 470))


def draw(page: Page) -> None:
    """Draw as the new reader that a visitor begins as."""
    page.get_by_role("button", name="Brush").click()
    page.get_by_role("slider", name="Brush").evaluate(
        "(s) => { s.value = 80; s.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    canvas = page.locator(".pane canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    for number, point in enumerate(STROKE):
        x, y = page.evaluate("(p) => window.deepPneumonia.stage.view.toScreen(p)", point)
        page.mouse.move(box["x"] + x, box["y"] + y, steps=5)
        if not number:
            page.mouse.down()
    page.mouse.up()
    page.wait_for_timeout(1500)
    page.evaluate("scrollTo(0, 0)")


def save(page: Page, name: str, narrow: bool) -> None:
    """Write what is seen as a small picture; of a narrow page all of it."""
    data = page.screenshot(full_page=narrow)
    Image.open(io.BytesIO(data)).convert("RGB").save(ROOT / "docs" / "screens" / f"{name}.webp", quality=82, method=6)


def main() -> None:
    """Start the viewer, take every picture, stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = {**os.environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": port}
    viewer = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert viewer.stdout is not None
        found = re.search(r"http://\S+/", viewer.stdout.readline())
        assert found, "app.py did not start"
        take(found[0])
    finally:
        viewer.terminate()


def take(address: str) -> None:
    """Every screen in every size and theme."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for width, height in SIZES.items():
            for theme in ("light", "dark"):
                for screen in SCREENS:
                    page = browser.new_page(viewport={"width": width, "height": height})
                    page.goto(f"{address}?__theme={theme}#{screen}")
                    page.wait_for_function(READIES.get(screen, READY), timeout=120_000)
                    if screen == "annotate":
                        draw(page)
                    page.wait_for_timeout(1500)
                    save(page, f"{screen.partition('=')[0]}-{width}-{theme}", width < 600 and screen not in LONG)
                    page.close()
        browser.close()


if __name__ == "__main__":
    main()
