"""A4 pages filled from the top. Lengths are in inches, and `y` is measured from the top of a page."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from deep_pneumonia.drawing.charts import GRID, INK
from deep_pneumonia.drawing.lettering import fitted, plain, wrapped
from deep_pneumonia.drawing.pictures import NOT_A_DEVICE, blank

A4 = (8.27, 11.69)
MARGIN, NOTE = 0.5, 0.15  # of the page; of a line of a note
WIDE = A4[0] - 2 * MARGIN
BOTTOM = A4[1] - 0.75
GREY = "#5f686f"


class Sheet:
    """The pages so far; `y` is where the next part begins on the last page."""

    def __init__(self) -> None:
        self.pages, self.y = [blank(A4)], MARGIN

    def turn(self) -> None:
        """Begin a page."""
        self.pages.append(blank(A4))
        self.y = MARGIN

    def room(self, inches: float) -> None:
        """Begin a page if less than `inches` is left on this one. A part longer than a page begins one, too."""
        if self.y + inches > BOTTOM and self.y > MARGIN:
            self.turn()

    def say(self, x: float, y: float, text: str, size: float = 7.5, colour: str = INK, **style: Any) -> None:
        """Write a line of text with its middle at `y`."""
        self.pages[-1].text(x / A4[0], 1 - y / A4[1], plain(text), size=size, color=colour, va="center", **style)

    def lines(self, x: float, y: float, text: str, width: float, size: float = 7.5) -> float:
        """Write text in lines of `width` inches; returns the `y` below the last one."""
        for line in wrapped(text, width, size):
            self.say(x, y + NOTE / 2, line, size, GREY)
            y += NOTE
        return y

    def axes(self, x: float, y: float, width: float, tall: float) -> Axes:
        """Axes with their upper left corner at (x, y)."""
        return self.pages[-1].add_axes((x / A4[0], 1 - (y + tall) / A4[1], width / A4[0], tall / A4[1]))

    def rule(self, y: float) -> None:
        """Draw a thin line across the page."""
        place = [MARGIN / A4[0], 1 - MARGIN / A4[0]]
        self.pages[-1].add_artist(Line2D(place, [1 - y / A4[1]] * 2, color=GRID, linewidth=0.7))

    def heading(self, lines: Sequence[str]) -> None:
        """Write the heading: the first line large, the others small below it."""
        self.say(MARGIN, self.y + 0.15, fitted(lines[0], WIDE, 16, bold=True), 16, weight="bold")
        for number, line in enumerate(lines[1:]):
            self.say(MARGIN, self.y + 0.45 + 0.17 * number, fitted(line, WIDE, 8), 8, GREY)
        self.y += 0.5 + 0.17 * len(lines)

    def finish(self) -> None:
        """Number the pages and write on each that this is no medical device."""
        every, self.pages = self.pages, []
        for number, page in enumerate(every, start=1):
            self.pages.append(page)
            self.say(MARGIN, A4[1] - 0.4, NOT_A_DEVICE, 7.5, GREY)
            self.say(A4[0] - MARGIN, A4[1] - 0.4, f"Page {number} of {len(every)}", 7.5, GREY, ha="right")
