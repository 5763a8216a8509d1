"""One page of the served viewer as a test drives it, with all that it asked for or complained about."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Request, expect

from tests.paths import ROOT

WAIT_MS = 180_000  # a limit for what never comes; a machine that does other work is slow
DESKTOP, PHONE = (1440, 900), (390, 844)
# Pictures of the screens as the last run left them, to be looked at; ignored by git.
SHOTS = ROOT / "runs" / "screens"
IGNORED = ("AbortError", "Connection errored out")  # the page's own event stream, cut off by a reload

expect.set_options(timeout=WAIT_MS)


class Screen:
    """A page that has opened, with its first case on the stage."""

    def __init__(self, browser: Browser, address: str, name: str, size: tuple[int, int], theme: str) -> None:
        width, height = size
        self.context = browser.new_context(viewport={"width": width, "height": height}, has_touch=size == PHONE)
        self.page, self.theme, self.size = self.context.new_page(), theme, size
        self.complaints, self.requests = list[str](), list[str]()
        self.page.set_default_timeout(WAIT_MS)
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self.noted)
        self.page.goto(f"{address}?__theme={theme}#{name}")
        self.ready()

    def ready(self) -> None:
        """Wait until a case is on the stage and its figures stand beside it."""
        self.page.wait_for_function("document.querySelector('.viewer')?.dataset.shown")
        expect(self.page.locator("#agreement")).not_to_be_empty()

    def noted(self, request: Request) -> None:
        self.requests.append(request.url)

    def close(self, test: str) -> None:
        """Take a picture, then assert that nothing complained and nothing left this machine."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"\W+", "-", f"{test}-{self.size[0]}-{self.theme}")
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=self.size == PHONE)
        self.context.close()
        assert [c for c in self.complaints if not any(i in c for i in IGNORED)] == []
        assert [u for u in self.requests if not u.startswith(("http://127.0.0.1:", "data:", "blob:"))] == []

    def stage(self, expression: str) -> Any:
        """A value of the viewer's stage."""
        return self.page.evaluate(f"JSON.parse(JSON.stringify(window.deepPneumonia.stage.{expression} ?? null))")

    def settled(self) -> None:
        """Wait until what was changed is drawn."""
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def canvas(self, pane: int = 0) -> Locator:
        return self.page.locator(".pane canvas").nth(pane)

    def at(self, x: float, y: float, pane: int = 0) -> tuple[float, float]:
        """The place on the page of an image point."""
        self.canvas(pane).scroll_into_view_if_needed()
        box = self.canvas(pane).bounding_box()
        assert box is not None
        dx, dy = self.page.evaluate("(p) => window.deepPneumonia.stage.view.toScreen(p)", [x, y])
        return box["x"] + dx, box["y"] + dy

    def under(self, x: float, y: float, pane: int = 0) -> tuple[float, float]:
        """The image point at a place on the page."""
        box = self.canvas(pane).bounding_box()
        assert box is not None
        script = "(p) => window.deepPneumonia.stage.view.toImage(p)"
        dx, dy = self.page.evaluate(script, [x - box["x"], y - box["y"]])
        return dx, dy

    def grey(self, x: float, y: float, pane: int = 0) -> list[int]:
        """Red, green and blue of what is drawn at an image point."""
        script = """([x, y, pane]) => {
          const { view, renderer: { panes } } = window.deepPneumonia.stage;
          const [dx, dy] = view.toScreen([x, y]);
          const ratio = window.devicePixelRatio;
          return [...panes[pane].context.getImageData(dx * ratio, dy * ratio, 1, 1).data].slice(0, 3);
        }"""
        return list(self.page.evaluate(script, [x, y, pane]))

    def drag(self, *points: tuple[float, float], button: Any = "left", pane: int = 0) -> None:
        """Press at the first image point, move through the others, and let go."""
        places = [self.at(*point, pane) for point in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down(button=button)
        for place in places[1:]:
            self.page.mouse.move(*place, steps=4)
        self.page.mouse.up(button=button)
        self.settled()

    def slide(self, name: str, value: float) -> None:
        """Move a slider as a hand does."""
        self.page.get_by_role("slider", name=name, exact=True).evaluate(
            "(s, v) => { s.value = v; s.dispatchEvent(new Event('input', { bubbles: true })); }", value
        )
        self.settled()

    def press(self, *keys: str) -> None:
        """Keys to the viewer."""
        self.page.locator(".viewer").focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.settled()

    def upload(self, box: str, *files: Path) -> None:
        self.page.locator(f"#{box} input[type=file]").first.set_input_files([str(f) for f in files])

    def replace(self, *files: Path) -> None:
        """Choose other files than those that are open, and wait for their case."""
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Choose another radiograph").click()
        chooser.value.set_files([str(f) for f in files])

    def shows(self, name: str) -> None:
        """Wait until a radiograph is the one on the stage, and its prediction beside it."""
        self.shows_on_stage(name)
        expect(self.page.locator("#summary")).to_contain_text(name)

    def shows_on_stage(self, name: str) -> None:
        """Wait until a radiograph is the one on the stage."""
        self.page.wait_for_function("(n) => window.deepPneumonia.stage.scene?.name === n", arg=name)
        self.settled()

    def emptied(self) -> None:
        """Take the case away."""
        self.page.locator("#file").get_by_role("button", name="Clear").click()
        expect(self.page.get_by_role("heading", name="Choose a radiograph to begin")).to_be_visible()

    def download(self, button: str) -> tuple[str, bytes]:
        """Name and content of the file that a button gives."""
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name=button, exact=True).click()
        return download.value.suggested_filename, Path(download.value.path()).read_bytes()

    def prediction(self) -> dict[str, Any]:
        """The prediction as the page holds it."""
        return dict(json.loads(self.download("Prediction, JSON")[1]))

    def fits(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


Open = Callable[..., Screen]  # opens a screen by its name, in a size and a theme
