from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray
from PIL import Image

from deep_pneumonia.drawing.case_report import WhatIf, case_picture, page, what_if
from deep_pneumonia.drawing.pictures import NOT_A_DEVICE, save_picture
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.prediction.agreement import agree, enlarge
from deep_pneumonia.prediction.cautions import Caution
from deep_pneumonia.prediction.predictor import Prediction
from deep_pneumonia.radiographs.radiograph import Radiograph

SIZE = (60, 48)
CELLS = np.random.default_rng(0).random((6, 5), dtype=np.float32)
PIXELS = np.linspace(0, 1, SIZE[0] * SIZE[1], dtype=np.float32).reshape(SIZE)
CLASSES = {"Normal": 0.2, "Pneumonia": 0.8}
RADIOGRAPH = Radiograph(PIXELS, None, "PNG")
SHA = "0123456789abcdef" * 4


def disc() -> NDArray[np.bool_]:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return np.hypot(y - 30, x - 20) < 10


def texts(figure: Figure) -> list[str]:
    """Everything that is written on a figure."""
    return [t.get_text() for t in figure.findobj(Text) if isinstance(t, Text) and t.get_text()]


def outside(figure: Figure) -> list[str]:
    """What is written beyond the edge of a figure."""
    figure.draw_without_rendering()
    edge, every = figure.bbox.padded(1), (t for t in figure.findobj(Text) if isinstance(t, Text) and t.get_text())
    boxes = [(t.get_text(), t.get_window_extent()) for t in every if t.get_visible()]
    return [text for text, box in boxes if not all(edge.contains(x, y) for x, y in box.corners())]


def case(**changes: Any) -> Figure:
    attention, drawn = enlarge(CELLS, SIZE), Annotation(disc(), "Reader A", "polygon")
    asked: dict[str, Any] = {
        "title": ["a $5 file.png", "48 x 60 pixels"],
        "probabilities": CLASSES,
        "agreement": [agree(attention, CELLS, drawn, 0.5)],
        "warnings": ["This is a lateral view."],
    }
    return case_picture(PIXELS, attention, [drawn], **(asked | changes))


def prediction(annotations: list[Annotation], **changes: Any) -> Prediction:
    attention = enlarge(CELLS, SIZE)
    made = Prediction(
        SIZE, (0.2, 0.2), "tiny", SHA, "Pneumonia", CLASSES, 0.8, attention, CELLS, 0.9,
        (Caution("small", "It is small."),),
        tuple(agree(attention, CELLS, a, 0.5) for a in annotations),
        {"lesion_removed": {"Normal": 0.71, "Pneumonia": 0.29}, "lesion_only": {"Normal": 0.07, "Pneumonia": 0.93}},
        np.stack([np.full((8, 8), v, np.uint8) for v in (255, 51, 0)]),
    )  # fmt: skip
    return replace(made, **changes)


def reported(name: str = "chest.png", **changes: Any) -> Figure:
    drawn = [Annotation(disc(), "Dr. A", "pixel")]
    return page(name, RADIOGRAPH, drawn, prediction(drawn, **changes), day="2026-11-25")


def test_the_page_of_a_case_says_what_must_be_said() -> None:
    said = texts(case())
    for line in (NOT_A_DEVICE, "random", "centre", "Hit rate", "IoU", "0.80", "Reader A (polygon)"):
        assert line in said
    assert any("This is a lateral view." in line for line in said)
    assert r"a \$5 file.png" in said


def test_a_figure_without_meaning_is_a_dash() -> None:
    nothing = Annotation(np.zeros(SIZE, bool), "Reader A", "normal")
    cells = np.full((6, 5), 0.5, np.float32)
    said = texts(case(agreement=[agree(enlarge(cells, SIZE), cells, nothing, 0.5)]))
    assert said.count("\u2013") == 15


def test_a_case_without_a_map_says_so(tmp_path: Path) -> None:
    figure = case_picture(np.zeros((20, 30)), None, [], title=["x"], probabilities={"Normal": 1.0})
    assert "No attention map is shown" in texts(figure)
    save_picture(figure, tmp_path / "case.png")
    with Image.open(tmp_path / "case.png") as picture:
        assert picture.width == 13 * 150


@pytest.mark.parametrize("name", ["case.png", "case.PDF"])
def test_a_saved_report_is_the_same_bytes_every_time(name: str, tmp_path: Path) -> None:
    first, second = tmp_path / name, tmp_path / f"again_{name}"
    save_picture(reported(), first)
    save_picture(reported(), second)
    assert first.read_bytes() == second.read_bytes()
    assert b"CreationDate" not in first.read_bytes()
    assert first.read_bytes().startswith(b"%PDF" if name.endswith("PDF") else b"\x89PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([first.name, second.name])


def test_a_report_names_file_checkpoint_and_day() -> None:
    said = texts(reported())
    assert "chest.png: Pneumonia 80%" in said
    assert "60 x 48 pixels. Report of 2026-11-25." in said
    assert f"Checkpoint tiny, SHA-256 {SHA}." in said
    assert "\u26a0 It is small." in said
    assert NOT_A_DEVICE in said


def test_a_report_shows_what_the_model_saw_and_what_it_said_of_it() -> None:
    figure = reported()
    frames = {a.get_title(loc="left"): a for a in figure.axes}
    values = [float(np.asarray(frames[n].images[0].get_array()).mean()) for n in ("As it is", "Lesion removed")]
    assert values == pytest.approx([1, 0.2])
    said = texts(figure)
    assert "Lesion only" in said
    assert {"0.71", "0.29", "0.07", "0.93"} <= set(said)
    assert said.count("0.80") == 2


def test_without_a_lesion_there_is_no_what_if() -> None:
    nothing = prediction([], what_if=None, what_if_frames=None)
    assert what_if(nothing) == []
    assert "Lesion only" not in texts(page("a.png", RADIOGRAPH, [], nothing, day="2026-11-25"))


def test_of_many_classes_the_likeliest_stand_beside_a_frame() -> None:
    many = {f"Class {n}": n / 66 for n in range(12)}
    figure = case(what_if=[WhatIf("as it is", PIXELS, many), WhatIf("lesion removed", PIXELS, many | {"Class 0": 0.9})])
    said = texts(figure)
    assert [said.count(f"Class {n}") for n in (0, 7, 8, 11)] == [2, 0, 2, 2]


def test_long_names_stay_on_the_page() -> None:
    masks = [Annotation(disc(), f"Dr. Wilhelmina van der Berg number {n}", "polygon") for n in range(8)]
    told = replace(prediction(masks), checkpoint_name="c" * 200)
    figure = page("n" * 250 + ".png", RADIOGRAPH, masks, told, day="2026-11-25")
    assert outside(figure) == []
    assert outside(case(warnings=["word " * 200])) == []


def test_what_is_nearly_certain_is_not_called_certain() -> None:
    assert "chest.png: Pneumonia over 99%" in texts(reported(probabilities={"Normal": 0.004, "Pneumonia": 0.996}))
