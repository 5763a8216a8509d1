"""The cache: files are decoded once, a change is seen, and a row is what the reader would read."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from deep_pneumonia.datasets.manifest import Case, MaskRef
from deep_pneumonia.errors import AnnotationError, DeepPneumoniaError, MaskSizeError, UnreadableFileError
from deep_pneumonia.masks.annotation import write_mask
from deep_pneumonia.prediction.checkpoint import Checkpoint
from deep_pneumonia.prediction.model_frame import InputRecipe, mask_to_model
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import decode
from deep_pneumonia.training import cache as module
from deep_pneumonia.training.cache import Cache, model_frame
from tests.phantom import draw, save_png

RECIPE = InputRecipe(32)
CPU = torch.device("cpu")
HALF: NDArray[np.bool_] = np.zeros((48, 40), np.bool_)
HALF[:, :20] = True


def case(folder: Path, seed: int, masks: tuple[MaskRef, ...] = ()) -> Case:
    image = save_png(draw(seed, (48, 40))[0], folder / f"{seed}.png")
    return Case(image, f"p{seed}", "drawn", "train", masks=masks)


def drawn(folder: Path, name: str, mask: NDArray[np.bool_] = HALF) -> MaskRef:
    write_mask(mask, folder / f"{name}.png")
    return MaskRef(folder / f"{name}.png", "pixel", name)


@pytest.fixture
def cases(tmp_path: Path) -> list[Case]:
    """Unknown, drawn, read as normal, drawn by one and read as normal by another."""
    normal = MaskRef(None, "normal", "B")
    return [
        case(tmp_path, 0),
        case(tmp_path, 1, (drawn(tmp_path, "A"),)),
        case(tmp_path, 2, (normal,)),
        case(tmp_path, 3, (drawn(tmp_path, "C", ~HALF), normal)),
    ]


def build(cases: list[Case], folder: Path, recipe: InputRecipe = RECIPE) -> Cache:
    return Cache(cases, recipe, folder / "cache", progress=False)


def entries(folder: Path) -> list[str]:
    return sorted(p.name for p in (folder / "cache").iterdir())


def test_who_has_a_mask_and_who_was_read(cases: list[Case], tmp_path: Path) -> None:
    cache = build(cases, tmp_path)
    assert cache.known.tolist() == [False, True, True, True]
    assert cache.mask_rows.tolist() == [-1, 0, -1, 1]
    assert cache.images.shape == (4, 32, 32)
    assert cache.masks.shape == (2, 32, 32)
    assert cache.images.dtype == cache.masks.dtype == np.uint8


def test_masks_of_several_readers_are_averaged(cases: list[Case], tmp_path: Path) -> None:
    cache = build(cases, tmp_path)
    alone, halved = cache.masks
    assert np.array_equal(alone, mask_to_model(HALF, 32))
    assert halved[:, :14].max() == 0
    assert np.abs(halved[:, 18:] - 127.5).max() <= 0.5  # one of two readers
    three = case(tmp_path, 4, (drawn(tmp_path, "D"), drawn(tmp_path, "E"), drawn(tmp_path, "F", ~HALF)))
    mask = model_frame(three, RECIPE)[1]
    assert (mask[0, 0], mask[0, -1]) == (170, 85)


def test_a_row_is_what_the_reader_reads(cases: list[Case], tmp_path: Path) -> None:
    network = AttentionNet(ModelConfig(width=8))
    predictor = Predictor(Checkpoint(network, ("a", "b"), "a", InputRecipe(32, 2, 97)), CPU)
    cache = build(cases, tmp_path, predictor.checkpoint.recipe)
    images, _ = cache.batch([3, 0], CPU)
    for row, index in enumerate((3, 0)):
        assert torch.equal(images[row : row + 1], predictor.model_input(decode(cases[index].image)))


def test_a_batch_holds_rows_in_the_order_asked(cases: list[Case], tmp_path: Path) -> None:
    cache = build(cases, tmp_path)
    images, masks = cache.batch(np.array([3, 0, 1]), CPU)
    assert images.shape == masks.shape == (3, 1, 32, 32)
    assert images.dtype == masks.dtype == torch.float32
    assert torch.equal(images[2, 0] * 255, torch.from_numpy(np.array(cache.images[1])).float())
    assert float(masks[0].max()) == pytest.approx(128 / 255)
    assert float(masks[1].max()) == 0
    assert torch.equal(masks[2, 0] * 255, torch.from_numpy(np.array(cache.masks[0])).float())


def test_files_are_decoded_once(cases: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build(cases, tmp_path)
    monkeypatch.setattr(module, "decode", lambda *_: pytest.fail("decoded again"))
    second = build(cases, tmp_path)
    assert np.array_equal(first.images, second.images)
    assert np.array_equal(first.masks, second.masks)
    assert np.array_equal(first.mask_rows, second.mask_rows)
    assert len(entries(tmp_path)) == 1


def test_a_changed_image_is_decoded_anew(cases: list[Case], tmp_path: Path) -> None:
    before = np.array(build(cases, tmp_path).images)
    save_png(draw(99, (48, 40))[0], cases[0].image)
    os.utime(cases[0].image, ns=(1, 1))
    after = build(cases, tmp_path).images
    assert not np.array_equal(before[0], after[0])
    assert np.array_equal(before[1:], after[1:])
    assert len(entries(tmp_path)) == 2


def test_a_changed_mask_is_read_anew(cases: list[Case], tmp_path: Path) -> None:
    path = tmp_path / "A.png"
    build(cases, tmp_path)
    size = path.stat().st_size
    write_mask(~HALF, path)
    path.write_bytes(path.read_bytes().ljust(size, b"\0"))
    assert path.stat().st_size == size  # so that only the time tells
    os.utime(path, ns=(1, 1))
    assert np.array_equal(build(cases, tmp_path).masks[0], mask_to_model(~HALF, 32))


def test_a_file_that_grew_is_read_anew_whatever_its_time(cases: list[Case], tmp_path: Path) -> None:
    path, time = cases[0].image, cases[0].image.stat().st_mtime_ns
    build(cases, tmp_path)
    path.write_bytes(path.read_bytes() + b"\0")
    os.utime(path, ns=(time, time))
    build(cases, tmp_path)
    assert len(entries(tmp_path)) == 2


def test_a_second_opinion_without_a_file_is_seen(tmp_path: Path) -> None:
    lesion, normal = drawn(tmp_path, "A"), MaskRef(None, "normal", "B")
    alone = case(tmp_path, 1, (lesion,))
    both = replace(alone, masks=(lesion, normal))
    assert build([alone], tmp_path).masks.max() == 255
    assert build([both], tmp_path).masks.max() == 128


def test_what_is_not_finished_does_not_stand_where_it_would_be_found(
    cases: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[str] = set()

    def watched(case: Case, recipe: InputRecipe) -> tuple[NDArray[np.uint8], ...]:
        seen.update(entries(tmp_path))
        return model_frame(case, recipe)

    monkeypatch.setattr(module, "model_frame", watched)
    build(cases, tmp_path)
    (partial,), (whole,) = seen, entries(tmp_path)
    assert partial == f".{whole}.partial"


def test_of_two_processes_that_build_the_same_the_first_one_counts(
    cases: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(case: Case, recipe: InputRecipe) -> tuple[NDArray[np.uint8], ...]:
        monkeypatch.setattr(module, "model_frame", model_frame)
        build(cases, tmp_path)  # another process does the whole meanwhile
        return model_frame(case, recipe)

    monkeypatch.setattr(module, "model_frame", overtaken)
    monkeypatch.setattr(module.os, "cpu_count", lambda: 1)
    late = build(cases, tmp_path)
    assert len(entries(tmp_path)) == 1
    assert np.array_equal(late.images, build(cases, tmp_path).images)


@pytest.mark.parametrize(
    "recipe", [InputRecipe(33), InputRecipe(32, low=1), InputRecipe(32, high=98), InputRecipe(32, detail=16)]
)
def test_another_recipe_is_another_cache(recipe: InputRecipe, cases: list[Case], tmp_path: Path) -> None:
    build(cases, tmp_path)
    assert build(cases, tmp_path, recipe).images.shape[1:] == (recipe.size, recipe.size)
    assert len(entries(tmp_path)) == 2


def test_grey_levels_of_the_weights_do_not_change_the_cache(cases: list[Case], tmp_path: Path) -> None:
    build(cases, tmp_path)
    build(cases, tmp_path, InputRecipe(32, mean=0.4, std=0.3))
    assert len(entries(tmp_path)) == 1


def test_the_order_of_the_cases_counts(cases: list[Case], tmp_path: Path) -> None:
    forwards, backwards = build(cases, tmp_path), build(cases[::-1], tmp_path)
    assert np.array_equal(forwards.images[::-1], backwards.images)
    assert backwards.mask_rows.tolist() == [0, -1, 1, -1]
    assert np.array_equal(forwards.masks[::-1], backwards.masks)


def test_a_set_without_a_lesion_has_no_masks(cases: list[Case], tmp_path: Path) -> None:
    cache = build([cases[0], cases[2]], tmp_path)
    assert cache.masks.shape == (0, 32, 32)
    assert cache.batch([0, 1], CPU)[1].max() == 0


def break_image(cases: list[Case]) -> None:
    cases[2].image.unlink()


def break_mask(cases: list[Case]) -> None:
    mask = cases[1].masks[0].path
    assert mask is not None
    mask.unlink()


def shrink_mask(cases: list[Case]) -> None:
    mask = cases[3].masks[0].path
    assert mask is not None
    write_mask(HALF[:20], mask)


@pytest.mark.parametrize(
    ("damage", "error", "name"),
    [(break_image, UnreadableFileError, "2.png"), (break_mask, AnnotationError, "A.png"),
     (shrink_mask, MaskSizeError, "C.png")],
)  # fmt: skip
def test_a_bad_file_is_named_and_leaves_no_half_cache(
    damage: Callable[[list[Case]], None], error: type[DeepPneumoniaError], name: str, cases: list[Case], tmp_path: Path
) -> None:
    damage(cases)
    with pytest.raises(error, match=name):
        build(cases, tmp_path)
    assert entries(tmp_path) == []
