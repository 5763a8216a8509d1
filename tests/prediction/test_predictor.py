"""Reading: one path for all; the command line and evaluation say what the reader says."""

import csv
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deep_pneumonia import evaluate, predict
from deep_pneumonia.datasets.manifest import read_manifests, write_manifest
from deep_pneumonia.errors import MaskSizeError
from deep_pneumonia.masks.annotation import Annotation, read_as_normal, write_mask
from deep_pneumonia.prediction.predictor import Prediction, Predictor
from deep_pneumonia.radiographs.radiograph import Radiograph, decode
from tests.phantom import draw, save_png


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("case")
    pixels, mask = draw(101, (300, 260), lesion=True)
    write_mask(mask, folder / "doctor.png")
    return save_png(pixels, folder / "chest.png"), folder / "doctor.png"


def read(predictor: Predictor, case: tuple[Path, Path]) -> Prediction:
    radiograph = decode(case[0])
    _, mask = draw(101, (300, 260), lesion=True)
    return predictor.predict(radiograph, [Annotation(mask, "A", "pixel"), read_as_normal(radiograph.size, reader="B")])


def finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(finite(v) for v in value.values())
    if isinstance(value, list):
        return all(finite(v) for v in value)
    return not isinstance(value, float) or math.isfinite(value)


def test_a_reading_is_whole_and_the_same_each_time(predictor: Predictor, case: tuple[Path, Path]) -> None:
    prediction = read(predictor, case)
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert prediction.predicted == max(prediction.probabilities, key=lambda c: prediction.probabilities[c])
    assert prediction.attention.shape == (300, 260)
    assert prediction.attention.dtype == np.float32
    assert 0 <= prediction.attention.min() <= prediction.attention.max() <= prediction.evidence
    assert prediction.finding == pytest.approx(
        sum(p for c, p in prediction.probabilities.items() if c != predictor.checkpoint.normal)
    )
    drawn, normal = (a.to_json() for a in prediction.agreement)
    assert drawn["hit"] in (True, False)
    assert set(drawn["controls"]) == {"random", "centre"}
    assert normal["iou"] is normal["hit"] is normal["controls"]["random"]["iou"] is None
    assert prediction.what_if is not None
    assert set(prediction.what_if) == {"lesion_removed", "lesion_only"}
    assert prediction.what_if["lesion_removed"] != prediction.probabilities
    document = prediction.to_json("chest.png")
    assert finite(document)
    assert json.dumps(document) == json.dumps(read(predictor, case).to_json("chest.png"))


def test_without_a_drawn_mask_there_is_nothing_to_compare(predictor: Predictor, case: tuple[Path, Path]) -> None:
    prediction = predictor.predict(decode(case[0]))
    assert prediction.agreement == ()
    assert prediction.what_if is None


def test_what_is_odd_about_a_picture_is_said(predictor: Predictor) -> None:
    plain = np.zeros((40, 100), np.float32)
    codes = {w.code for w in predictor.predict(Radiograph(plain, None, "PNG", colour=0.25)).warnings}
    assert {"colour", "shape", "small"} <= codes
    assert "colour" not in {w.code for w in predictor.predict(Radiograph(plain, None, "PNG", colour=0.0)).warnings}


def test_a_mask_of_another_size_is_refused(predictor: Predictor, case: tuple[Path, Path]) -> None:
    with pytest.raises(MaskSizeError, match="mask of A has"):
        predictor.predict(decode(case[0]), [Annotation(np.ones((3, 3), bool), "A", "pixel")])


