from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from deep_pneumonia.drawing.pictures import NOT_A_DEVICE
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.worklist.report import MAX_TABLE_ROWS, WRONG_COLOUR, pages, set_report
from deep_pneumonia.worklist.rows import Row
from deep_pneumonia.worklist.statistics import tally
from tests.full_disk import room_for
from tests.work_lists import pending_row, row, row_lists, scores

SHA = "0123456789abcdef" * 4
HEAD = ["Spring set", "Report of 2026-11-25.", f"Checkpoint tiny, SHA-256 {SHA}."]
FACTS = {"name": "Spring $et", "checkpoint_name": "tiny", "checkpoint_sha256": SHA, "day": "2026-11-25"}


def some(many: int = 30, name: Callable[[str], str] = str) -> list[Row]:
    """A list with everything in it; `name` makes each name from a short one."""
    random = np.random.default_rng(1)
    rows = []
    for n in range(many):
        label = ["Normal", "Opacity", "Bacterial pneumonia"][n % 3]
        readers = [scores(name(r), *overlap(random), kind="pixel") for r in ("Dr. A", "Dr. B")[: n % 3]]
        said = {name(who): ["agree", "partly", "disagree", "unsure"][random.integers(4)] for who in "AB"[: n % 4]}
        head = {"label": name(label), "predicted": name("Opacity"), "name": name(f"chest-{n}") + ".png"}
        rows.append(row(n, *readers, patient=f"secret-{n // 2}", verdicts=said, **head))
    return [*rows, pending_row(many, "Dr. A", patient="secret-x"), row(many + 1, label="", patient="")]


def overlap(random: np.random.Generator) -> tuple[float, bool]:
    return float(random.random()), bool(random.random() < 0.7)


def made(rows: list[Row], heading: list[str] = HEAD) -> list[Figure]:
    return pages(rows, tally(rows), heading)


def texts(page: Figure) -> list[Text]:
    seen = page.findobj(Text)
    return [t for t in seen if isinstance(t, Text) and t.get_text() and t.get_visible()]


def said(page: Figure) -> list[str]:
    return [t.get_text() for t in texts(page)]


def crowded(page: Figure) -> list[tuple[str, ...]]:
    """Texts that stand on one another, or leave the page."""
    page.set_dpi(300)
    page.draw_without_rendering()
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts(page)]
    x0, y0, x1, y1 = np.array([b.extents for _, b in boxes]).T
    # A pixel or two of a box are empty.
    across = np.minimum(x1[:, None], x1) - np.maximum(x0[:, None], x0) > 2
    along = np.minimum(y1[:, None], y1) - np.maximum(y0[:, None], y0) > 6
    pairs = np.argwhere(np.triu(across & along, 1))
    out = (x0 < 0) | (y0 < 0) | (x1 > page.bbox.x1) | (y1 > page.bbox.y1)
    return [(boxes[a][0], boxes[b][0]) for a, b in pairs] + [(boxes[i][0],) for i in np.flatnonzero(out)]


def test_every_page_is_numbered_and_says_what_it_is_not() -> None:
    every = made(some())
    for number, page in enumerate(every, start=1):
        assert {NOT_A_DEVICE, f"Page {number} of {len(every)}"} <= set(said(page))
        assert tuple(page.get_size_inches()) == (8.27, 11.69)


def test_the_first_page_names_list_day_and_checkpoint_and_counts() -> None:
    rows = [row(1, scores("A", 0.5, True)), row(2, scores("A", 0.3, False), predicted="Normal"), pending_row(3)]
    first = said(made(rows)[0])
    assert set(HEAD) <= set(first)
    assert first[first.index("Predicted") + 1 :][:2] == ["2", "of 3"]
    assert first[first.index("Label predicted") + 1] == "0.50"
    assert first[first.index("Mean IoU") + 1] == "0.40"


