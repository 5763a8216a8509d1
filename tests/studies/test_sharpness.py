"""The study of sharpness: what its figures measure, and that a common detail takes the trace away."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from deep_pneumonia.datasets.manifest import Case, MaskRef, write_manifest
from studies.sharpness import BANDS, main, sharpness
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


def folder(place: Path, side: int, first: int) -> str:
    """The manifest of 30 normal patients whose drawings of 256 pixels were reduced to `side`."""
    cases = []
    for seed in range(first, first + 30):
        rng = np.random.default_rng(seed)
        grain = rng.normal(0, rng.uniform(0.1, 0.4), (256, 256))  # no two patients are equally sharp
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


def test_too_few_normal_images_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_manifest([Case(save_png(draw(0)[0], tmp_path / "0.png"), "p", "s", "train", "Clear")], tmp_path / "m.csv")
    assert main(["--manifest", str(tmp_path / "m.csv"), "--manifest", str(tmp_path / "m.csv")]) == 2
    assert "0 images read as normal, expected at least 20" in capsys.readouterr().err
