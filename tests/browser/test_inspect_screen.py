"""The Inspect screen as a person meets it, in a real browser."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import load_cases
from deep_pneumonia.drawing.pictures import NOT_A_DEVICE
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer.opened_case import open_case
from tests.browser.screen import Screen


def test_the_first_screen_says_what_it_is_and_has_a_case_open(screen: Screen) -> None:
    page, case = screen.page, load_cases(shipped.CASES)[0]
    expect(page.get_by_text(NOT_A_DEVICE)).to_be_visible()
    expect(page.locator("#lesson")).to_contain_text(case.title)
    expect(page.locator("#summary")).to_contain_text(case.image.name)
    for mask in case.masks:
        expect(page.locator(".readers")).to_contain_text(mask.reader)
    expect(page.locator("#agreement table")).to_have_count(3)
    assert screen.stage("size") == [1024, 1024]
    assert screen.fits()


def test_another_case_opens_by_a_key_and_a_normal_one_has_no_mask(screen: Screen) -> None:
    page, cases = screen.page, load_cases(shipped.CASES)
    ill = next(i for i, c in enumerate(cases) if i and len(c.masks) == 3 and c.masks[0].path)
    normal = next(i for i, c in enumerate(cases) if c.masks[0].path is None)
    for index, tables in ((normal, 0), (ill, 3), (0, 3)):
        page.locator("#cases .thumbnail-item").nth(index).focus()
        page.keyboard.press("Enter")
        screen.shows(cases[index].image.name)
        expect(page.locator("#lesson")).to_contain_text(cases[index].teaching_point)
        expect(page.locator("#agreement table")).to_have_count(tables)
        assert screen.stage("layers.length") == tables
    screen.press("ArrowRight")
    screen.shows(cases[1].image.name)
    screen.press("ArrowLeft", "ArrowLeft")
    screen.shows(cases[-1].image.name)
    assert screen.fits()


def test_without_a_case_the_screen_says_what_to_do(screen: Screen) -> None:
    screen.emptied()
    expect(screen.page.locator(".viewer")).to_be_hidden()
    expect(screen.page.locator("#summary")).to_be_empty()
    expect(screen.page.locator("#lesson .lesson")).to_have_count(0)
    assert screen.fits()


def test_a_case_from_upload_to_an_empty_screen(screen: Screen, uploads: Path) -> None:
    page = screen.page
    screen.emptied()
    screen.upload("file", uploads / "chest.png")
    screen.shows("chest.png")
    expect(page.locator("#summary h2")).to_contain_text("%")
    expect(page.locator("#agreement")).to_contain_text("Add or draw a doctor's mask")
    screen.upload("masks", uploads / "doctor_a.png", uploads / "doctor_b.png")
    expect(page.locator("#agreement table")).to_have_count(2)
    expect(page.locator(".readers")).to_contain_text("doctor_b")
    assert screen.stage("size") == [450, 380]
    assert screen.fits()

    screen.replace(uploads / "notes.png")
    expect(page.get_by_role("alert")).to_contain_text("notes.png is not a PNG")
    expect(page.locator("#summary")).to_contain_text("chest.png")
    expect(page.locator("#agreement table")).to_have_count(2)
    assert screen.stage("scene.name") == "chest.png"
    assert "/tmp" not in page.get_by_role("alert").inner_text()

    # The old masks must not be measured against the next radiograph, though it has their size.
    screen.replace(uploads / "other.png")
    screen.shows("other.png")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#agreement")).to_contain_text("Add or draw a doctor's mask")
    assert screen.stage("layers.length") == 0
    screen.emptied()


def test_a_radiograph_and_its_masks_are_dropped_together(screen: Screen, uploads: Path) -> None:
    screen.replace(uploads / "doctor_b.png", uploads / "chest.png", uploads / "doctor_a.png")
    screen.shows("chest.png")
    expect(screen.page.locator("#agreement table")).to_have_count(2)
    screen.replace(uploads / "other.png", uploads / "chest.png")
    expect(screen.page.get_by_role("alert")).to_contain_text("give one radiograph")
    assert screen.stage("scene.name") == "chest.png"


@pytest.mark.parametrize(
    ("name", "bits", "spacing"),
    [("chest.png", 8, None), ("deep.png", 16, None), ("chest.dcm", 16, [0.5, 0.25])],
)
def test_every_grey_of_the_file_is_there_to_be_windowed(
    screen: Screen, uploads: Path, trained: Path, name: str, bits: int, spacing: list[float] | None
) -> None:
    screen.replace(uploads / name)
    screen.shows(name)
    assert screen.stage("scene.bits") == bits
    assert screen.stage("scene.spacing_mm") == spacing
    wanted = open_case(Predictor.load(trained / "checkpoint", "cpu").predict, str(uploads / name)).radiograph.pixels
    shown = screen.page.evaluate("[...window.deepPneumonia.stage.base.levels[0].data]")
    assert np.array_equal(np.reshape(shown, wanted.shape), np.rint(wanted.astype(np.float64) * (2**bits - 1)))


def test_a_bad_mask_is_named_and_a_photograph_is_warned_of(screen: Screen, uploads: Path) -> None:
    page = screen.page
    screen.replace(uploads / "photo.jpg")
    screen.shows("photo.jpg")
    expect(page.get_by_role("list", name="Warnings")).to_contain_text("coloured")
    screen.upload("masks", uploads / "small.png")
    expect(page.get_by_role("alert")).to_contain_text("small.png has 200 x 380 pixels")
    expect(page.locator("#summary")).to_contain_text("photo.jpg")
    assert screen.fits()


def test_report_reading_and_attention_are_downloaded(screen: Screen, uploads: Path, trained: Path) -> None:
    screen.replace(uploads / "chest.png", uploads / "doctor_a.png")
    screen.shows("chest.png")
    case = open_case(
        Predictor.load(trained / "checkpoint", "cpu").predict,
        str(uploads / "chest.png"),
        [str(uploads / "doctor_a.png")],
    )
    assert screen.prediction() == case.prediction.to_json("chest.png")
    name, data = screen.download("Report, PDF")
    assert (name, data[:5]) == ("chest-report.pdf", b"%PDF-")
    name, data = screen.download("Report, PNG")
    assert (name, Image.open(io.BytesIO(data)).format) == ("chest-report.png", "PNG")
    name, data = screen.download("Attention, NPY")
    assert name == "chest-attention.npy"
    values = np.load(io.BytesIO(data), allow_pickle=False)
    assert values.dtype == np.float32
    assert np.allclose(values, case.prediction.attention, atol=1e-6)
    name, data = screen.download("Attention, PNG")
    assert (name, Image.open(io.BytesIO(data)).size) == ("chest-attention.png", (380, 450))
