"""The Annotate screen: masks drawn in the browser are measured, kept, saved, and read again bit for bit."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import expect

from deep_pneumonia.masks.annotation import from_boxes, from_polygons, read_mask
from deep_pneumonia.masks.any_format import read_annotations
from tests.browser.screen import DESKTOP, PHONE, Screen

Open = Callable[..., Screen]
SIZE = (450, 380)


@pytest.fixture(params=[(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"])
def drawing(opened: Open, uploads: Path, request: pytest.FixtureRequest) -> Screen:
    """The screen with an uploaded radiograph and one doctor's mask."""
    size, theme = request.param
    screen = opened("annotate", size, theme)
    screen.replace(uploads / "chest.png", uploads / "doctor_a.png")
    screen.shows_on_stage("chest.png")
    return screen


def mask(screen: Screen, layer: int) -> NDArray[np.bool_]:
    """A layer's mask as the page holds it."""
    counts = screen.page.evaluate(f"window.deepPneumonia.drawings()[{layer}].counts")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(SIZE)


def test_a_drawn_mask_is_measured_at_once_and_then_by_the_server(drawing: Screen) -> None:
    page = drawing.page
    expect(page.locator("#summary")).to_be_hidden()  # whoever draws is not told what the model thinks
    assert drawing.stage("display.attention") is False
    page.get_by_role("button", name="Add a reader").click()
    row = page.locator(".readers li").nth(1)
    expect(row.locator(".scores b").first).to_have_text("\u2013")
    drawing.press("b")
    drawing.slide("Brush", 40)
    drawing.drag((130, 200), (150, 260), (120, 280))
    said = row.locator(".scores b").first.inner_text()
    assert said != "\u2013"
    drawn = mask(drawing, 1)
    assert drawn[200, 130]
    assert drawn[240, 143]
    assert not drawn[200, 160]
    expect(page.locator("#agreement table")).to_have_count(2)
    expect(page.locator("#agreement")).to_contain_text(f"Reader 2 covers {drawn.mean():.1%}")
    drawing.slide("Threshold", round(drawing.stage("scene.threshold") * 100))
    scores = drawing.prediction()["agreement"][1]
    live = row.locator(".scores b").all_inner_texts()
    assert live == [f"{scores[key]:.2f}" for key in ("iou", "dice", "share_inside")]
    # The next stroke moves the figure again.
    drawing.drag((250, 300), (280, 330))
    assert mask(drawing, 1).sum() > drawn.sum()
    expect(page.locator("#agreement")).to_contain_text(f"Reader 2 covers {mask(drawing, 1).mean():.1%}")
    assert drawing.fits()


def test_eraser_undo_and_redo_go_there_and_back(drawing: Screen) -> None:
    before = mask(drawing, 0)
    rows, columns = np.nonzero(before)
    middle = (float(columns.mean()), float(rows.mean()))
    drawing.page.get_by_role("button", name="Lock doctor_a").click()
    drawing.press("e")
    drawing.slide("Brush", 20)
    drawing.drag(middle, (middle[0] + 5, middle[1]))
    erased = mask(drawing, 0)
    assert erased.sum() < before.sum()
    assert not (erased & ~before).any()
    drawing.press("Control+z")
    assert np.array_equal(mask(drawing, 0), before)
    drawing.press("Control+Shift+Z")
    assert np.array_equal(mask(drawing, 0), erased)
    drawing.page.get_by_role("button", name="Undo").click()
    assert np.array_equal(mask(drawing, 0), before)
    expect(drawing.page.get_by_role("button", name="Undo")).to_be_disabled()


def test_boxes_and_polygons_set_the_pixels_that_python_would(drawing: Screen) -> None:
    drawing.page.get_by_role("button", name="Add a reader").click()
    drawing.press("x")
    drawing.drag((100.2, 120.7), (180.4, 200.1))
    ends = drawing.page.evaluate("window.deepPneumonia.stage.layers[1].mask.indexOf(1)")
    assert ends >= 0
    rows, columns = np.nonzero(mask(drawing, 1))
    box = (float(columns.min()), float(rows.min()), float(np.ptp(columns) + 1), float(np.ptp(rows) + 1))
    assert np.array_equal(mask(drawing, 1), from_boxes([box], SIZE, SIZE, reader="r").mask)
    assert box == pytest.approx((100, 120.5, 80, 79.5), abs=2)
    drawing.press("Control+z", "p")
    corners = [(60.0, 60.0), (200.0, 90.0), (120.0, 220.0)]
    for corner in corners:
        drawing.page.mouse.click(*drawing.at(*corner))
    kept = drawing.page.evaluate("window.deepPneumonia.tools.polygon.corners")
    drawing.press("Enter")
    assert np.array_equal(mask(drawing, 1), from_polygons([kept], SIZE, SIZE, reader="r").mask)
    assert np.allclose(kept, corners, atol=1.5)
    for corner in corners:
        drawing.page.mouse.click(*drawing.at(*corner))
    drawing.press("Escape")
    assert drawing.stage("draft") is None


