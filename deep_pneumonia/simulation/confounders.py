"""Confounders: lead markers, burnt-in letters, tubes, lines and electrodes, which are not part of any mask.

All but the letters are radiopaque. They add to the optical path before the exposure, so noise and tone apply to them as
well. Letters are burnt into the finished image.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from deep_pneumonia.simulation.chest_ct import LOBES, STOMACH, TRACHEA, VENA_CAVA, ChestCT
from deep_pneumonia.simulation.projection import Pose, shadow_of

MARKER, LETTERS, TUBE, LINE, ELECTRODES = "side marker", "burnt-in letters", "gastric tube", "venous line", "electrodes"
KINDS = (MARKER, LETTERS, TUBE, LINE, ELECTRODES)
WORDS = ("PORTABLE", "SUPINE", "SEMI-ERECT", "AP", "ICU 4", "MOBILE AP")
SUPERSAMPLING = 4  # strokes are drawn at so many times the resolution, for smooth edges

Size = tuple[int, int]


def opaque(kinds: Sequence[str], ct: ChestCT, pose: Pose, size: Size, random: np.random.Generator) -> torch.Tensor:
    """The optical path (H, W) that the markers, tubes, lines and electrodes among `kinds` add."""
    pixel = pose.field / size[0]
    path = np.zeros(size, np.float32)
    if MARKER in kinds:
        path += 8 * _marker(size, pixel, random)
    if TUBE in kinds:
        path += _catheter(_gastric(ct, random), pose, size, width=4.5)
    if LINE in kinds:
        path += _catheter(_venous(ct, random), pose, size, width=2.2)
    if ELECTRODES in kinds:
        path += _electrodes(size, pixel, random)
    return torch.from_numpy(path)


def burn(picture: NDArray[np.float32], pixel: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Burn a white word into one of the upper corners of an image (H, W) in [0, 1].

    pixel: side of a pixel in mm. Returns a new image.
    """
    word = WORDS[int(random.integers(len(WORDS)))]
    place = (random.uniform(0.03, 0.12), random.choice([0.04, 0.74]))
    letters = _written(word, picture.shape, place, 9 / pixel)
    return np.maximum(picture, letters)


def _marker(size: Size, pixel: float, random: np.random.Generator) -> NDArray[np.float32]:
    """A slightly rotated lead letter L on the patient's left, which is on the right of the image."""
    place = (random.uniform(0.04, 0.16), random.uniform(0.86, 0.92))
    return _written("L", size, place, 14 / pixel, angle=random.uniform(-20, 20))


def _written(
    text: str, size: Size, place: tuple[float, float], height: float, angle: float = 0.0
) -> NDArray[np.float32]:
    """Letters (H, W) in [0, 1], `height` pixels high.

    place: their upper left corner (row, column) as shares of the sides. angle: in degrees.
    """
    canvas = Image.new("L", (size[1], size[0]))
    font = ImageFont.load_default(size=max(6.0, height * 1.35))
    corner = (place[1] * size[1], place[0] * size[0])
    ImageDraw.Draw(canvas).text(corner, text, fill=255, font=font)
    turned = canvas.rotate(angle, Image.Resampling.BICUBIC, center=corner)
    return np.asarray(turned, np.float32) / np.float32(255)


def _gastric(ct: ChestCT, random: np.random.Generator) -> torch.Tensor:
    """Points (N, 3) in mm along the oesophagus into the stomach."""
    windpipe, stomach = (ct.middle((i,)) for i in (TRACHEA, STOMACH))
    top, hiatus = windpipe.clone(), windpipe.clone()
    top[1], hiatus[1] = _top(ct), stomach[1] + 60
    back = torch.tensor([-25.0, 0.0, random.uniform(-4, 4)])
    return _spline(torch.stack([top + back, windpipe + back, hiatus + back, stomach + torch.tensor([0.0, 10.0, 0.0])]))


def _venous(ct: ChestCT, random: np.random.Generator) -> torch.Tensor:
    """Points (N, 3) in mm from the right side of the neck into the superior vena cava."""
    cava, top = ct.middle((VENA_CAVA,)), _top(ct)
    start = torch.tensor([cava[0] + 15, top, cava[2] - random.uniform(25, 45)])
    bend = torch.tensor([cava[0] + 10, cava[1] + 55, cava[2] - random.uniform(8, 15)])
    return _spline(torch.stack([start, bend, cava + torch.tensor([0.0, -random.uniform(5, 25), 0.0])]))


def _top(ct: ChestCT) -> float:
    return float(ct.place(torch.tensor([0.0, ct.box(LOBES)[1].stop, 0.0]))[1]) + 60


def _spline(points: torch.Tensor, count: int = 200) -> torch.Tensor:
    """`count` points (count, 3 or 2) of a smooth curve near a few points."""
    t = np.linspace(0, len(points) - 1, count)
    return torch.from_numpy(
        np.stack([ndimage.map_coordinates(p, [t], order=2, mode="nearest") for p in points.numpy().T], axis=1)
    )


def _catheter(places: torch.Tensor, pose: Pose, size: Size, width: float) -> NDArray[np.float32]:
    """Optical path (H, W) of a tube of `width` mm with a radiopaque stripe."""
    magnified = width * pose.magnification * size[0] / pose.field
    way = shadow_of(places, pose, size).flip(-1).numpy()
    return 0.10 * _stroke(way, size, magnified) + 0.35 * _stroke(way, size, magnified / 3)


def _electrodes(size: Size, pixel: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Optical path (H, W) of three round contacts on the skin and their leads."""
    path = np.zeros(size, np.float32)
    for row, column in ((0.16, 0.14), (0.14, 0.84), (0.7, 0.86)):
        y, x = ((p + random.uniform(-0.04, 0.04)) * n for p, n in zip((row, column), size, strict=True))
        end = (x + random.uniform(-0.1, 0.1) * size[1], size[0] * 1.02)
        middle = ((x + end[0]) / 2 + random.uniform(-0.08, 0.08) * size[1], (y + end[1]) / 2)
        lead = _spline(torch.tensor([(x, y), middle, end])).numpy()
        path += 0.4 * _stroke(lead, size, 1.6 / pixel)
        path += 0.9 * _stroke(np.array([(x, y), (x + 0.1, y)]), size, 9 / pixel)
    return path


def _stroke(way: NDArray[np.floating], size: Size, width: float) -> NDArray[np.float32]:
    """A line (H, W) in [0, 1] along points (x, y) in pixels, `width` pixels wide, with round ends."""
    canvas = Image.new("L", (size[1] * SUPERSAMPLING, size[0] * SUPERSAMPLING))
    draw, fine, radius = ImageDraw.Draw(canvas), way * SUPERSAMPLING, width * SUPERSAMPLING / 2
    draw.line([tuple(p) for p in fine.tolist()], fill=255, width=max(1, round(2 * radius)), joint="curve")
    for x, y in (fine[0], fine[-1]):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(canvas.reduce(SUPERSAMPLING), np.float32) / np.float32(255)
