"""The study of sharpness: what its figures measure, what a common detail takes away, what --checkpoint adds."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from deep_pneumonia.datasets.manifest import Case, MaskRef, read_manifests, write_manifest
from deep_pneumonia.prediction.checkpoint import Checkpoint, save
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.training.cache import Cache
from studies.sharpness import BANDS, finding_probability, main, normal_images, sharpness
from tests.phantom import draw, save_png

SIDE = 192


def waves(cycles: int) -> NDArray[np.uint8]:
    """A frame with a bright wide wave, and faint ones of so many cycles a side."""
    x = np.arange(SIDE) / SIDE
    row = 128 + 60 * np.sin(2 * np.pi * 10 * x) + 10 * np.sin(2 * np.pi * cycles * x)
    return np.tile(np.rint(row), (SIDE, 1)).astype(np.uint8)


@pytest.mark.parametrize("number", range(len(BANDS)))
def test_each_band_sees_its_own_waves(number: int) -> None:
    low, high = BANDS[number]
    plain, seen = sharpness(waves(12)), sharpness(waves((low + high) // 2))
    rise = np.array(seen[1:]) - np.array(plain[1:])
    assert rise.argmax() == number
    assert seen[0] > plain[0], "the Laplacian sees them too"


def folder(place: Path, side: int, first: int, shade: float = 0) -> str:
    """The manifest of 30 normal patients whose drawings of 256 pixels were reduced to `side`.

    shade: added to the left half of each drawing.
    """
    cases = []
    for seed in range(first, first + 30):
        rng = np.random.default_rng(seed)
        grain = rng.normal(0, rng.uniform(0.1, 0.4), (256, 256))  # no two patients are equally sharp
        grain[:, :128] += shade
        pixels = torch.from_numpy(np.clip(draw(seed, (256, 256))[0] + grain, 0, 1).astype(np.float32))[None, None]
        reduced = F.interpolate(pixels, size=(side, side), mode="bilinear", antialias=True)[0, 0]
        image = save_png(reduced.numpy(), place / f"{seed}.png")
        cases.append(Case(image, f"p{seed}", "drawn", "train", "Clear", (MaskRef(None, "normal", "A"),)))
    write_manifest(cases, place / "manifest.csv")
    return str(place / "manifest.csv")


def test_a_common_detail_takes_the_trace_of_the_folder_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sharp, soft = folder(tmp_path / "sharp", 256, 0), folder(tmp_path / "soft", 64, 100)
    options = ["--size", "128", "--detail", "64", "--cache", str(tmp_path / "cache")]
    assert main(["--manifest", sharp, "--manifest", soft, *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    laplacian = [float(line.split()[1]) for line in lines if "Laplacian" in line]
    assert laplacian[0] > 0.9
    assert abs(laplacian[1] - 0.5) < 0.3


@pytest.fixture
def predictor(tmp_path: Path) -> Predictor:
    """A small network with random weights; frames of 64 pixels, detail 48, the normal class in the middle."""
    torch.manual_seed(0)
    network = AttentionNet(ModelConfig("shufflenet_v2_x0_5", classes=3, width=8))
    for _ in range(20):  # without statistics of batches, random weights answer the same to every image
        network(torch.rand(8, 1, 4, 4).repeat(1, 1, 16, 16))
    network.eval()
    save(Checkpoint(network, ("B", "Clear", "C"), "Clear", InputRecipe(64, detail=48), name="tiny"), tmp_path / "c")
    return Predictor.load(tmp_path / "c", "cpu")


@pytest.mark.usefixtures("predictor")
def test_a_checkpoint_adds_what_its_network_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, shaded = folder(tmp_path / "plain", 64, 0), folder(tmp_path / "shaded", 64, 100, shade=0.5)
    options = ["--checkpoint", str(tmp_path / "c"), "--cache", str(tmp_path / "cache")]
    assert main(["--manifest", plain, "--manifest", shaded, *options]) == 0
    out = capsys.readouterr().out
    assert "Folder told at 64 pixels, reduced to 48 first" in out, "the recipe is the checkpoint's"
    lines = [line.strip() for line in out.split("Folder told by tiny\n")[1].splitlines()]
    names = ("z, pooled by the map", "mean of the features", "thumbnail of 16 x 16", "probability of a finding")
    assert len(lines) == len(names)
    assert all(line.startswith(name) for line, name in zip(lines, names, strict=True))
    assert float(lines[2].removeprefix(names[2]).split()[0]) > 0.95, "a shaded half shows in a thumbnail"


def test_the_probability_of_a_finding_is_that_of_all_classes_but_the_normal_one(
    predictor: Predictor, tmp_path: Path
) -> None:
    cases = read_manifests([folder(tmp_path / "drawn", 64, 0)])[:5]
    data = Cache(cases, predictor.checkpoint.recipe, tmp_path / "cache", progress=False)
    with torch.inference_mode():
        p = predictor.network(data.batch(np.arange(5), torch.device("cpu"))[0]).logits.softmax(1).numpy()
    found = finding_probability(predictor, data, batch=2)
    assert found == pytest.approx(p[:, [0]] + p[:, [2]], abs=1e-6)
    assert np.ptp(found) > 1e-5


def test_a_limit_leaves_images_all_over_the_manifest(tmp_path: Path) -> None:
    manifest = folder(tmp_path / "drawn", 64, 0)
    patients = [[case.group for case in normal_images(manifest, limit)] for limit in (30, 29, 10)]
    assert patients == [[f"drawn/p{i}" for i in range(0, 30, step)] for step in (1, 2, 3)]


def test_a_limit_below_what_the_folds_need_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--manifest", "a.csv", "--manifest", "b.csv", "--limit", "19"])
    assert "--limit 19 is out of range, expected 20 or more" in capsys.readouterr().err


def test_too_few_normal_images_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_manifest([Case(save_png(draw(0)[0], tmp_path / "0.png"), "p", "s", "train", "Clear")], tmp_path / "m.csv")
    assert main(["--manifest", str(tmp_path / "m.csv"), "--manifest", str(tmp_path / "m.csv")]) == 2
    assert "0 images read as normal, expected at least 20" in capsys.readouterr().err