def test_drawings_survive_a_reload_and_belong_to_their_radiograph(drawing: Screen, uploads: Path) -> None:
    page = drawing.page
    page.get_by_role("button", name="Add a reader").click()
    name = page.get_by_role("textbox", name="Name of reader 2")
    name.fill("Dr Kept")
    name.press("Tab")
    drawing.press("b")
    drawing.drag((200, 200), (240, 260))
    drawn = mask(drawing, 1)
    expect(page.locator("#agreement")).to_contain_text("Dr Kept")
    page.reload()
    drawing.ready()
    drawing.page.wait_for_function("window.deepPneumonia.stage.layers.length === 2")
    assert drawing.stage("scene.name") == "chest.png"
    assert np.array_equal(mask(drawing, 1), drawn)
    expect(page.locator("#agreement")).to_contain_text("Dr Kept")
    drawing.replace(uploads / "other.png")
    drawing.page.wait_for_function("window.deepPneumonia.stage.scene.name === 'other.png'")
    assert drawing.stage("layers.length") == 0
    drawing.replace(uploads / "chest.png")
    drawing.page.wait_for_function("window.deepPneumonia.stage.scene.name === 'chest.png'")
    assert np.array_equal(mask(drawing, 0), drawn)
    page.get_by_role("button", name="Remove Dr Kept").click()
    expect(page.locator("#agreement")).to_contain_text("Add or draw a doctor's mask")
    page.reload()
    drawing.ready()
    assert drawing.stage("layers.length") == 0


@pytest.mark.parametrize(("button", "ending"), [("PNG", ".png"), ("COCO JSON", ".json"), ("DICOM SEG", ".dcm")])
def test_a_mask_is_saved_loaded_again_and_the_same(
    opened: Open, uploads: Path, tmp_path: Path, button: str, ending: str
) -> None:
    screen = opened("annotate")
    screen.replace(uploads / "chest.dcm")
    screen.shows_on_stage("chest.dcm")
    screen.press("b")
    screen.slide("Brush", 30)
    screen.drag((100, 150), (160, 260), (130, 300))
    drawn = mask(screen, 0)
    name, data = screen.download(button)
    assert name.endswith(ending)
    (tmp_path / name).write_bytes(data)
    found = read_annotations(tmp_path / name, SIZE, name=name, radiograph="chest.dcm")
    assert [np.array_equal(a.mask, drawn) for a in found] == [True]
    screen.page.get_by_role("button", name="Remove You").click()
    screen.upload("masks", tmp_path / name)
    screen.page.wait_for_function("window.deepPneumonia.stage.layers.length === 1")
    assert np.array_equal(mask(screen, 0), drawn)


def test_what_a_reader_takes_away_or_renames_is_gone_or_renamed_everywhere(drawing: Screen) -> None:
    page = drawing.page
    name = page.get_by_role("textbox", name="Name of reader 1")
    name.fill("<b>Dr & Co</b>")
    name.press("Tab")
    expect(page.locator("#agreement")).to_contain_text("<b>Dr & Co</b>")
    file, data = drawing.download("COCO JSON")
    assert "<b>Dr & Co</b>" in json.dumps(json.loads(data), ensure_ascii=False)
    file, data = drawing.download("PNG")
    assert np.array_equal(read_mask(data).mask, mask(drawing, 0))
    assert file == "_b_Dr _ Co__b_.png"
    colour = page.get_by_label("Colour of <b>Dr & Co</b>")
    colour.evaluate("(c) => { c.value = '#ff00ff'; c.dispatchEvent(new Event('change', { bubbles: true })); }")
    assert drawing.stage("layers[0].colour") == "#ff00ff"
    swatch = page.locator("#agreement .swatch").first
    assert swatch.evaluate("(s) => getComputedStyle(s).backgroundColor") == "rgb(255, 0, 255)"
    assert io.BytesIO(data).read(4) == b"\x89PNG"
