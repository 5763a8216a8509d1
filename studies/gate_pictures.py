"""Pictures that are no frontal chest radiograph for `studies.gate`: samples from packages, drawings, pages and noise.

Each picture has a kind. A kind is either split in halves, one of which was used while the gate was designed, or held
back as a whole (`HELD_BACK`). A hash of its name decides the half of a picture, so nobody chose it.
"""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib.cbook
import numpy as np
import pydicom.data
import skimage.data
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from sklearn.datasets import load_sample_image

from deep_pneumonia.radiographs.channels import MIN_COLOUR_RANGE
from deep_pneumonia.radiographs.radiograph import Radiograph, decode

PHOTOGRAPHS = (
    "astronaut", "camera", "coins", "coffee", "chelsea", "moon", "clock", "rocket", "hubble_deep_field", "horse",
    "brick", "grass", "gravel", "retina", "immunohistochemistry", "cell", "microaneurysms", "logo",
)  # fmt: skip
SCREENS = Path(__file__).parent.parent / "docs" / "screens"
# Of pydicom: head, spine, liver and belly in CT and MR, ultrasound, a bone scan, a dose, test patterns.
DICOM = (
    "693_J2KI.dcm", "CT_small.dcm", "ExplVR_BigEnd.dcm", "J2K_pixelrep_mismatch.dcm", "JPGExtended.dcm", "MR_small.dcm",
    "SC_rgb_jpeg.dcm", "SC_rgb_rle.dcm", "examples_rgb_color.dcm", "examples_overlay.dcm", "image_dfl.dcm",
    "liver_1frame.dcm",
)  # fmt: skip
WORDS = "The heart is not enlarged. No focal consolidation is seen. Please correlate with the clinical findings. "
# Kinds of which none was looked at while the gate was designed; the last five are folders given by --others.
HELD_BACK = frozenset({
    "medical pictures in DICOM", "faces", "charts", "clouds of noise", "drawn skulls", "four on one sheet",
    "small on a page", "two side by side", "hands", "limbs", "skulls", "teeth", "CT figures",
})  # fmt: skip


@dataclass(frozen=True, eq=False)
class Other:
    """A picture that should be refused: its kind, its name, and whose it is, for intervals over patients."""

    kind: str
    name: str
    radiograph: Radiograph
    group: str = ""

    @property
    def is_unseen(self) -> bool:
        """Whether it was kept back while the gate was designed."""
        return self.kind in HELD_BACK or is_kept_back(self.group or self.name)


def is_kept_back(name: str) -> bool:
    """A coin that always falls the same way for a name."""
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 1


def pictures() -> Iterator[Other]:
    """All kinds of this file."""
    yield from photographs()
    for path in sorted(SCREENS.glob("*.webp")):
        yield picture("screenshots", path.stem, Image.open(path))
    for name in DICOM:
        path = pydicom.data.get_testdata_file(name, download=False)
        if path:
            yield Other("medical pictures in DICOM", name, decode(str(path)))
    yield from pages()
    yield from patterns()
    yield from noise()


def photographs() -> Iterator[Other]:
    """Photographs in colour and the same in grey, which their colour does not betray; faces of 25 x 25 pixels."""
    for name in PHOTOGRAPHS:
        yield from both(name, Image.fromarray(np.asarray(getattr(skimage.data, name)())))
    for name in ("china.jpg", "flower.jpg"):
        yield from both(name, Image.fromarray(load_sample_image(name)))
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as stream:
        yield from both("grace_hopper", Image.open(stream))
    for place, face in enumerate(skimage.data.lfw_subset()[:100:10]):
        yield grey("faces", f"face {place}", face)


def both(name: str, image: Image.Image) -> Iterator[Other]:
    """A picture in its colours, where it has any, and in grey."""
    if image.mode not in ("1", "L"):
        yield picture("photographs in colour", name, image)
    yield picture("photographs in grey", name, image.convert("L"))


