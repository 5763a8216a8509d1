"""The benchmark of deletion: areas worked by hand, and a network of which it is known what its answer hangs on."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from deep_pneumonia.datasets.manifest import read_manifests
from deep_pneumonia.prediction.checkpoint import Checkpoint, Thresholds, save
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.training.cache import Cache
from studies import deletion
from studies.deletion import DRAWS, Effect, Probe, Row, areas, highest, marked, measure, moved, pixels, table


def network() -> AttentionNet:
    torch.manual_seed(0)
    return AttentionNet(ModelConfig("shufflenet_v2_x0_5", classes=2, width=8)).eval()


class Corner(Predictor):
    """Reads the brightness of the upper left quarter as the odds of an opacity, and marks that quarter or another."""

    def __init__(self, marks: tuple[int, int], level: float = 0.4) -> None:
        thresholds = Thresholds(attention=0.5)
        super().__init__(
            Checkpoint(network(), ("Clear", "Opacity"), "Clear", InputRecipe(64), thresholds), torch.device("cpu")
        )
        self.marks, self.level = marks, level

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, NDArray[np.float32]]:
        bright = images[:, 0, :32, :32].mean((1, 2))
        maps = np.zeros((len(images), 4, 4), np.float32)
        row, column = self.marks
        maps[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = 0.9
        return torch.stack([torch.zeros_like(bright), 8 * (bright - self.level)], dim=1), maps


def lit(count: int = 1) -> torch.Tensor:
    """Dark pictures whose upper left quarter is bright."""
    images = torch.full((count, 1, 64, 64), 0.2)
    images[:, :, :32, :32] = 0.9
    return images


def effects(predictor: Predictor, images: torch.Tensor, masks: torch.Tensor) -> list[dict[str, Effect]]:
    probe = Probe(predictor)
    _, maps = probe.probabilities(images)
    targets = torch.ones(len(images), dtype=torch.long)
    return probe._effects_by_way(images, masks, targets, maps, list(range(len(images))))


def test_the_map_marks_what_reaches_the_threshold_and_else_its_highest_twentieth() -> None:
    cells = torch.arange(100).view(10, 10) / 100
    assert marked(cells, 0.97).flatten().nonzero().flatten().tolist() == [97, 98, 99]
    assert marked(cells, 0.995).flatten().nonzero().flatten().tolist() == [95, 96, 97, 98, 99]
    assert int(marked(torch.zeros(14, 14), 0.5).sum()) == 10  # 9.8, rounded up


def test_of_equal_cells_the_first_are_the_highest() -> None:
    assert highest(torch.tensor([[0.5, 0.7], [0.7, 0.7]]), 2).tolist() == [[False, True], [True, False]]


def test_a_random_place_keeps_size_and_shape() -> None:
    area = torch.zeros(14, 14, dtype=torch.bool)
    area[2, 3:6] = area[3, 3] = True  # an L of four cells
    random = np.random.default_rng(0)
    places = [moved(area, random) for _ in range(400)]
    assert {int(p.sum()) for p in places} == {4}
    turned = [area.flip(axes) for axes in ((), (0,), (1,), (0, 1))]
    possible = {tuple(t.roll((i, j), (0, 1)).flatten().tolist()) for t in turned for i in range(14) for j in range(14)}
    found = {tuple(p.flatten().tolist()) for p in places}
    assert len(possible) == 4 * 196
    assert found <= possible
    assert len(found) > 250  # 400 draws of 784 find about 313
    assert torch.stack(places).float().mean(0).max() < 0.06  # 4 of 196 cells are 0.02: no place is favoured


def test_every_way_marks_as_many_cells_and_the_same_image_the_same() -> None:
    maps = torch.zeros(2, 4, 4)
    maps[0, 0, :3] = maps[1, 2, 2] = 0.9
    cams = torch.arange(16.0).view(4, 4).expand(2, 4, 4)
    found = areas(maps, cams, 0.5, [11, 12])
    assert {way: a.shape[0] for way, a in found.items()} == {
        "attention": 1,
        "random": DRAWS,
        "centre": 1,
        "grad_cam": 1,
    }
    for cells in found.values():
        assert cells.sum((2, 3)).tolist() == [[3, 1]] * len(cells)
    assert found["grad_cam"][0, 0].flatten().nonzero().flatten().tolist() == [13, 14, 15]
    alone = areas(maps[1:], cams[1:], 0.5, [12])
    assert torch.equal(alone["random"][:, 0], found["random"][:, 1])
    assert not torch.equal(found["random"][0], found["random"][1])


def test_a_cell_covers_its_square() -> None:
    cells = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    cells[0, 0, 1, 2] = True
    area = pixels(cells, torch.zeros(1, 1, 64, 64))
    assert area.shape == (1, 1, 1, 64, 64)
    assert area[0, 0, 0, 16:32, 32:48].all()
    assert area.sum() == 256


def test_taking_out_what_the_answer_hangs_on_takes_the_answer() -> None:
    images, masks = lit(), torch.zeros(1, 1, 64, 64)
    (right,), (wrong,) = effects(Corner((0, 0)), images, masks), effects(Corner((1, 1)), images, masks)
    before = float(torch.sigmoid(torch.tensor(8 * (0.9 - 0.4))))
    bare = float(torch.sigmoid(torch.tensor(8 * (0.2 - 0.4))))
    assert right["attention"].area == wrong["attention"].area == 0.25
    assert right["attention"].without == pytest.approx(bare, abs=0.02)  # filled from the dark around it
    assert right["attention"].alone == pytest.approx(before, abs=0.01)
    assert wrong["attention"].without == pytest.approx(before, abs=0.01)
    assert wrong["attention"].alone == pytest.approx(bare, abs=0.02)  # the dark spreads over the bright quarter
    assert bare < right["random"].without < before
    assert "doctor" not in right


def test_a_doctors_mask_is_measured_where_one_was_drawn() -> None:
    masks = torch.zeros(2, 1, 64, 64)
    masks[1, :, :32, :32] = 0.3  # of three readers one drew there
    first, second = effects(Corner((1, 1)), lit(2), masks)
    assert "doctor" not in first
    assert second["doctor"].area == 0.25
    assert second["doctor"].without < 0.25 < 0.95 < second["doctor"].alone


def test_images_are_those_with_a_lesion_or_a_finding_whatever_is_read_beside_them(
    drawn_set: Path, tmp_path: Path
) -> None:
    reader = Corner((0, 0))
    cases = read_manifests([drawn_set])
    data = Cache(cases, reader.checkpoint.recipe, tmp_path, progress=False)
    images, _ = data.batch(np.arange(len(cases)), reader.device)
    bright = images[:, 0, :32, :32].mean((1, 2)) > 0.4
    expected = {c.group for c, b in zip(cases, bright.tolist(), strict=True) if b or c.has_lesion}
    rows = measure(reader, data, "drawn", 100)
    assert sorted(r.patient for r in rows) == sorted(expected)
    assert {r.patient for r in rows if "doctor" in r.effects} == {c.group for c in cases if c.has_lesion}
    few = measure(reader, data, "drawn", 5)
    assert [r.patient for r in few] == [r.patient for r in rows[:5]]
    for row, again in zip(rows, few, strict=False):
        assert row.before == pytest.approx(again.before)
        assert row.effects["random"].without == pytest.approx(again.effects["random"].without, abs=1e-6)


def test_a_lesion_that_is_read_as_normal_is_asked_for_its_finding(drawn_set: Path, tmp_path: Path) -> None:
    reader = Corner((0, 0), level=1.5)  # no picture is that bright
    cases = read_manifests([drawn_set])
    rows = measure(reader, Cache(cases, reader.checkpoint.recipe, tmp_path, progress=False), "drawn", 100)
    assert {r.patient for r in rows} == {c.group for c in cases if c.has_lesion}
    assert all(0 < r.before < 0.5 for r in rows)


def test_the_table_gives_means_and_paired_differences() -> None:
    def row(patient: str, attention: float, random: float) -> Row:
        return Row(patient, 0.8, {"attention": Effect(0.1, attention, 0.7), "random": Effect(0.1, random, 0.3)})

    lines = table("nih", [row("a", 0.5, 0.7), row("b", 0.3, 0.5)]).splitlines()
    assert lines[0] == "nih: 2 images of 2 patients; probability of the likeliest finding 0.800 (0.800 to 0.800)"
    assert lines[2].split("  ")[1] == "attention"
    assert "0.400 (0.300 to 0.500)" in lines[2]
    assert "0.700 (0.700 to 0.700)" in lines[2]
    assert "0.200 (0.100 to 0.300)" in lines[3]
    assert "+0.200 (+0.200 to +0.200)" in lines[3]  # of each image the same: pairing leaves no doubt
    assert lines[3].endswith("+0.400 (+0.400 to +0.400)")
    assert len(lines) == 4


def test_the_command_prints_a_table_a_source(
    drawn_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(Checkpoint(network(), ("Clear", "Opacity"), "Clear", InputRecipe(64)), tmp_path / "checkpoint")
    arguments = ["--checkpoint", str(tmp_path / "checkpoint"), "--cache", str(tmp_path / "cache"), "--device", "cpu"]
    assert deletion.main([*arguments, "--manifest", str(drawn_set)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("drawn: ")
    assert printed[-1].startswith("  doctor's mask")
    save(Checkpoint(network(), ("Other", "None"), "None", InputRecipe(64)), tmp_path / "checkpoint")
    text = drawn_set.read_text().splitlines()
    image = drawn_set.parent / text[1].split(",")[0]
    (tmp_path / "manifest.csv").write_text(f"{text[0]}\n{image},p,drawn,val,Unheard,,,,,,,,\n")
    assert deletion.main([*arguments, "--manifest", str(tmp_path / "manifest.csv")]) == 2
    assert "Other, None" in capsys.readouterr().err
