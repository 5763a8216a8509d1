"""Which inputs does a checkpoint reject? Radiographs of each source, and pictures that are no radiographs.

Usage: python -m studies.gate --manifest CSV

Radiographs of one split should be accepted. The same rotated, inverted and cropped should be rejected, and so should
the pictures of `studies.gate_pictures` and `studies.gate_anatomy`. While the gate was designed, a part of every kind
was held back: half of the pictures, by a hash of their names, and some kinds as a whole.

A folder of your own holds one folder for each kind (or source, with --frontal). The files of one patient share the
beginning of their names up to the first "_".
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from tqdm import tqdm

from deep_pneumonia import shipped
from deep_pneumonia.cli import Help, guarded
from deep_pneumonia.datasets.manifest import SPLITS, Case, read_manifests
from deep_pneumonia.datasets.teaching_cases import load_cases
from deep_pneumonia.errors import SimulationError
from deep_pneumonia.evaluation.bootstrap import bootstrap
from deep_pneumonia.evaluation.metrics import auroc, mean
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import decode
from studies import gate_anatomy, gate_pictures
from studies.gate_pictures import Other, grey

EVERY = 20  # of the split's radiographs one in so many is turned, inverted and cropped


@dataclass(frozen=True, eq=False)
class Frontal:
    """A frontal radiograph that should be read."""

    source: str
    group: str
    image: Path


@dataclass(frozen=True)
class Seen:
    """What the gate made of one picture: above 1 it was refused. `kind` or source, `group` for intervals."""

    kind: str
    group: str
    strangeness: float
    is_unseen: bool = False


def frontals(cases: Sequence[Case], folder: str) -> list[Frontal]:
    """Radiographs of the split, the teaching cases, and those of a folder."""
    found = [Frontal(c.source, c.group, c.image) for c in cases]
    found += [Frontal("teaching cases", c.id, c.image) for c in load_cases(shipped.CASES)]
    return found + [Frontal(p.parent.name, patient(p), p) for p in files(folder)]


def files(folder: str) -> list[Path]:
    """Files one folder below `folder`, none for ""."""
    return sorted(p for p in Path(folder).glob("*/*") if p.is_file()) if folder else []


def patient(path: Path) -> str:
    """Whose a file of a folder is, by its name."""
    return path.parent.name + "/" + path.name.split("_")[0]


def others(cases: Sequence[Case], folder: str) -> Iterator[Other]:
    """Everything that should be refused."""
    yield from gate_pictures.pictures()
    yield from gate_anatomy.drawings()
    try:
        yield from gate_anatomy.slices()
        yield from gate_anatomy.laterals()
    except SimulationError as error:
        print(f"Left out, slices and lateral views of the chest CT: {error}", file=sys.stderr)
    for path in files(folder):
        yield Other(path.parent.name, path.name, decode(path), patient(path))
    for case in cases[::EVERY]:
        yield from altered(decode(case.image).pixels, case.group)


def altered(pixels: NDArray[np.float32], group: str) -> Iterator[Other]:
    """One radiograph (H, W) as it must not be given."""
    random = np.random.default_rng(list(group.encode()))
    height, width = pixels.shape
    top, left = (int(random.integers(2)) * (n // 2) for n in pixels.shape)
    page = np.full((2 * height, 2 * width), 0.97, np.float32)
    y, x = (int(random.integers(n)) for n in pixels.shape)
    page[y : y + height, x : x + width] = pixels
    made = {
        "turned by 90 degrees": np.rot90(pixels),
        "turned by 270 degrees": np.rot90(pixels, 3),
        "turned by 180 degrees": np.rot90(pixels, 2),
        "upside down": pixels[::-1],
        "inverted": 1 - pixels,
        "cropped to a quarter": pixels[top : top + height // 2, left : left + width // 2],
        "cropped to its upper half": pixels[: height // 2],
        "tilted by 45 degrees": ndimage.rotate(pixels, 45, order=1),
        "two side by side": np.block([pixels, pixels]),
        "four on one sheet": np.block([[pixels, pixels], [pixels, pixels]]),
        "small on a page": page,
    }
    for kind, picture in made.items():
        yield grey(kind, group, picture, group)


def gate(predictor: Predictor, cases: Sequence[Case], frontal: str, other: str) -> None:
    """Print the figures of one checkpoint."""
    chosen = tqdm(frontals(cases, frontal), "Radiographs", unit="image")
    ours = [Seen(f.source, f.group, predictor.strangeness(decode(f.image))) for f in chosen]
    made = tqdm(others(cases, other), "Others", unit="image")
    theirs = [Seen(o.kind, o.group or o.name, predictor.strangeness(o.radiograph), o.is_unseen) for o in made]
    print("Frontal radiographs, to be read: refused, and AUROC of the gate against all pictures below")
    for source in dict.fromkeys(s.kind for s in ours):
        own = [s for s in ours if s.kind == source]
        print(f"  {source:<28} {share(own)}   AUROC {against(own, theirs)}")
    print(f"Other pictures, to be refused: {'seen while designing':>27} {'kept back':>10}")
    for kind in dict.fromkeys(s.kind for s in theirs):
        halves = [[s for s in theirs if s.kind == kind and s.is_unseen == unseen] for unseen in (False, True)]
        print(f"  {kind:<40} {'':>6} {count(halves[0]):>9} {count(halves[1]):>10}")
    for unseen, words in ((False, "seen while designing"), (True, "kept back")):
        print(f"  all {words}: refused {share([s for s in theirs if s.is_unseen == unseen])}")


def count(pictures: Sequence[Seen]) -> str:
    """How many of how many are refused."""
    return f"{sum(s.strangeness > 1 for s in pictures)}/{len(pictures)}" if pictures else "-"


def share(pictures: Sequence[Seen]) -> str:
    """The refused share with its 95% interval over patients."""
    estimate = bootstrap(mean([float(s.strangeness > 1) for s in pictures]), [s.group for s in pictures])
    return f"{estimate:.1%} of {len(pictures)}"


def against(ours: Sequence[Seen], theirs: Sequence[Seen]) -> str:
    """AUROC of the gate's figure, with its interval; what a plain check refuses counts as farthest of all."""
    both = [*ours, *theirs]
    positive = np.arange(len(both)) >= len(ours)
    return f"{bootstrap(auroc(positive, np.array([s.strangeness for s in both])), [s.group for s in both]):.3f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: refused shares with intervals, and how well the gate's figure tells the two apart."""
    p = argparse.ArgumentParser(prog="python -m studies.gate", description=__doc__, formatter_class=Help)
    p.add_argument("--checkpoint", default=str(shipped.CHECKPOINT), metavar="DIR", help="checkpoint folder")
    p.add_argument("--manifest", action="append", required=True, metavar="CSV", help="manifest.csv; may be repeated")
    p.add_argument("--split", default="test", choices=SPLITS, help="radiographs that should be read")
    p.add_argument("--frontal", default="", metavar="DIR", help="more frontal radiographs, one folder a source")
    p.add_argument("--others", default="", metavar="DIR", help="more pictures that are none, one folder a kind")
    a = p.parse_args(argv)

    def work() -> None:
        cases = [c for c in read_manifests(a.manifest) if c.split == a.split]
        gate(Predictor.load(a.checkpoint), cases, a.frontal, a.others)

    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