def test_patients_are_counted_and_never_named(tmp_path: Path) -> None:
    rows = some()
    assert not any("secret" in text for page in made(rows) for text in said(page))
    set_report(tmp_path / "set.pdf", rows, tally(rows), **FACTS)
    assert b"secret" not in (tmp_path / "set.pdf").read_bytes()


def test_the_table_has_those_furthest_apart_first_and_no_more_than_40() -> None:
    rows = [row(n, scores("A", n / 100, True)) for n in range(60)]
    table = [t for t in said(made(rows)[-1]) if t.startswith("chest-")]
    assert table == [f"chest-{n}.png" for n in range(MAX_TABLE_ROWS)]


def test_a_line_of_the_table_says_what_is_known_of_its_case() -> None:
    known = row(7, scores("A", 0.25, True), label="Normal", verdicts={"Ana": "unsure", "Ben": "agree", "Eva": "agree"})
    page = made([known, row(8, scores("A", None, kind="normal"), disagreement=0.1), row(9, label="")])[-1]
    lines = said(page)
    start = lines.index("chest-7.png")
    assert lines[start : start + 8] == [
        "chest-7.png", "Normal", "Opacity", "0.80", "0.75", "0.25", "yes", "2 agree, 1 unsure",
    ]  # fmt: skip
    (colour,) = {t.get_color() for t in texts(page) if t.get_text() == "Opacity" and t.get_color() == WRONG_COLOUR}
    assert colour == WRONG_COLOUR
    start = lines.index("chest-8.png")
    assert lines[start + 4 : start + 7] == ["0.10", "\u2013", "\u2013"]
    assert "chest-9.png" not in lines


@pytest.mark.parametrize(
    "name", [str, lambda n: f"{'W' * 90} {n}", lambda n: f"the rather long name of {n} in the hospital of a far town"]
)
def test_no_text_stands_on_another_or_leaves_the_page(name: Callable[[str], str]) -> None:
    for page in made(some(name=name), [name(line) for line in HEAD]):
        assert crowded(page) == []


def test_more_than_a_page_of_reviewers_turns_the_page() -> None:
    rows = [row(n, verdicts={f"Reviewer {i}": "agree" for i in range(9)}, label=f"Class {n}") for n in range(20)]
    for page in made(rows):
        assert crowded(page) == []


@pytest.mark.parametrize("rows", [[], [pending_row(1), pending_row(2, "A")], [row(1, verdicts={"Ana": "agree"})]])
def test_a_list_with_little_in_it_has_a_report_too(rows: list[Row]) -> None:
    every = made(rows)
    assert "\u2013" in said(every[0])
    assert "No case has both a prediction and a doctor's mask." in said(every[-1])
    assert [page for page in every if crowded(page)] == []


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(row_lists())
def test_points_are_drawn_where_the_statistics_are(rows: list[Row]) -> None:
    plots = {p["key"]: p for p in tally(rows)}
    points = [b["value"] for p in plots.values() if p["kind"] == "intervals" for b in p["bars"]]
    want = [value for value in points if value is not None]
    axes = [a for page in pages(rows, list(plots.values()), HEAD) for a in page.axes if isinstance(a, Axes)]
    found = [float(line.get_xdata()[0]) for a in axes for line in a.lines if line.get_marker() == "o"]
    assert sorted(found) == pytest.approx(sorted(want))


def test_a_saved_report_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    rows = some()
    for name in ("a.pdf", "b.pdf"):
        set_report(tmp_path / name, rows, tally(rows), **FACTS)
    data = (tmp_path / "a.pdf").read_bytes()
    assert data == (tmp_path / "b.pdf").read_bytes()
    assert data.startswith(b"%PDF")
    assert data.count(b"/Type /Page\n") + data.count(b"/Type /Page ") == len(made(rows))
    assert b"CreationDate" not in data
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pdf", "b.pdf"]


def test_a_report_on_a_full_disk_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "set.pdf"
    path.write_bytes(b"old")
    with room_for(1000), pytest.raises(DeepPneumoniaError, match="no room left on its disk"):
        set_report(path, [], tally([]), **FACTS)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
