"""Faults of the disk during training: a full disk is one sentence, and damaged files of the cache are made anew."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from deep_pneumonia.datasets.manifest import Case, MaskRef
from deep_pneumonia.errors import DeepPneumoniaError, TrainingError
from deep_pneumonia.masks.annotation import write_mask
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.training import cache as module
from deep_pneumonia.training.cache import Cache
from deep_pneumonia.training.run import Run, load_tree, save_tree
from tests.full_disk import room_for
from tests.phantom import draw, save_png

NO_ROOM = "cannot be written, as there is no room left on its disk"


@dataclass(frozen=True)
class Options:
    """Options of a run that does not exist."""

    lr: float = 0.1


@pytest.fixture
def cases(tmp_path: Path) -> list[Case]:
    """Three small radiographs, one with a mask."""
    write_mask(np.eye(48, 40, dtype=np.bool_), tmp_path / "mask.png")
    masks = (MaskRef(tmp_path / "mask.png", "pixel", "A"),)
    images = [save_png(draw(seed, (48, 40))[0], tmp_path / f"{seed}.png") for seed in range(3)]
    return [Case(i, i.stem, "drawn", "train", masks=masks if n == 1 else ()) for n, i in enumerate(images)]


def build(cases: list[Case], folder: Path) -> Cache:
    return Cache(cases, InputRecipe(64), folder / "cache", progress=False)


def test_a_full_disk_ends_the_building_of_a_cache_before_the_first_image(
    cases: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched, room_for(8192):
        patched.setattr(module, "decode", lambda *_: pytest.fail("decoded before the room was taken"))
        with pytest.raises(TrainingError, match=NO_ROOM):
            build(cases, tmp_path)
    assert list((tmp_path / "cache").iterdir()) == []
    assert build(cases, tmp_path).images.shape == (3, 64, 64)


def test_a_disk_that_fills_while_images_are_decoded_is_told_too(
    cases: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_reserve", lambda *_: None)  # as on a disk that promises what it does not have
    with room_for(8192), pytest.raises(TrainingError, match=NO_ROOM):
        build(cases, tmp_path)
    assert list((tmp_path / "cache").iterdir()) == []


def test_without_fallocate_the_file_has_its_size(
    cases: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = np.array(build(cases, tmp_path / "with").images)
    monkeypatch.delattr(module.os, "posix_fallocate")
    assert np.array_equal(build(cases, tmp_path / "without").images, images)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _other_header(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"(3, 64, 64)", b"(4, 64, 64)"))


@pytest.mark.parametrize(
    "damage",
    [_cut, Path.unlink, _other_header, lambda p: p.write_bytes(b""), lambda p: p.write_bytes(p.read_bytes() + b"0")],
    ids=["cut short", "missing", "another shape", "empty", "too long"],
)
@pytest.mark.parametrize("name", ["images", "masks"])
def test_damaged_files_of_a_cache_are_made_anew(
    name: str, damage: Callable[[Path], object], cases: list[Case], tmp_path: Path
) -> None:
    first = build(cases, tmp_path)
    images, masks = np.array(first.images), np.array(first.masks)
    (home,) = (tmp_path / "cache").iterdir()
    assert np.array_equal(np.load(home / "images.npy"), images), "the file is a usual .npy file"
    damage(home / f"{name}.npy")
    again = build(cases, tmp_path)
    assert np.array_equal(again.images, images)
    assert np.array_equal(again.masks, masks)
    assert list((tmp_path / "cache").iterdir()) == [home]


def test_ctrl_c_ends_the_building_without_waiting_for_all_images(
    cases: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Case] = []

    def interrupted(case: Case, recipe: InputRecipe) -> tuple[module.Frames, module.Frames]:
        begun.append(case)
        if len(begun) == 1:
            raise KeyboardInterrupt
        time.sleep(0.01)
        return frames(case, recipe)

    frames = module.model_frame
    monkeypatch.setattr(module, "model_frame", interrupted)
    monkeypatch.setattr(module.os, "cpu_count", lambda: 1)
    with pytest.raises(KeyboardInterrupt):
        build(cases * 200, tmp_path)
    assert len(begun) < 600
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_full_disk_leaves_the_saved_state_and_the_log(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", Options(), {})
    run.log({"step": 1, "loss": 0.5})
    run.save(1, {"a": torch.ones(8)})
    with room_for(4096), pytest.raises(DeepPneumoniaError, match=NO_ROOM):
        run.save(2, {"a": torch.zeros(4096)})
    with room_for(8), pytest.raises(TrainingError, match=rf"log\.jsonl {NO_ROOM}"):
        run.log({"step": 2, "loss": 0.25})
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["config.json", "log.jsonl", "state.safetensors"]
    again = Run(tmp_path / "run", Options(), {})
    assert torch.equal((again.load() or {})["a"], torch.ones(8))
    assert again.records() == [{"step": 1, "loss": 0.5}]


@pytest.mark.parametrize(
    ("text", "why"), [("[1]", "no options"), ('{"config": ["lr"]}', "no options"), ("[" * 100_000, "recursion")]
)
def test_options_that_are_no_options_are_named(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(TrainingError, match=rf"config\.json is damaged \(.*{why}.*choose another --out"):
        Run(tmp_path, Options(), {})


def test_damaged_lines_of_the_log_are_left_out(tmp_path: Path) -> None:
    run = Run(tmp_path, Options(), {})
    run.save(3, {"a": torch.ones(1)})
    lines = ['{"step": 1}', "[1]", '{"step": "2"}', "\x00\x00", '{"loss": 1}', '{"step": 2}']
    (tmp_path / "log.jsonl").write_bytes("\n".join([*lines, ""]).encode() + b"\xff\n")
    assert run.records() == [{"step": 1}, {"step": 2}]


@pytest.mark.parametrize("step", [None, torch.ones(2), torch.tensor(0.5), torch.tensor(-1)])
def test_a_state_without_its_step_is_named(step: torch.Tensor | None, tmp_path: Path) -> None:
    run = Run(tmp_path, Options(), {})
    save_tree({"a": torch.ones(1), **({} if step is None else {"step": step})}, tmp_path / "state.safetensors")
    with pytest.raises(TrainingError, match=r"does not say after which step.*delete it to start the run again"):
        run.load()


def test_a_name_that_is_a_tensor_and_a_folder_is_damage(tmp_path: Path) -> None:
    save_tree({"a": torch.ones(1), "a/b": torch.ones(1)}, tmp_path / "x.safetensors")
    with pytest.raises(TrainingError, match=re.escape("x.safetensors is missing or damaged")):
        load_tree(tmp_path / "x.safetensors")
