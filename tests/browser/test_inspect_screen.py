"""The Inspect screen as a person meets it, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from deep_pneumonia.cases import SHIPPED_CASES, load_cases
from deep_pneumonia.figures import NOT_A_DEVICE

PATIENCE = 60_000  # milliseconds; a busy machine of two cores is slow
DESKTOP, PHONE = (1440, 900), (390, 844)

expect.set_options(timeout=PATIENCE)


class Screen:
    """The page, and what it asked for or complained about."""

    def __init__(self, page: Page, address: str, theme: str) -> None:
        self.page, self.complaints, self.strangers = page, list[str](), list[str]()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self.noted)
        page.goto(f"{address}?__theme={theme}")
        expect(page.locator("#agreement table")).to_have_count(3)  # the first case is read before anyone does anything

    def emptied(self) -> Page:
        """The page without a case, as a visitor leaves it who takes the file away."""
        self.page.locator("#file").get_by_role("button", name="Clear").click()
        expect(self.page.get_by_role("heading", name="Choose a radiograph to begin")).to_be_visible()
        return self.page

    def noted(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.strangers.append(request.url)

    def upload(self, box: str, *files: Path) -> None:
        self.page.locator(f"#{box} input[type=file]").first.set_input_files([str(f) for f in files])

    def replace(self, file: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Choose another radiograph").click()
        chooser.value.set_files(str(file))

    def fits(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.fixture(params=[(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"])
def screen(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Screen]:
    """The screen in both sizes and themes; nothing may leave this machine, and nothing may complain."""
    (width, height), theme = request.param
    page = browser.new_page(viewport={"width": width, "height": height})
    screen = Screen(page, address, theme)
    yield screen
    page.close()
    assert screen.strangers == []
    assert screen.complaints == []


def test_the_first_screen_says_what_it_is_and_has_a_case_open(screen: Screen) -> None:
    page, case = screen.page, load_cases(SHIPPED_CASES)[0]
    expect(page.get_by_text(NOT_A_DEVICE)).to_be_visible()
    expect(page.locator("#lesson")).to_contain_text(case.title)
    expect(page.locator("#summary")).to_contain_text(case.image.name)
    for reader in case.readers:
        expect(page.locator("#legend")).to_contain_text(reader.name)
    assert screen.fits()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#cases') !== null"), "the first key reaches the first case"


def test_another_case_opens_by_a_key_and_a_normal_one_has_no_mask(screen: Screen) -> None:
    page, cases = screen.page, load_cases(SHIPPED_CASES)
    ill = next(i for i, c in enumerate(cases) if i and len(c.readers) == 3 and c.readers[0].mask)
    normal = next(i for i, c in enumerate(cases) if c.readers[0].mask is None)
    for index, tables in ((normal, 0), (ill, 3), (0, 3)):
        page.locator("#cases .thumbnail-item").nth(index).focus()
        page.keyboard.press("Enter")
        expect(page.locator("#summary")).to_contain_text(cases[index].image.name)
        expect(page.locator("#lesson")).to_contain_text(cases[index].teaching_point)
        expect(page.locator("#agreement table")).to_have_count(tables)
    assert screen.fits()


def test_without_a_case_the_screen_says_what_to_do(screen: Screen) -> None:
    page = screen.emptied()
    expect(page.locator("#summary")).to_have_count(0)
    expect(page.locator("#lesson .lesson")).to_have_count(0)
    assert screen.fits()


def test_a_case_from_upload_to_an_empty_screen(screen: Screen, uploads: Path) -> None:
    page = screen.emptied()
    screen.upload("file", uploads / "chest.png")
    expect(page.locator("#summary h2")).to_contain_text("%")
    expect(page.locator("#agreement")).to_contain_text("Add a doctor's mask")
    screen.upload("masks", uploads / "doctor_a.png", uploads / "doctor_b.png")
    expect(page.locator("#agreement table")).to_have_count(2)
    expect(page.locator("#legend")).to_contain_text("doctor_b")
    for pane in ("radiograph", "attention"):
        picture = page.locator(f"#{pane} img")
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("naturalWidth", 380)
        expect(picture).to_have_attribute("alt", "Radiograph" if pane == "radiograph" else "Attention of chest.png")
    assert screen.fits()

    screen.replace(uploads / "notes.png")
    expect(page.get_by_role("alert")).to_contain_text("notes.png is not a PNG")
    expect(page.locator("#summary")).to_contain_text("chest.png")
    expect(page.locator("#agreement table")).to_have_count(2)
    assert "/tmp" not in page.get_by_role("alert").inner_text()
    assert screen.fits()

    # The old masks must not be measured against the next radiograph, though it has their size.
    screen.replace(uploads / "other.png")
    expect(page.locator("#summary")).to_contain_text("other.png")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#agreement")).to_contain_text("Add a doctor's mask")

    screen.emptied()
    expect(page.locator("#summary")).to_have_count(0)


def test_a_bad_mask_is_named_and_a_photograph_is_warned_of(screen: Screen, uploads: Path) -> None:
    page = screen.emptied()
    screen.upload("file", uploads / "photo.jpg")
    expect(page.get_by_role("list", name="Warnings")).to_contain_text("coloured")
    screen.upload("masks", uploads / "small.png")
    expect(page.get_by_role("alert")).to_contain_text("small.png has 200 x 380 pixels")
    expect(page.locator("#summary")).to_contain_text("photo.jpg")
    assert screen.fits()
