"""What tests of the served viewer share: `python app.py` in its own process, a browser, and files to upload."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from deep_pneumonia.datasets.manifest import read_manifests
from deep_pneumonia.masks.annotation import write_mask
from deep_pneumonia.worklist.workspace import Workspace
from tests.browser.screen import DESKTOP, PHONE, Open, Screen
from tests.browser.serving import served
from tests.dicom_objects import data_set, written
from tests.phantom import draw, save_png

SPACED = {"PixelSpacing": [0.5, 0.25], "StudyInstanceUID": "1.2.3.4", "SeriesInstanceUID": "1.2.3.5"}


@pytest.fixture(scope="package")
def address(trained: Path) -> Iterator[str]:
    """The address of a viewer that has the little checkpoint twice."""
    checkpoint = trained / "checkpoint"
    with served(checkpoint, "--compare", str(checkpoint)) as address:
        yield address


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Headless Chromium of the system."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.fail("Chromium is not installed, and these tests need it: apt-get install chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens a screen in a visitor's own browser; nothing may leave this machine, and nothing may complain."""
    screens: list[Screen] = []

    def open_screen(name: str = "inspect", size: tuple[int, int] = DESKTOP, theme: str = "light") -> Screen:
        screens.append(Screen(browser, address, name, size, theme))
        return screens[-1]

    yield open_screen
    for screen in screens:
        screen.close(request.node.name)


@pytest.fixture(params=[(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"])
def screen(opened: Open, request: pytest.FixtureRequest) -> Screen:
    """The Inspect screen in both sizes and themes."""
    size, theme = request.param
    return opened("inspect", size, theme)


@pytest.fixture(scope="session")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn radiograph in three forms, two doctors' masks, and what is no radiograph or no mask of it."""
    folder = tmp_path_factory.mktemp("uploads")
    pixels, mask = draw(101, (450, 380), lesion=True)
    save_png(pixels, folder / "chest.png")
    deep = np.rint(pixels * 65535).astype(np.uint16)
    Image.fromarray(deep).save(folder / "deep.png")
    (folder / "chest.dcm").write_bytes(written(data_set(np.rint(pixels * 4095).astype(np.uint16), **SPACED)))
    save_png(draw(102, (450, 380))[0], folder / "other.png")
    write_mask(mask, folder / "doctor_a.png")
    write_mask(np.roll(mask, 15, axis=1), folder / "doctor_b.png")
    write_mask(mask[:200], folder / "small.png")
    (folder / "notes.png").write_text("not a picture")
    Image.fromarray((np.stack([pixels, 1 - pixels, pixels], 2) * 255).astype(np.uint8)).save(folder / "photo.jpg")
    return folder


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
