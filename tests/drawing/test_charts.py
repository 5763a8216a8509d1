from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from deep_pneumonia.drawing.charts import (
    Tile,
    agreement_chart,
    calibration_chart,
    confusion_chart,
    curves,
    overlay_sheet,
    roc_chart,
)
from deep_pneumonia.drawing.pictures import save_picture
from deep_pneumonia.estimate import Estimate

SURE = Estimate(0.9, 0.8, 0.95)
UNSURE = Estimate(0.9)
UNKNOWN = Estimate()


def written(figure: Figure, path: Path) -> tuple[int, int]:
    """Size (W, H) of the saved picture, which is not blank."""
    save_picture(figure, path)
    with Image.open(path) as picture:
        assert np.asarray(picture.convert("L")).std() > 1
        return picture.size


def test_curves_have_a_panel_for_each_number(tmp_path: Path) -> None:
    log = [{"step": i, "epoch": i / 2, "loss": 1 / (i + 1), "note": "text"} for i in range(6)]
    log += [{"step": 5, "epoch": 2.5, "auroc": 0.7, "iou": 0.2, "hit": 0.4, "other": None}]
    curves(log, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (4 * 465, 345)
    assert [p.name for p in tmp_path.iterdir()] == ["curves.png"]


def test_one_number_has_one_panel_and_five_have_two_rows(tmp_path: Path) -> None:
    for names, size in (("a", (465, 345)), ("abcde", (4 * 465, 2 * 345))):
        curves([{"epoch": 1, **dict.fromkeys(names, 0.5)}], tmp_path / "curves.png")
        with Image.open(tmp_path / "curves.png") as picture:
            assert picture.size == size


def test_an_empty_log_still_makes_a_picture(tmp_path: Path) -> None:
    curves([], tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 0


def test_roc_goes_from_corner_to_corner_through_the_worked_points(tmp_path: Path) -> None:
    positive, score = np.array([True, False, True, False]), np.array([0.9, 0.8, 0.8, 0.1])
    figure = roc_chart({"nih": (positive, score)}, {"nih": SURE})
    line = figure.axes[0].lines[1]
    np.testing.assert_allclose(line.get_xydata(), [(0, 0), (0, 0.5), (0.5, 1), (1, 1)])
    assert line.get_label() == "nih: 0.900 (0.800 to 0.950)"
    assert written(figure, tmp_path / "roc.png") == (780, 750)


def test_a_source_of_one_class_has_no_roc(tmp_path: Path) -> None:
    figure = roc_chart({"covid": (np.ones(3, bool), np.arange(3.0))}, {"covid": UNKNOWN})
    assert len(figure.axes[0].lines) == 1
    written(figure, tmp_path / "roc.png")


def test_calibration_points_are_means_of_bins(tmp_path: Path) -> None:
    confidence, correct = np.array([0.52, 0.58, 1.0, 0.96]), np.array([True, False, True, True])
    figure = calibration_chart({"nih": (confidence, correct), "covid": (confidence[:1], correct[:1])},
                               {"nih": UNSURE, "covid": SURE})  # fmt: skip
    nih, covid = figure.axes
    np.testing.assert_allclose(nih.lines[1].get_xydata(), [(0.55, 0.5), (0.98, 1.0)])
    assert nih.get_title(loc="left") == "nih: 0.900"
    assert covid.get_title(loc="left") == "covid: 0.900 (0.800 to 0.950)"
    # Wilson's interval of 1 of 2 and of 1 of 1, from his formula worked by hand: of one image it says next to nothing.
    bars = [segment[:, 1] for axes in (nih, covid) for segment in axes.collections[0].get_segments()]
    np.testing.assert_allclose(bars, [(0.0945, 0.9055), (0.3424, 1.0), (0.2065, 1.0)], atol=1e-4)
    written(figure, tmp_path / "calibration.png")


def test_confusion_shows_every_count(tmp_path: Path) -> None:
    confusion = {"classes": ["Normal", "Pneumonia"], "matrix": [[5, 1], [0, 0]]}
    figure = confusion_chart({"nih": confusion, "covid": confusion})
    assert [t.get_text() for t in figure.axes[0].texts] == ["5", "1", "0", "0"]
    assert figure.axes[1].get_title(loc="left") == "covid, 6 images"
    assert written(figure, tmp_path / "confusion.png") == (1365, 750)


def test_agreement_has_a_bar_for_each_known_figure(tmp_path: Path) -> None:
    names = ("hit_rate", "iou", "dice", "share_inside", "average_precision")
    source: Mapping[str, Any] = {
        "n": 7,
        "attention": dict.fromkeys(names, SURE.to_json()),
        "random": dict.fromkeys(names, UNSURE.to_json()),
        "centre": dict.fromkeys(names, UNKNOWN.to_json()),
    }
    figure = agreement_chart({"nih": source, "covid": {**source, "grad_cam": dict.fromkeys(names, SURE.to_json())}})
    assert len(figure.axes) == 5
    bars = [p for p in figure.axes[0].patches if isinstance(p, Rectangle)]
    heights = [bar.get_height() for bar in bars if bar.get_height() > 0]
    assert heights == pytest.approx([0.9] * 5)
    assert len(figure.axes[0].lines) == 3
    written(figure, tmp_path / "agreement.png")


def test_a_sheet_has_a_tile_for_each_case(tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 30 * 40).reshape(30, 40)
    tiles = [Tile(ramp, ramp if i else None, [], f"case {i}") for i in range(5)]
    figure = overlay_sheet(tiles, columns=3)
    assert [a.get_title(loc="left") for a in figure.axes] == [f"case {i}" for i in range(5)] + [""]
    assert [a.axison for a in figure.axes] == [False] * 6
    assert written(figure, tmp_path / "sheet.png") == (1170, 885)
    assert len(overlay_sheet(tiles[:2]).axes) == 2
