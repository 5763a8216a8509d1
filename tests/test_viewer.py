"""The viewer without a browser: what is drawn and said of a case, and what is refused."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import app
from deep_pneumonia.annotation import Annotation, write_mask
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.figures import draw_contours
from deep_pneumonia.reader import Caution, Reader
from deep_pneumonia.viewer import app as frame
from deep_pneumonia.viewer import words
from deep_pneumonia.viewer.inspect import Case, pictures, read
from tests.blocks import inside
from tests.phantom import draw, save_png

SIZE = (300, 260)


@pytest.fixture(scope="module")
def reader(trained: Path) -> Reader:
    return Reader.load(trained / "checkpoint", "cpu")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A radiograph, two doctors' masks, an empty one, and what cannot be read."""
    folder = tmp_path_factory.mktemp("uploads")
    pixels, mask = draw(101, SIZE, lesion=True)
    save_png(pixels, folder / "chest.png")
    write_mask(mask, folder / "doctor_a.png")
    write_mask(np.roll(mask, 12, axis=1), folder / "doctor_b.png")
    write_mask(np.zeros(SIZE, bool), folder / "nothing.png")
    write_mask(mask[:100, :90], folder / "small.png")
    (folder / "notes.png").write_text("not a picture")
    (folder / "cut.png").write_bytes((folder / "chest.png").read_bytes()[:5000])
    (folder / "empty.png").write_bytes(b"")
    Image.fromarray(np.zeros(SIZE, np.uint8)).save(folder / "mask.jpg")
    return folder


@pytest.fixture(scope="module")
def case(reader: Reader, files: Path) -> Case:
    masks = [str(files / n) for n in ("doctor_a.png", "doctor_b.png", "nothing.png")]
    return read(reader, str(files / "chest.png"), masks)


def withheld(case: Case) -> Case:
    return replace(case, reading=replace(case.reading, warnings=(Caution("low_evidence", "It is too low."),)))


