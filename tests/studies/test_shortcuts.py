"""The benchmark of shortcuts: what it lays on frames, what it finds in them, and how it tells sources apart."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score

from deep_pneumonia.datasets.manifest import Case, read_manifests, write_manifest
from studies import shortcuts
from studies.burnt_in import alterations, bordered, corners, letters, marks, stamped, unmarked
from studies.source_probe import balanced_accuracy, told
from tests.phantom import draw, make_set

SIZE = 224


def frame(seed: int = 0) -> torch.Tensor:
    """A drawn radiograph in the model's frame, (1, 1, SIZE, SIZE)."""
    return torch.from_numpy(draw(seed, (SIZE, SIZE))[0])[None, None]


def eight_bit(image: torch.Tensor) -> np.ndarray:
    return (image[0, 0] * 255).round().numpy().astype(np.uint8)


@pytest.mark.parametrize("name", alterations())
def test_every_alteration_changes_a_frame_and_keeps_its_range(name: str) -> None:
    before = torch.cat([frame(1), frame(2)])
    kept = before.clone()
    after = alterations()[name](before)
    assert after.shape == before.shape
    assert 0 <= after.min() <= after.max() <= 1
    assert (after != before).flatten(1).any(1).all()
    assert torch.equal(before, kept)


@pytest.mark.parametrize(("anchor", "rows", "columns"), [("lt", 0, 0), ("rt", 0, 1), ("lb", 1, 0), ("rb", 1, 1)])
def test_letters_stand_whole_in_the_corner_asked_for(anchor: str, rows: int, columns: int) -> None:
    ink = letters("R", anchor, 0.1, SIZE) > 0.5
    y, x = ink.nonzero().T
    assert abs(int(y.max() - y.min() + 1) - 0.1 * SIZE) <= 1.5
    inset = [
        float(edge) / SIZE for edge in ((y.min(), SIZE - 1 - y.max())[rows], (x.min(), SIZE - 1 - x.max())[columns])
    ]
    assert all(0.02 < i < 0.05 for i in inset)


def test_a_border_and_corners_by_hand() -> None:
    images = torch.full((1, 1, 100, 100), 0.5)
    white = bordered(images, 1.0)[0, 0]
    assert (white[:5] == 1).all()
    assert (white[:, -5:] == 1).all()
    assert (white[5:-5, 5:-5] == 0.5).all()
    assert corners(100).sum() == 4 * 12 * 12
    assert corners(100)[:12, -12:].all()


@pytest.mark.parametrize("name", [n for n in alterations() if "," in n])
def test_letters_that_were_burnt_in_are_found_and_taken_out(name: str) -> None:
    before = frame()
    after = alterations()[name](before)
    added = (after - before)[0, 0] > 0.3
    found = marks(eight_bit(after))
    assert (found & added.numpy()).sum() > 0.8 * added.sum()
    assert (found & ~added.numpy()).sum() < 0.2 * added.sum()
    filled = unmarked(after, found[None])
    assert (filled - before).abs()[0, 0][added].mean() < 0.12 < (after - before).abs()[0, 0][added].mean()
    far = torch.from_numpy(~np.pad(found, 8)[8:-8, 8:-8]) & (after == before)[0, 0]
    assert (filled == after)[0, 0][far].float().mean() > 0.97


def test_nothing_is_found_in_radiographs_without_letters_nor_over_the_lungs() -> None:
    for seed in range(10):
        assert not marks(eight_bit(frame(seed))).any()
    middle = stamped(frame(), "R", "lt", 0.07).roll((90, 90), (-2, -1))
    assert not marks(eight_bit(middle))[80:130, 80:130].any()
    for rows, columns in ((slice(60), slice(60)), (slice(8, 12), slice(20, 120)), (slice(8, 10), slice(20, 22))):
        shape = frame()
        shape[..., rows, columns] = 1  # a plate, a line and a speck are no letters
        assert not marks(eight_bit(shape)).any()


def test_where_no_mark_was_found_a_frame_stays_as_it_is() -> None:
    before = frame()
    assert torch.allclose(unmarked(before, np.zeros((1, SIZE, SIZE), bool)), before)


