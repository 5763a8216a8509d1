"""The viewer without a browser: what its screens say of a case, what they refuse, and what they hand out."""

import base64
import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from markupsafe import Markup, escape
from PIL import Image

from deep_pneumonia import shipped
from deep_pneumonia.masks.annotation import write_mask
from deep_pneumonia.masks.any_format import read_annotations
from deep_pneumonia.prediction.cautions import Caution
from deep_pneumonia.prediction.explanation import compare
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.prediction.scores import SCORES, score_text
from deep_pneumonia.viewer import app as frame
from deep_pneumonia.viewer import html as words
from deep_pneumonia.viewer.annotate import FORMATS, saved
from deep_pneumonia.viewer.opened_case import Case, open_case, runs
from deep_pneumonia.viewer.stage import Stage
from tests.blocks import inside
from tests.phantom import draw, save_png

SIZE = (300, 260)
Callback = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def predictor(trained: Path) -> Predictor:
    return Predictor.load(trained / "checkpoint", "cpu")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A radiograph, two doctors' masks, an empty one, and what is no picture."""
    folder = tmp_path_factory.mktemp("uploads")
    pixels, mask = draw(101, SIZE, lesion=True)
    save_png(pixels, folder / "chest.png")
    write_mask(mask, folder / "doctor_a.png")
    write_mask(np.roll(mask, 12, axis=1), folder / "doctor_b.png")
    write_mask(np.zeros(SIZE, bool), folder / "nothing.png")
    (folder / "notes.png").write_text("not a picture")
    return folder


@pytest.fixture(autouse=True)
def uploaded(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files lie where Gradio puts what a visitor uploads."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(files))


@pytest.fixture(scope="module")
def case(predictor: Predictor, files: Path) -> Case:
    masks = [str(files / n) for n in ("doctor_a.png", "doctor_b.png", "nothing.png")]
    return open_case(predictor.predict, str(files / "chest.png"), masks)


@pytest.fixture(scope="module")
def drawings(case: Case) -> list[dict[str, Any]]:
    """The case's masks as the page sends them."""
    return json.loads(json.dumps([{"reader": m.reader, "kind": m.kind, "counts": runs(m.mask)} for m in case.masks]))


@pytest.fixture(scope="module")
def blocks(predictor: Predictor) -> gr.Blocks:
    return inside(lambda: frame.build(predictor, predictor))


@pytest.fixture(scope="module")
def callback(blocks: gr.Blocks) -> Callable[[str], Callback]:
    """A screen's callback by its name; answers are by the elements' ids, those without one by their type."""

    def named(name: str) -> Callback:
        function = next(f.fn for f in blocks.fns.values() if f.name == name and f.fn is not None)
        return lambda *given: {c.elem_id or type(c).__name__: v for c, v in function(*given).items()}

    return named


def test_the_table_says_what_the_prediction_says(case: Case) -> None:
    text = words.agreement(case.prediction)
    found = case.prediction.to_json("chest.png")["agreement"]
    tables = re.findall(r"<table>(.*?)</table>", text)
    assert len(tables) == 2
    for table, one in zip(tables, found, strict=False):
        rows = dict(re.findall(r'<th scope="row" title=".*?">(.*?)</th>(.*?)</tr>', table))
        for score in SCORES:
            cells = re.findall("<td>(.*?)</td>", rows[score.name])
            assert cells == [
                score_text(m[score.key]) for m in (one, one["controls"]["random"], one["controls"]["centre"])
            ]
        assert one["reader"] in table
        assert f"{one['area_fraction']:.1%}" in table
    assert "nothing: the mask is empty" in text


def test_the_page_is_given_the_table_of_scores() -> None:
    stage = inside(Stage)
    assert [tuple(score.values()) for score in stage.html.props["scores"]] == [
        (s.key, s.name, s.hint, s.low, s.high) for s in SCORES
    ]


def test_the_what_if_strip_shows_what_the_model_saw_and_what_it_made_of_it(case: Case) -> None:
    text = words.agreement(case.prediction)
    pictures = re.findall(r'src="data:image/png;base64,(.*?)"', text)
    frames = case.prediction.what_if_frames
    assert frames is not None
    for picture, wanted in zip(pictures, frames, strict=True):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(picture)))), wanted)
    what_if, predicted = case.prediction.what_if, case.prediction.predicted
    assert what_if is not None
    shares = [case.prediction.probabilities, what_if["lesion_removed"], what_if["lesion_only"]]
    assert re.findall(r"<figcaption>.*?<b>(.*?)</b>", text) == [escape(words.percent(p[predicted])) for p in shares]