def test_the_table_says_what_the_reading_says(case: Case) -> None:
    text = words.agreement(case.reading)
    found = case.reading.to_json("chest.png")["agreement"]
    tables = re.findall(r"<table>(.*?)</table>", text)
    assert len(tables) == 2
    for table, one in zip(tables, found, strict=False):
        rows = dict(re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', table))
        for key, (name, _) in words.FIGURES.items():
            cells = re.findall("<td>(.*?)</td>", rows[name])
            assert cells == [words.cell(m[key]) for m in (one, one["controls"]["random"], one["controls"]["centre"])]
        assert one["reader"] in table
        assert f"{one['area_fraction']:.1%}" in table
    assert "nothing: nothing is drawn" in text
    predicted, what_if = case.reading.predicted, case.reading.what_if
    assert what_if is not None
    assert f"<b>{words.percent(what_if['lesion_removed'][predicted])}</b> with the lesion removed" in text


def test_figures_read_as_they_are() -> None:
    assert [words.percent(p) for p in (0, 0.004, 0.5, 0.812, 0.998, 1)] == [
        "&lt;1%", "&lt;1%", "50%", "81%", "&gt;99%", "&gt;99%",
    ]  # fmt: skip
    assert [words.cell(v) for v in (None, True, False, 1.0, 0.125)] == ["\u2013", "yes", "no", "1.00", "0.12"]


def test_the_summary_names_file_class_warnings_and_every_probability(case: Case) -> None:
    text = words.summary(case.name, withheld(case).reading)
    assert "chest.png" in text
    assert "It is too low." in text
    assert f"<h2>{case.reading.predicted} " in text
    assert text.index(">Clear</th>") != text.index(">Opacity</th>")
    assert sum(float(p) for p in re.findall(r"--share: ([\d.]+)%", text)) == pytest.approx(100, abs=0.2)


def test_pictures_are_the_radiograph_and_the_map_with_contours(case: Case) -> None:
    left, right = pictures(case)
    assert left.shape == right.shape == (*SIZE, 3)
    assert left.dtype == right.dtype == np.uint8
    assert np.array_equal(left[..., 0], np.rint(case.radiograph.pixels * 255))
    assert (left[..., 0] == left[..., 2]).all()
    assert (right != left).any()


def test_large_pictures_are_shrunk_to_what_a_screen_shows(reader: Reader, tmp_path: Path) -> None:
    save_png(draw(5, (1500, 1101))[0], tmp_path / "large.png")
    left, right = pictures(read(reader, str(tmp_path / "large.png"), []))
    assert left.shape == right.shape == (750, 551, 3)


def test_without_evidence_only_contours_are_drawn_and_it_is_said(case: Case) -> None:
    left, right = pictures(withheld(case))
    assert np.array_equal(right, draw_contours(left, case.masks, width=4 * max(SIZE) / 1024))
    assert not np.array_equal(right, pictures(case)[1])
    assert "No attention map is shown" in words.legend(case.masks, shows_map=False)
    assert "gradient" not in words.legend(case.masks, shows_map=False)
    assert "gradient" in words.legend(case.masks, shows_map=True)


def test_no_text_from_outside_becomes_markup(case: Case) -> None:
    name = "<script>alert(1)</script>"
    reading = replace(case.reading, agreement=tuple(replace(a, reader=name) for a in case.reading.agreement))
    mask = Annotation(case.masks[0].mask, name, "pixel")
    for text in (
        words.summary(name, reading), words.agreement(reading), words.legend([mask], True), words.refusal(name),
    ):  # fmt: skip
        assert "<script" not in text
        assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("file", "masks", "said"),
    [
        ("notes.png", [], "notes.png is not a PNG"),
        ("cut.png", [], "cut.png is damaged"),
        ("empty.png", [], "empty.png is empty"),
        ("gone.png", [], "gone.png is gone; upload it again"),
        ("chest.png", ["doctor_a.png", "small.png"], "small.png has 100 x 90 pixels but the radiograph chest.png"),
        ("chest.png", ["mask.jpg"], "mask.jpg is not a PNG"),
        ("chest.png", ["cut.png"], "cut.png is damaged"),
        ("chest.png", ["doctor_a.png"] * 5, "5 masks were given, but only 4"),
    ],
)
def test_a_bad_file_is_named_as_its_person_names_it(
    reader: Reader, files: Path, file: str, masks: list[str], said: str
) -> None:
    with pytest.raises(DeepPneumoniaError) as caught:
        read(reader, str(files / file), [str(files / m) for m in masks])
    assert said in str(caught.value)
    assert str(files) not in str(caught.value)


Show = Callable[[str | None, list[str] | None], dict[str, Any]]


@pytest.fixture(scope="module")
def show(reader: Reader) -> Show:
    """The screen's callback, its answers by the elements' ids."""
    blocks = inside(lambda: frame.build(reader))
    callback = next(f.fn for f in blocks.fns.values() if f.name == "show")
    return lambda file, masks: {c.elem_id: v for c, v in callback(file, masks).items()}


def test_the_screen_shows_a_case_keeps_it_after_a_bad_file_and_empties(show: Show, files: Path) -> None:
    shown = show(str(files / "chest.png"), [str(files / "doctor_a.png")])
    assert shown["problem"] == ""
    assert shown["result"]["visible"] is True
    assert shown["attention"]["label"] == "Attention"
    assert "doctor_a" in shown["agreement"]
    assert shown["json"]["file"] == "chest.png"
    refused = show(str(files / "notes.png"), None)
    assert set(refused) == {"problem", "another"}
    assert "notes.png" in refused["problem"]
    emptied = show(None, [str(files / "doctor_a.png")])
    assert emptied["result"]["visible"] is False
    assert emptied["start"]["visible"] is True
    assert emptied["radiograph"] is emptied["attention"] is emptied["summary"] is emptied["json"] is None


def test_a_bad_checkpoint_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["--checkpoint", str(tmp_path), "--device", "cpu"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "model.json" in printed.err


def test_ctrl_c_while_loading_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app.Reader, "load", interrupted)
    assert app.main([]) == 130