def pages() -> Iterator[Other]:
    """Pages of text, black on white and white on black, and charts."""
    for place, size in enumerate((14, 20, 28, 40, 60, 90)):
        for ink, paper in ((0, 255), (230, 20)):
            page = Image.new("L", (800, 1000), paper)
            draw = ImageDraw.Draw(page)
            draw.multiline_text((40, 40), _wrapped(WORDS * 20, 1400 // size), ink, ImageFont.load_default(size))
            yield picture("pages of text", f"page {place} {ink}", page)
    for kind in ("lines", "bars", "points", "map", "pie"):
        yield picture("charts", kind, chart(kind))
    for name in ("page", "text"):
        yield grey("pages of text", name, getattr(skimage.data, name)() / 255)


def _wrapped(text: str, width: int) -> str:
    return "\n".join(text[i : i + width] for i in range(0, len(text), width)[:60])


def chart(kind: str) -> Image.Image:
    """A chart as a report holds it."""
    random = np.random.default_rng(0)
    figure = Figure(figsize=(5, 5), dpi=100)
    axes = figure.subplots()
    y = random.random(12).cumsum()
    match kind:
        case "lines":
            axes.plot(np.c_[y, y[::-1]])
        case "bars":
            axes.bar(range(12), y)
        case "points":
            axes.scatter(random.random(80), random.random(80))
        case "map":
            axes.imshow(random.random((8, 8)))
        case "pie":
            axes.pie(y[:5])
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return Image.open(stream).convert("RGB")


def patterns() -> Iterator[Other]:
    """Blanks of one grey, gradients, stripes, boards and discs."""
    y, x = np.mgrid[0:512, 0:512] / 511
    away = np.hypot(x - 0.5, y - 0.5)
    for level in (0.0, 0.2, 0.5, 0.8, 1.0):
        yield grey("blanks", f"blank {level}", np.full((512, 512), level))
        yield grey("blanks", f"blank with dust {level}", np.where((x == x[0, 9]) & (y < 0.01), 1 - level, level))
    shapes = {
        "to the right": x,
        "to the left": 1 - x,
        "down": y,
        "up": 1 - y,
        "slanting": (x + y) / 2,
        "from the middle": 1 - 1.4 * away,
        "to the middle": 1.4 * away,
        "saddle": 0.5 + 2 * (x - 0.5) * (y - 0.5),
    }
    for name, values in shapes.items():
        yield grey("gradients", name, values)
    for count in (4, 8, 16, 32, 64):
        yield grey("stripes and boards", f"upright {count}", np.floor(x * count) % 2)
        yield grey("stripes and boards", f"lying {count}", np.floor(y * count) % 2)
        yield grey("stripes and boards", f"board {count}", (np.floor(x * count) + np.floor(y * count)) % 2)
        yield grey("stripes and boards", f"waves {count}", 0.5 + 0.5 * np.sin(count * 6.28 * away))
    for side in (0.1, 0.2, 0.3, 0.4):
        yield grey("discs and frames", f"disc {side}", away < side)
        yield grey("discs and frames", f"soft disc {side}", np.exp(-((away / side) ** 2)))
        yield grey("discs and frames", f"frame {side}", np.maximum(abs(x - 0.5), abs(y - 0.5)) > side)
        two = np.minimum(np.hypot(x - 0.3, (y - 0.5) / 1.5), np.hypot(x - 0.7, (y - 0.5) / 1.5))
        yield grey("discs and frames", f"two ovals {side}", two > side / 2)


def noise() -> Iterator[Other]:
    """Noise of each pixel alone, and smooth clouds of it, whose spectrum is that of natural pictures."""
    for seed in range(6):
        random = np.random.default_rng(seed)
        flat = random.random((512, 512))
        yield grey("noise of single pixels", f"even {seed}", flat)
        yield grey(
            "noise of single pixels", f"normal {seed}", 0.5 + 0.03 * 2**seed * random.standard_normal((512, 512))
        )
        yield grey("noise of single pixels", f"salt {seed}", np.where(flat < 0.02 * 2**seed, 1.0, 0.5))
        for width in (2, 8, 24, 64):
            smooth = ndimage.gaussian_filter(random.standard_normal((512, 512)), width, mode="wrap")
            yield grey("noise in spots", f"{seed} {width}", 0.5 + 0.2 * smooth / smooth.std())
        frequency = np.hypot(np.fft.fftfreq(512)[:, None], np.fft.fftfreq(512)[None]) + 1 / 512
        for power in (0.7, 1.0, 1.5):
            cloud = np.fft.ifft2(np.fft.fft2(random.standard_normal((512, 512))) / frequency**power).real
            yield grey("clouds of noise", f"{seed} {power}", 0.5 + 0.2 * cloud / cloud.std())


def picture(kind: str, name: str, image: Image.Image) -> Other:
    """A picture as the decoder would give it: grey, with the share of its pixels that is coloured."""
    channels = np.asarray(image.convert("RGB"))
    colour = float(np.mean(np.ptp(channels, axis=2) > MIN_COLOUR_RANGE))
    luma = np.asarray(image.convert("L")).astype(np.float32) / np.float32(255)
    return Other(kind, name, Radiograph(luma, None, "PNG", colour))


def grey(kind: str, name: str, values: NDArray[np.floating | np.bool_], group: str = "") -> Other:
    """Grey values as a picture; what lies outside of [0, 1] is cut off."""
    pixels = np.ascontiguousarray(np.clip(values, 0, 1), dtype=np.float32)
    return Other(kind, name, Radiograph(pixels, None, "PNG"), group)