def test_balanced_accuracy_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    truth = random.choice(["a", "b", "c"], 200, p=[0.7, 0.2, 0.1])
    said = np.where(random.random(200) < 0.6, truth, random.choice(["a", "b", "c"], 200))
    times = random.integers(0, 3, (4, 200))
    found = balanced_accuracy(truth.tolist(), said)(times.astype(float))
    for row, value in zip(times, found, strict=True):
        again = np.repeat(np.arange(200), row)
        assert value == pytest.approx(balanced_accuracy_score(truth[again], said[again]))


def probed(shuffle: bool) -> float:
    random = np.random.default_rng(0)
    sources = np.repeat(["a", "b", "c"], [150, 60, 30])
    means = {"a": 0.0, "b": 3.0, "c": -3.0}
    x = np.array([means[s] for s in sources])[:, None] + random.normal(size=(240, 5))
    if shuffle:
        sources = random.permutation(sources)
    train = np.arange(240) % 3 != 0
    said = told(x[train], sources[train].tolist(), [str(i // 2) for i in np.flatnonzero(train)], x[~train])
    return float(balanced_accuracy(sources[~train].tolist(), said)(np.ones((1, int((~train).sum()))))[0])


def test_sources_that_differ_are_told_and_shuffled_ones_are_not() -> None:
    assert probed(shuffle=False) > 0.9
    assert 0.2 < probed(shuffle=True) < 0.48  # chance is 1/3


def test_a_source_with_few_images_weighs_as_much_as_one_with_many() -> None:
    random = np.random.default_rng(0)
    sources = np.repeat(["many", "few"], [300, 30])
    x = random.normal(size=(330, 1)) + (sources == "few")[:, None]
    said = told(x, sources.tolist(), [str(i) for i in range(330)], np.array([[-1.0], [0.2], [0.8], [2.0]]))
    assert said.tolist() == ["many", "many", "few", "few"]  # the middle is 0.5; unweighed it would be 2.8


def case(number: int, source: str = "a", label: str = "Clear") -> Case:
    return Case(Path(f"{number}.png"), str(number), source, "train", label)


def test_a_draw_keeps_order_and_takes_as_many_of_each_source() -> None:
    cases = [case(i, "a" if i < 30 else "b") for i in range(40)]
    kept = shortcuts.drawn(cases, 12)
    assert [c.source for c in kept] == ["a"] * 12 + ["b"] * 10
    assert kept == sorted(kept, key=lambda c: int(c.patient)) == shortcuts.drawn(cases, 12)
    assert shortcuts.drawn(cases, 100) == cases


def test_only_sources_with_enough_images_are_compared() -> None:
    learned = [case(i, s, label) for i, (s, label) in enumerate([("a", "n"), ("b", "n"), ("b", "x")] * 25)]
    learned += [case(100, "few", "n")]
    tested = [case(i, s, label) for i, (s, label) in enumerate([("a", "n"), ("b", "x"), ("few", "n"), ("b", "n")])]
    rows, held, sources = shortcuts.comparable(learned, tested, ["n"])
    assert sources == ["a", "b"]
    assert held == [0, 3]
    assert len(rows) == 50


def test_the_command_prints_both_tables_of_each_checkpoint(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = read_manifests([make_set(tmp_path / s, source=s) for s in ("east", "west")])
    write_manifest(cases, tmp_path / "manifest.csv")
    monkeypatch.setattr(shortcuts, "LEAST", 4)
    asked = ["--manifest", str(tmp_path / "manifest.csv"), "--cache", str(tmp_path / "cache"), "--device", "cpu"]
    folder = str(trained / "checkpoint")
    assert shortcuts.main([*asked, "--checkpoint", folder, "--checkpoint", folder]) == 0
    said = capsys.readouterr().out
    assert said.count("12 images of the split val") == 2
    assert said.count("Source told from, all classes (east, west)") == 2
    assert said.count("Source told from, Clear alone (east, west)") == 2
    assert "PORTABLE AP, upper right" in said
    assert shortcuts.main([*asked, "--checkpoint", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: ")