def test_command_line_writes_what_the_reader_says(
    predictor: Predictor, trained: Path, case: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = [tmp_path / n for n in ("case.json", "case.png", "map.npy")]
    base = [str(case[0]), "--mask", str(case[1]), "--checkpoint", str(trained / "checkpoint"), "--device", "cpu"]
    files = ["--json", str(out[0]), "--report", str(out[1]), "--attention", str(out[2])]
    assert predict.main([*base, *files]) == 0
    printed = capsys.readouterr().out
    document = json.loads(out[0].read_text())
    expected = read(predictor, case)
    assert document["probabilities"] == expected.probabilities
    assert document["file"] == "chest.png"
    assert document["size"] == [300, 260]
    assert document["agreement"][0] == {**expected.agreement[0].to_json(), "reader": "doctor"}
    assert np.array_equal(np.load(out[2]), expected.attention)
    assert out[1].read_bytes().startswith(b"\x89PNG")
    assert f"Predicted: {expected.predicted}" in printed
    assert "Not a medical device" in printed
    assert predict.main([*base, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == document


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.png"], "missing.png"),
        (["{mask}", "--mask", "{small}"], "300"),
        (["{image}", "--checkpoint", "{folder}"], "model.json"),
        (["{image}", "--json", "{folder}/no/such/place.json"], "cannot be written"),
        (["missing.png", "--report", "{folder}/picture.gif"], ".png or .pdf"),
        (["missing.png", "--attention", "{folder}/map.png"], "map.png does not end in .npy"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str],
    words: str,
    trained: Path,
    case: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_mask(np.ones((5, 5), bool), tmp_path / "small.png")
    names = {"image": case[0], "mask": case[1], "folder": tmp_path, "small": tmp_path / "small.png"}
    filled = [a.format(**names) for a in arguments]
    if "--checkpoint" not in filled:
        filled += ["--checkpoint", str(trained / "checkpoint")]
    assert predict.main(filled) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error


def test_evaluation_reports_what_single_readings_say(
    predictor: Predictor, trained: Path, drawn_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = drawn_set.with_name("people.csv")
    known = read_manifests([drawn_set])
    write_manifest([replace(c, sex="FM"[i % 3 == 0], age="30") for i, c in enumerate(known)], people)
    arguments = ["--checkpoint", str(trained / "checkpoint"), "--manifest", str(people), "--split", "all"]
    assert evaluate.main([*arguments, "--out", str(tmp_path), "--device", "cpu"]) == 0
    printed = capsys.readouterr().out
    assert "drawn: 24 labelled images of 24 patients" in printed
    assert "  sex  F           16 images of 16 patients" in printed
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert finite(metrics)
    found = metrics["classification"]["drawn"]
    assert found["counts"] == {"Clear": 12, "Opacity": 12}
    where = metrics["localisation"]["drawn"]
    assert where["n"] == 12
    assert where["readers"] is None

    cases = read_manifests([people])
    predictions = [predictor.predict(r := decode(c.image), c.annotations(r.size)) for c in cases]
    right = [r.predicted == c.label for r, c in zip(predictions, cases, strict=True)]
    assert found["accuracy"]["value"] == pytest.approx(np.mean(right))
    ious = [r.agreement[0].scores.iou for r, c in zip(predictions, cases, strict=True) if c.has_lesion]
    assert where["attention"]["iou"]["value"] == pytest.approx(np.mean(ious))
    groups = metrics["subgroups"]["drawn"]
    women = [r for r, c in zip(right, cases, strict=True) if c.sex == "F"]
    assert groups["sex"]["F"]["accuracy"]["value"] == pytest.approx(np.mean(women))
    assert {k: groups["age"]["20-39"][k] for k in ("auroc_abnormal", "accuracy", "iou", "hit_rate")} == {
        **{k: found[k] for k in ("auroc_abnormal", "accuracy")},
        **{k: where["attention"][k] for k in ("iou", "hit_rate")},
    }
    sick = [r.predicted != "Clear" for r, c in zip(predictions, cases, strict=True) if c.has_lesion]
    assert groups["age"]["20-39"]["recall_abnormal"]["value"] == pytest.approx(np.mean(sick))
    with (tmp_path / "per_image.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [r["predicted"] for r in rows] == [r.predicted for r in predictions]
    for name in ("roc", "calibration", "confusion", "agreement", "overlays"):
        assert (tmp_path / f"{name}.png").stat().st_size > 5000


def test_evaluation_without_anything_to_measure_says_so(
    trained: Path, drawn_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = drawn_set.read_text().splitlines()
    image = drawn_set.parent / text[1].split(",")[0]
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(f"{text[0]}\n{image},p,drawn,test,Unheard,,,,,,,,\n")
    arguments = ["--checkpoint", str(trained / "checkpoint"), "--manifest", str(manifest), "--out", str(tmp_path / "o")]
    assert evaluate.main(arguments) == 2
    assert "Clear, Opacity" in capsys.readouterr().err
