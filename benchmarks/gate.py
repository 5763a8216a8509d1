"""Which pictures does a checkpoint refuse to read? Test radiographs of each source, and pictures that are none.

The others are scikit-image's own, pictures of this project's screens, noise, and test radiographs that were turned,
cropped to a quarter or inverted. None of them was seen when the gate was fitted or its limit set; but pictures of these
kinds, and test radiographs, were in view when the stage of its features was chosen among five.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from deep_pneumonia.configuration import guarded
from deep_pneumonia.manifest import Case, read_manifests
from deep_pneumonia.metrics import auroc, bootstrap, mean
from deep_pneumonia.radiograph import Radiograph, decode
from deep_pneumonia.reader import SHIPPED, Reader

PICTURES = (
    "astronaut", "camera", "coins", "coffee", "chelsea", "moon", "page", "text", "brick", "grass", "gravel", "clock",
    "rocket", "hubble_deep_field", "immunohistochemistry", "horse", "cell", "checkerboard", "colorwheel",
)  # fmt: skip
SCREENS = Path(__file__).parent.parent / "docs" / "screens"
EVERY = 40  # of the test radiographs one in so many is turned, cropped and inverted


def others(cases: Sequence[Case]) -> Iterator[tuple[str, Radiograph]]:
    """Pictures that are no upright frontal chest radiograph, each with its kind."""
    for name in PICTURES:
        yield "photographs and drawings", picture(Image.fromarray(np.asarray(getattr(skimage.data, name)())))
    for path in sorted(SCREENS.glob("*.webp")):
        yield "screenshots", picture(Image.open(path))
    random = np.random.default_rng(0)
    for spread in (0.0, 0.05, 0.2):
        yield "blank and noise", grey(0.5 + spread * random.standard_normal((512, 512)))
    for case in cases[::EVERY]:
        pixels = decode(case.image).pixels
        height, width = pixels.shape
        yield "turned by 90 degrees", grey(np.rot90(pixels))
        yield "turned by 180 degrees", grey(np.rot90(pixels, 2))
        yield "cropped to a quarter", grey(pixels[: height // 2, : width // 2])
        yield "inverted", grey(1 - pixels)


def picture(image: Image.Image) -> Radiograph:
    """A picture as the decoder would give it: grey, with the share of its pixels that is coloured."""
    colours = np.asarray(image.convert("RGB"), np.float32) / 255
    spread = colours.max(axis=2) - colours.min(axis=2)
    luma = np.asarray(image.convert("L"), np.float32) / 255
    return Radiograph(luma, None, "PNG", float((spread > 0.1).mean()))


def grey(values: NDArray[np.floating]) -> Radiograph:
    """Grey values as a radiograph."""
    return Radiograph(np.ascontiguousarray(np.clip(values, 0, 1), dtype=np.float32), None, "PNG")


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: refused shares with intervals, and how well the distance tells the two apart."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.gate", description=__doc__)
    p.add_argument("--checkpoint", default=str(SHIPPED), metavar="DIR", help="checkpoint folder (default: the shipped)")
    p.add_argument("--manifest", action="append", required=True, metavar="CSV", help="manifest.csv; may be repeated")
    a = p.parse_args(argv)
    return guarded(lambda: gate(Reader.load(a.checkpoint), read_manifests(a.manifest)))


def gate(reader: Reader, known: Sequence[Case]) -> None:
    """Print the figures of one checkpoint."""
    cases = [c for c in known if c.split == "test"]
    own = [reader.strangeness(decode(c.image)) for c in tqdm(cases, "Radiographs", unit="image")]
    for source in sorted({c.source for c in cases}):
        chosen = [(s > 1, c.group) for s, c in zip(own, cases, strict=True) if c.source == source]
        refused = bootstrap(mean([float(r) for r, _ in chosen]), [group for _, group in chosen])
        print(f"{source}: refused {said(refused.value)} of {len(chosen)} test radiographs "
              f"({said(refused.low)} to {said(refused.high)})")  # fmt: skip
    strange = [
        (kind, reader.strangeness(r), reader.read(r).is_refused) for kind, r in tqdm(list(others(cases)), "Others")
    ]
    for kind in dict.fromkeys(kind for kind, _, _ in strange):
        found = [refused for k, _, refused in strange if k == kind]
        print(f"{kind}: refused {sum(found)} of {len(found)}")
    far = np.array([*own, *(s for _, s, _ in strange)])
    ours = np.arange(len(far)) >= len(own)
    print(f"AUROC of the distance, these against radiographs: {auroc(ours, far)(np.ones((1, len(far))))[0]:.3f}")


def said(share: float | None) -> str:
    """A share in per cent."""
    return "-" if share is None else f"{share:.1%}"


if __name__ == "__main__":
    sys.exit(main())
