"""About: the model card can be read on a telephone, however wide its tables and pictures are."""

from collections.abc import Callable

import pytest

from tests.browser.screen import DESKTOP, PHONE, Screen

NARROWEST = """(kind) => Math.min(...[...document.querySelectorAll(`#card ${kind}`)].map(
    (one) => one.getBoundingClientRect().width))"""


@pytest.fixture
def about(opened: Callable[..., Screen], request: pytest.FixtureRequest) -> Screen:
    screen = opened("about", request.param, "light")
    screen.page.wait_for_function("[...document.querySelectorAll('#card img')].some((one) => one.naturalWidth)")
    return screen


@pytest.mark.parametrize("about", [DESKTOP, PHONE], ids=["desktop", "phone"], indirect=True)
def test_the_card_is_legible_and_only_its_wide_parts_scroll(about: Screen) -> None:
    assert about.fits()
    assert about.page.evaluate(NARROWEST, "td") > 60
    assert about.page.evaluate(NARROWEST, "img") >= 800