def test_figures_read_as_they_are() -> None:
    assert [words.percent(p) for p in (0, 0.004, 0.5, 0.812, 0.998, 1)] == [
        "<1%", "<1%", "50%", "81%", ">99%", ">99%",
    ]  # fmt: skip
    assert [score_text(v) for v in (None, True, False, 1.0, 0.125)] == ["\u2013", "yes", "no", "1.00", "0.12"]


def test_the_summary_names_file_class_warnings_and_every_probability(case: Case) -> None:
    prediction = replace(case.prediction, warnings=(Caution("unlikely_finding", "It is too low."),))
    text = words.summary(case.name, prediction, ["<b>.json: nothing"])
    assert '<p class="hint">&lt;b&gt;.json: nothing</p>' in text
    assert "chest.png" in text
    assert "It is too low." in text
    assert f"<h2>{prediction.predicted} " in text
    assert text.index(">Clear</th>") != text.index(">Opacity</th>")
    assert sum(float(p) for p in re.findall(r"--share: ([\d.]+)%", text)) == pytest.approx(100, abs=0.2)


def test_no_text_from_outside_becomes_markup(case: Case, predictor: Predictor) -> None:
    name = "<script>alert(1)</script>"
    prediction = replace(case.prediction, agreement=tuple(replace(a, reader=name) for a in case.prediction.agreement))
    masks = [replace(m, reader=name) for m in case.masks]
    answer = compare(case.radiograph, masks, "attention", f"doctor:{name}", predictor=predictor).to_json(name)
    said = (words.summary(name, prediction), words.agreement(prediction), words.refusal(name), words.comparison(answer))
    for text in said:
        assert isinstance(text, Markup)
        assert "<script" not in text
        assert "&lt;script&gt;" in text


def test_the_screen_shows_a_case_keeps_it_after_a_bad_file_and_empties(
    callback: Callable[[str], Callback], files: Path
) -> None:
    show = callback("show")
    shown = show([str(files / "chest.png")], [str(files / "doctor_a.png")])
    assert shown["problem"] == ""
    assert shown["viewer"]["name"] == "chest.png"
    assert shown["inspected"]["visible"] is True
    assert "doctor_a" in shown["agreement"]
    assert shown["json"]["file"] == "chest.png"
    assert shown["Textbox"] == str(files / "chest.png")
    refused = show([str(files / "notes.png")], None)
    assert set(refused) == {"problem", "Column"}
    assert "notes.png" in refused["problem"]
    emptied = show(None, [str(files / "doctor_a.png")])
    assert emptied["inspected"]["visible"] is False
    assert emptied["start"]["visible"] is True
    assert emptied["viewer"] is emptied["summary"] is emptied["json"] is emptied["Textbox"] is None


def test_agreement_follows_the_drawing_and_not_the_files(
    callback: Callable[[str], Callback], files: Path, case: Case, drawings: list[dict[str, Any]]
) -> None:
    redrawn = callback("redrawn")
    chest = str(files / "chest.png")
    assert redrawn(chest, drawings)["json"] == case.prediction.to_json("chest.png")
    assert redrawn(chest, drawings[:1])["json"]["agreement"] == case.prediction.to_json("chest.png")["agreement"][:1]
    assert redrawn(chest, [])["json"]["agreement"] == []
    assert "do not fill" in redrawn(chest, [{"reader": "a", "counts": [3]}])["problem"]
    assert redrawn(None, drawings) == redrawn(chest, None) == redrawn("", []) == {}


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "{files}/gone.png", "{files}/../../x", str(shipped.CHECKPOINT / "model.json")]
)
def test_a_page_cannot_name_another_file_of_the_machine(
    callback: Callable[[str], Callback], blocks: gr.Blocks, files: Path, path: str
) -> None:
    path = path.format(files=files)
    assert "is gone; upload it again" in callback("redrawn")(path, [])["problem"]
    for function in (f.fn for f in blocks.fns.values() if f.name == "made"):
        with pytest.raises(gr.Error, match="is gone; upload it again"):
            function(path, [])


