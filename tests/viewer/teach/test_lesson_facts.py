"""A damaged lesson.json or recipe is named before anything is drawn."""

import json
from pathlib import Path
from typing import Any

import pytest

from deep_pneumonia import shipped
from deep_pneumonia.errors import CasesError
from deep_pneumonia.simulation.teaching import asked_of
from deep_pneumonia.viewer.teach.lesson_facts import frames

RECIPE: dict[str, Any] = json.loads((shipped.LESSON / "lesson.json").read_text(encoding="utf-8"))["recipe"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"frames": []}, "frames"),
        ({"frames": ["a", "b"]}, r"frames\[0\]"),
        ({"frames": [{"image": ["a.png"], "mask": None, "severity": None}] * 2}, r"frames\[0\]\.image"),
        ({"frames": [{"image": "a.png", "mask": {}, "severity": None}] * 2}, r"frames\[0\]\.mask"),
        ({"frames": [{"image": "a.png", "mask": None, "severity": "0"}] * 2}, r"frames\[0\]\.severity"),
        ({"frames": [{"image": "\ud800", "mask": None, "severity": 0.5}] * 2}, r"frames\[0\]\.image"),
        ({"lettered": "a.png"}, "lettered"),
    ],
)
def test_a_damaged_lesson_is_named(change: dict[str, Any], place: str, tmp_path: Path) -> None:
    document = json.loads((shipped.LESSON / "lesson.json").read_text(encoding="utf-8"))
    (tmp_path / "lesson.json").write_text(json.dumps(document | change), encoding="utf-8")
    with pytest.raises(CasesError, match=rf"lesson\.json: .*{place}.*; render the lesson again") as failed:
        frames(tmp_path)
    assert str(tmp_path) not in str(failed.value)


def test_the_shipped_lesson_is_whole() -> None:
    assert len(frames()["frames"]) >= 2


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "a", "recipe": RECIPE | {"seed": float("inf")}},
        {"id": "a", "recipe": RECIPE | {"kind": ["Normal"]}},
        {"id": "a", "recipe": RECIPE | {"lobes": 3}},
        {"id": "a", "recipe": RECIPE | {"severity": float("nan")}},
        {"id": "a", "recipe": [RECIPE]},
        {"id": "\ud800", "recipe": RECIPE},
        {"id": "../a", "recipe": RECIPE},
        ["a"],
    ],
)
def test_a_damaged_recipe_is_named(entry: Any) -> None:
    with pytest.raises(CasesError, match="has a missing or invalid part"):
        asked_of(Path("cases.json"), entry)
