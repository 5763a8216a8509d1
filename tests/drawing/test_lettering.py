import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from deep_pneumonia.drawing.lettering import fitted, plain, short, width_of, wrapped


@pytest.mark.parametrize(
    ("text", "most", "found"),
    [("chest-1.png", 11, "chest-1.png"), ("abcdefghij", 7, "abcd\u2026ij"), ("abc", 1, "\u2026")],
)
def test_long_text_is_cut_in_its_middle(text: str, most: int, found: str) -> None:
    assert short(text, most) == found


@given(st.text(), st.integers(1, 20))
def test_what_is_cut_is_never_longer(text: str, most: int) -> None:
    assert len(short(text, most)) == min(len(text), most)


def test_what_the_font_cannot_draw_is_shown_as_unknown() -> None:
    assert plain("\u80f8 $5\n\x00.png \u00e9\u2013") == "\ufffd \\$5\ufffd\ufffd.png \u00e9\u2013"


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("text", ["chest-017.png", "WWWWWWWW", "iiiii", "a dollar $ and \u80f8", ""])
def test_a_width_is_the_one_that_is_drawn(text: str, bold: bool) -> None:
    figure = Figure(figsize=(9, 1), dpi=720)
    drawn = figure.text(0, 0, plain(text), size=9, weight="bold" if bold else "normal").get_window_extent()
    assert width_of(text, 9, bold=bold) == pytest.approx(drawn.width / 720, rel=0.02, abs=0.01)


@given(st.text(max_size=300), st.floats(0.3, 6), st.sampled_from([7.0, 13.0]))
def test_what_is_fitted_is_no_wider_than_its_place(text: str, inches: float, size: float) -> None:
    found = fitted(text, inches, size)
    assert width_of(found, size) <= inches
    assert found == text or "\u2026" in found


@given(st.text(max_size=200), st.floats(1, 6))
def test_wrapped_lines_fit_and_keep_every_short_word(text: str, inches: float) -> None:
    lines = wrapped(text, inches, 9)
    assert all(width_of(line, 9) <= inches for line in lines)
    if all(width_of(word, 9) <= inches for word in text.split()):
        assert " ".join(lines).split() == text.split()