def test_two_explanations_are_compared_and_a_reader_that_is_gone_gives_way(
    blocks: gr.Blocks, files: Path, case: Case, drawings: list[dict[str, Any]], predictor: Predictor
) -> None:
    function = next(f for f in blocks.fns.values() if f.name == "show" and len(f.inputs) == 4)
    ids = {c.elem_id: c for c in function.outputs}
    answer_of = next(c for c in function.outputs if isinstance(c, gr.JSON))
    chest = str(files / "chest.png")
    found = function.fn(chest, "grad_cam", "doctor:doctor_b", drawings)
    wanted = compare(case.radiograph, case.masks, "grad_cam", "doctor:doctor_b", predictor=predictor, other=predictor)
    assert found[answer_of] == wanted.to_json("chest.png")
    assert "The two maps against each other" in found[ids["compared"]]
    assert ("doctor_b", "doctor:doctor_b") in found[ids["compare-b"]]["choices"]
    gone = function.fn(chest, "grad_cam", "doctor:doctor_b", drawings[:1])
    assert not {"value"} & {*found[ids["compare-a"]], *found[ids["compare-b"]]}, "a later choice would be undone"
    assert gone[ids["compare-b"]]["value"] == "attention_b"
    assert function.fn(None, "random", "random", drawings)[answer_of] is None
    bad = function.fn(str(files / "notes.png"), "random", "random", [])
    assert "notes.png is not a PNG" in bad[ids["compare-problem"]]


@pytest.mark.parametrize("form", FORMATS.values())
@pytest.mark.parametrize("count", [1, 3])
def test_a_saved_mask_read_again_is_the_same_bit_for_bit(
    form: str, count: int, files: Path, case: Case, drawings: list[dict[str, Any]]
) -> None:
    file = saved(form, str(files / "chest.png"), drawings[:count])
    data = base64.b64decode(file["data"])
    parts = {file["name"]: data}
    if file["name"].endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
    masks = {
        a.reader: a.mask
        for name, part in parts.items()
        if not name.endswith("-radiograph.dcm")
        for a in read_annotations(part, SIZE, name=name, radiograph="chest.png")
    }
    assert set(masks) == {m.reader for m in case.masks[:count]}
    for m in case.masks[:count]:
        assert np.array_equal(masks[m.reader], m.mask)


def test_without_a_mask_there_is_nothing_to_save(blocks: gr.Blocks, files: Path) -> None:
    made = [f.fn for f in blocks.fns.values() if f.name == "made"]
    assert len(made) == 5
    for function in made:
        with pytest.raises(gr.Error, match="There is no case to save"):
            function(None, None)
    for function in made[:3]:
        with pytest.raises(gr.Error, match="There is no mask to save"):
            function(str(files / "chest.png"), [])


def test_a_reader_cannot_name_a_file_outside_of_the_archive(files: Path, drawings: list[dict[str, Any]]) -> None:
    named = [{**d, "reader": name} for d, name in zip(drawings, ("../../etc/x", "C:\\a", ".."), strict=True)]
    data = base64.b64decode(saved("png", str(files / "chest.png"), named)["data"])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert not [n for n in archive.namelist() if re.search(r"[/\\:]", n) or n.startswith(".")]


def test_every_button_makes_a_whole_file_of_its_kind(
    blocks: gr.Blocks, files: Path, drawings: list[dict[str, Any]]
) -> None:
    made = [f.fn(str(files / "chest.png"), drawings) for f in blocks.fns.values() if f.name == "made"]
    assert {f["name"]: (f["type"], base64.b64decode(f["data"])[:4]) for f in made[:2] + made[3:]} == {
        "chest-masks.zip": ("application/zip", b"PK\x03\x04"),
        "chest-masks.json": ("application/json", b'{"in'),
        "chest-report.png": ("image/png", b"\x89PNG"),
        "chest-report.pdf": ("application/pdf", b"%PDF"),
    }
