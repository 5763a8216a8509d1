"""The verb review: cases with a list of what was found, predictions that continue where they stopped, plain errors."""

from pathlib import Path

import numpy as np
import pytest

from deep_pneumonia import review
from deep_pneumonia.datasets.manifest import Case, read_manifests
from deep_pneumonia.masks.annotation import Annotation, write_mask
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.worklist.collect import cases_from
from deep_pneumonia.worklist.predictions import Predictions
from deep_pneumonia.worklist.rows import one_row
from deep_pneumonia.worklist.workspace import Workspace
from tests.phantom import draw, save_png
from tests.work_lists import SIZE, full_state


def chest(path: Path, seed: int = 0) -> Path:
    return save_png(draw(seed, SIZE)[0], path)


def test_a_manifest_a_prepared_and_an_exported_folder_give_their_cases(drawn_set: Path, tmp_path: Path) -> None:
    wanted = read_manifests([drawn_set])
    assert list(cases_from(drawn_set)) == list(cases_from(drawn_set.parent)) == wanted
    space = Workspace(tmp_path / "space")
    space.add(wanted)
    assert review.main(["export", str(tmp_path / "out"), "--workspace", str(space.folder)]) == 0
    assert Workspace(tmp_path / "other").add(cases_from(tmp_path / "out")) == 24


@pytest.fixture
def listed(tmp_path: Path, drawn_set: Path) -> Path:
    cases = read_manifests([drawn_set])[:4]
    Workspace(tmp_path / "list").add(cases)
    return tmp_path / "list"


def run(*arguments: object) -> int:
    return review.main([str(a) for a in arguments])


def test_reading_goes_on_where_it_stopped_and_reads_again_what_was_changed(
    listed: Path, trained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = trained / "checkpoint"
    options = ("--workspace", listed, "--checkpoint", checkpoint)
    read, seen = Predictor.predict, []

    def stops_at_the_third(*arguments: object) -> object:
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Predictor, "predict", stops_at_the_third)
    assert run("predict", *options, "--device", "cpu") == 130
    assert "the same command resumes" in capsys.readouterr().err
    space = Workspace(listed)
    (listed / "broken.png").write_bytes(b"no radiograph")
    space.add([Case(listed / "broken.png", "p", "own", "test")])
    assert run("predict", *options, "--device", "cpu") == 0
    assert len(seen) == 3 + 2  # two were read before
    out = capsys.readouterr().out
    assert "2 cases predicted, 1 could not be" in out
    assert "broken.png" in out
    space.draw(1, Annotation(np.eye(96, 80, dtype=bool), "Ben", "pixel"), version=0, author="Ben")
    assert run("predict", *options, "--device", "cpu") == 0
    assert "1 cases predicted, 0 could not be" in capsys.readouterr().out
    assert run("predict", *options, "--again", "--device", "cpu") == 0
    assert "0 cases predicted, 1 could not be" in capsys.readouterr().out
    assert run("status", *options) == 0
    counts = {line[:22].strip(): int(line[22:]) for line in capsys.readouterr().out.splitlines()}
    assert (counts["cases"], counts["masks"], counts["read as normal"], counts["readers"]) == (5, 3, 2, 2)
    assert (counts["predicted"], counts["could not be read"]) == (4, 1)
    assert run("report", listed / "list.pdf", *options) == 0
    assert (listed / "list.pdf").read_bytes().startswith(b"%PDF")


def test_a_refused_picture_has_no_class_in_the_list_but_opens(
    listed: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--workspace", listed, "--checkpoint", trained / "checkpoint")
    space = Workspace(listed)
    space.add([Case(save_png(np.full((96, 80), 90, np.uint8), listed / "grey.png"), "p", "own", "test")])
    assert run("predict", *options, "--device", "cpu") == 0
    out = capsys.readouterr().out
    assert "4 cases predicted, 1 could not be" in out
    assert "grey.png: This picture is blank" in out
    predictor = Predictor.load(trained / "checkpoint", "cpu")
    predictions = Predictions(space, predictor.checkpoint.key)
    line = one_row(space, predictions, 5)
    assert (line["predicted"], line["probability"], line["evidence"]) == (None, None, None)
    assert "blank" in line["warnings"]
    seen = predictions.make(5, predictor.predict)
    assert seen is not None
    assert seen.prediction.is_refused


def test_a_list_goes_out_and_comes_in_again(listed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space = Workspace(listed)
    space.judge(1, "Ana", "agree", version=0)
    assert run("export", tmp_path / "out.zip", "--radiographs", "--seg", "--workspace", listed) == 0
    assert "4 cases, 4 versions of masks, 1 versions of verdicts" in capsys.readouterr().out
    assert run("import", tmp_path / "out.zip", "--workspace", tmp_path / "other") == 0
    assert "New: 4 cases, 4 versions of masks, 1 versions of verdicts" in capsys.readouterr().out
    assert full_state(Workspace(tmp_path / "other")) == full_state(space)


def test_cases_are_added_and_known_ones_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chest(tmp_path / "set" / "a.png")
    chest(tmp_path / "set" / "b.png", 1)
    for new in (2, 0):
        assert run("add", tmp_path / "set", "--split", "val", "--workspace", tmp_path / "list") == 0
        said = capsys.readouterr().out
        assert f"set: {new} new cases{', 2 known ones stay as they were, without new masks' * (not new)}\n" in said
        assert "  2 radiographs without a mask, so unknown: a.png, b.png\n" in said
    assert {i.case.split for i in Workspace(tmp_path / "list").items()} == {"val"}


def test_what_was_found_and_left_out_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(12):
        chest(tmp_path / "set" / f"{number:02}.png", number)
    write_mask(np.eye(*SIZE, dtype=bool), tmp_path / "set" / "00-mask.png")
    write_mask(np.eye(9, dtype=bool), tmp_path / "set" / "01-mask.png")
    (tmp_path / "set" / "notes.txt").write_text("x")
    assert run("add", tmp_path / "set", "--workspace", tmp_path / "list") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1] == "  1 radiograph with masks: 00.png (00-mask.png)"
    assert said[2].startswith("  11 radiographs without a mask, so unknown: 01.png, ")
    assert said[2].endswith("10.png and 1 more")
    assert said[3].startswith("  Left out because text is not read")
    assert said[4].startswith(
        "  Left out: The mask 01-mask.png has 9 x 9 pixels (rows x columns) but its radiograph has"
    )
    assert run("add", tmp_path / "set", "--list-all", "--workspace", tmp_path / "list") == 0
    assert "10.png, 11.png\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "verb", [["predict"], ["status"], ["report", "out"], ["export", "out"], ["import", "nowhere"], ["add", "nowhere"]]
)
def test_what_cannot_be_is_one_line(
    tmp_path: Path, verb: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*verb, "--workspace", "list") == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "list").exists(), "a mistyped name begins no list"


def test_help_tells_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("add", "predict", "status", "report", "export", "import"):
        with pytest.raises(SystemExit) as stopped:
            run(verb, "--help")
        assert stopped.value.code == 0
        assert "--workspace DIR" in capsys.readouterr().out
