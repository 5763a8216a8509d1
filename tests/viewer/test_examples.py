"""The strip of teaching cases: what a click gives, and what is said of a case."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import gradio as gr
import pytest

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import TeachingCase, load_cases
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.viewer.examples import Examples
from deep_pneumonia.viewer.opened_case import open_case
from tests.blocks import inside

T = TypeVar("T")


def laid_out(make: Callable[[], T]) -> T:
    """What `make` makes inside Blocks of its own."""

    def work() -> T:
        with gr.Blocks():
            return make()

    return inside(work)


@pytest.fixture(scope="module")
def cases() -> list[TeachingCase]:
    return load_cases(shipped.CASES)


@pytest.fixture(scope="module")
def examples(cases: list[TeachingCase]) -> Examples:
    return laid_out(lambda: Examples(cases))


def test_a_click_gives_the_radiograph_and_every_mask_under_its_readers_name(
    examples: Examples, cases: list[TeachingCase], trained: Path
) -> None:
    image, masks = examples.files(0)
    found = open_case(Predictor.load(trained / "checkpoint", "cpu").predict, image[0], masks)
    assert [m.reader for m in found.masks] == [m.reader for m in cases[0].masks]
    assert found.masks[0].mask.any()


def test_a_normal_case_has_no_mask_to_load(examples: Examples, cases: list[TeachingCase]) -> None:
    normal = next(i for i, c in enumerate(cases) if c.label == "Normal")
    assert examples.files(normal) == ([str(cases[normal].image)], [])


def test_every_case_has_a_small_thumbnail_with_its_title(examples: Examples, cases: list[TeachingCase]) -> None:
    items = examples.gallery.value
    assert [item["caption"] for item in items] == [c.title for c in cases]
    assert max(Path(item["image"]["path"]).stat().st_size for item in items) < 40_000


def test_a_case_is_known_by_its_bytes_not_by_its_name(
    examples: Examples, cases: list[TeachingCase], tmp_path: Path
) -> None:
    other = tmp_path / "anything.png"
    shutil.copy(cases[2].image, other)
    said = examples.lesson(str(other))
    for text in (cases[2].title, cases[2].findings, cases[2].teaching_point, cases[2].label, "simulated"):
        assert text in said
    impostor = tmp_path / cases[2].image.name
    shutil.copy(cases[3].masks[0].path or "", impostor)
    assert examples.lesson(str(impostor)) == ""
    assert [examples.place(str(f)) for f in (other, impostor)] == [2, None]


def test_what_a_case_says_is_text_not_markup(cases: list[TeachingCase]) -> None:
    strange = laid_out(lambda: Examples([replace(cases[0], title="<b>5 & 6</b>")]))
    assert "&lt;b&gt;5 &amp; 6&lt;/b&gt;" in strange.lesson(str(cases[0].image))
