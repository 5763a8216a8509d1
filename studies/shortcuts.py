"""Which shortcuts does a checkpoint use: the source of a radiograph, burnt-in letters, borders?

Usage: python -m studies.shortcuts --manifest CSV

Source: how well the source is predicted from the classifier's input, over images with a label and, because class
follows source in the public sets, over normal radiographs alone. Letters: how far the probability of the normal class
moves, and how often the predicted class changes, when letters are burnt in, borders masked and corners erased, and when
existing marks are removed. Everything happens in the model's frame. Lines in brackets serve for comparison.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from deep_pneumonia import shipped
from deep_pneumonia.cli import Help, guarded
from deep_pneumonia.datasets.manifest import Case, read_manifests
from deep_pneumonia.errors import ManifestError
from deep_pneumonia.evaluation.bootstrap import bootstrap
from deep_pneumonia.evaluation.metrics import mean
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.training.cache import Cache
from studies.burnt_in import alterations, marks, unmarked
from studies.source_probe import balanced_accuracy, features, told

FITTED = 500  # training images a source, at most, from which the source is learned; as many normal ones
LEAST = 20  # fewer training images than this and a source is left out
REMOVED, MIRRORED = "marks taken out", "(the same places mirrored)"
WIDE = 36

Moves = Mapping[str, tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.bool_]]]


def shortcuts(folder: str, cases: Sequence[Case], split: str, most: int, cache: Path, device: str) -> None:
    """Print the figures of one checkpoint.

    Raises:
        ManifestError: the split has no image with a label.
        CheckpointError, RadiographError: a file cannot be read.
    """
    predictor = Predictor.load(folder, device)
    normal, recipe = predictor.checkpoint.normal, predictor.checkpoint.recipe
    training = [c for c in cases if c.split == "train"]
    chosen = [c for c in cases if c.split == split]
    if not chosen:
        raise ManifestError(f"The manifests have no image with a label in the split {split!r}; give others.")
    kept = dict.fromkeys(drawn(training, FITTED) + drawn([c for c in training if c.label == normal], FITTED))
    learned, tested = (Cache(part, recipe, cache) for part in (list(kept), chosen))
    print(f"\n{folder}: {len(chosen)} images of the split {split}\n")
    told_sources(predictor, learned, tested)
    altered = Cache(drawn(chosen, most or len(chosen)), recipe, cache)
    moves = moved(predictor, altered)
    print_moves("Mean absolute change of the probability of " + normal, moves, altered.cases, 1)
    print_moves("Share of images whose predicted class changes", moves, altered.cases, 2)


def drawn(cases: Sequence[Case], most: int, seed: int = 0) -> list[Case]:
    """At most `most` images of each source, at random but the same each time, in the order of `cases`."""
    order = np.random.default_rng(seed).permutation(len(cases))
    seen: Counter[str] = Counter()
    kept = []
    for row in order:
        seen[cases[row].source] += 1
        if seen[cases[row].source] <= most:
            kept.append(row)
    return [cases[row] for row in sorted(kept)]


def told_sources(predictor: Predictor, learned: Cache, tested: Cache) -> None:
    """Print how well sources are told among all images with a label, and among normal ones alone."""
    before, after = features(predictor, learned), features(predictor, tested)
    normal, labels = predictor.checkpoint.normal, sorted({c.label for c in learned.cases})
    before["(the label alone)"], after["(the label alone)"] = (one_hot(d.cases, labels) for d in (learned, tested))
    for title, chosen, names in (
        ("all classes", labels, list(before)),
        (f"{normal} alone", [normal], list(before)[:-1]),
    ):
        rows, held, sources = comparable(learned.cases, tested.cases, chosen)
        print(f"Source told from, {title} ({', '.join(sources) or 'no source'})")
        if len(sources) < 2:
            print(f"  needs two sources with {LEAST} training images each and some of the split\n")
            continue
        known, asked = [learned.cases[i] for i in rows], [tested.cases[i] for i in held]
        for name in names:
            said = told(before[name][rows], [c.source for c in known], [c.group for c in known], after[name][held])
            right = balanced_accuracy([c.source for c in asked], said)
            print(f"  {name:{WIDE}}{bootstrap(right, [c.group for c in asked]):.3f}")
        print(f"  {'(chance)':{WIDE}}{1 / len(sources):.3f}; learned from {len(known)}, told of {len(asked)} images\n")


def comparable(
    learned: Sequence[Case], tested: Sequence[Case], labels: Sequence[str]
) -> tuple[list[int], list[int], list[str]]:
    """Rows of both with one of `labels`, of sources that have enough to learn from and any to be told, and these."""
    counts = Counter(c.source for c in learned if c.label in labels)
    sources = sorted({c.source for c in tested if c.label in labels and counts[c.source] >= LEAST})
    rows, held = (
        [i for i, c in enumerate(cases) if c.label in labels and c.source in sources] for cases in (learned, tested)
    )
    return rows, held, sources


def one_hot(cases: Sequence[Case], labels: Sequence[str]) -> NDArray[np.float32]:
    """The labels of cases as features (N, len(labels))."""
    return np.array([[c.label == label for label in labels] for c in cases], np.float32)


def moved(predictor: Predictor, data: Cache, batch: int = 32) -> Moves:
    """Of each alteration: the rows it was tried on, the change of the probability of normal, and whether the class
    changed, each (n,)."""
    found = np.stack([marks(frame) for frame in tqdm(data.images, "Marks", unit="image", leave=False)])
    bearing = np.flatnonzero(found.any((1, 2)))
    rows = {name: np.arange(len(data.cases)) for name in alterations()} | {REMOVED: bearing, MIRRORED: bearing}
    read: dict[str, list[NDArray[np.float64]]] = {name: [] for name in rows}
    plain = []
    for start in tqdm(range(0, len(data.cases), batch), "Alterations", unit="batch", leave=False):
        some = np.arange(start, min(start + batch, len(data.cases)))
        images, _ = data.batch(some, predictor.device)
        plain.append(probabilities(predictor, images))
        for name, altered in alterations().items():
            read[name].append(probabilities(predictor, altered(images)))
        own = np.intersect1d(some, bearing)
        if len(own):
            bear, _ = data.batch(own, predictor.device)
            read[REMOVED].append(probabilities(predictor, unmarked(bear, found[own])))
            read[MIRRORED].append(probabilities(predictor, unmarked(bear, found[own][..., ::-1])))
    before, normal = np.concatenate(plain), predictor.checkpoint.classes.index(predictor.checkpoint.normal)
    made = {}
    for name, parts in read.items():
        p = np.concatenate(parts) if parts else before[:0]
        was = before[rows[name]]
        made[name] = rows[name], np.abs(p - was)[:, normal], p.argmax(1) != was.argmax(1)
    return made


def probabilities(predictor: Predictor, images: torch.Tensor) -> NDArray[np.float64]:
    """Calibrated probabilities (B, C) of images (B, 1, S, S)."""
    logits, _ = predictor.forward(images)
    return (logits.double() / predictor.checkpoint.temperature).softmax(1).numpy()


def print_moves(title: str, moves: Moves, cases: Sequence[Case], which: int) -> None:
    """Print one figure of every alteration, a column a source."""
    groups = {s: [i for i, c in enumerate(cases) if c.source == s] for s in sorted({c.source for c in cases})}
    print(f"{title:{WIDE}}\n  {'':{WIDE}}" + "".join(f"{f'{s} ({len(g)})':{WIDE}}" for s, g in groups.items()))
    for name, move in moves.items():
        cells = []
        for group in groups.values():
            own = np.isin(move[0], group)
            share = bootstrap(mean(move[which][own].tolist()), [cases[i].group for i in move[0][own]])
            cells.append(f"{share:.3f}" + (f" of {own.sum()}" if name in (REMOVED, MIRRORED) else ""))
        print(f"  {name:{WIDE}}" + "".join(f"{cell:{WIDE}}" for cell in cells))
    print()


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: the tables of each checkpoint, one after the other."""
    p = argparse.ArgumentParser(prog="python -m studies.shortcuts", description=__doc__, formatter_class=Help)
    p.add_argument("--checkpoint", action="append", metavar="DIR", help="checkpoint folder; may be repeated "
                   "(default: the shipped one)")  # fmt: skip
    p.add_argument("--manifest", action="append", required=True, metavar="CSV", help="manifest.csv; may be repeated")
    p.add_argument("--split", default="val", choices=("val", "test"), help="images that are looked at")
    p.add_argument(
        "--images", type=int, default=0, metavar="N", help="of them so many a source are altered at most; 0 = all"
    )
    p.add_argument("--cache", default="runs/cache", metavar="DIR", help="decoded images")
    p.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to compute")
    a = p.parse_args(argv)

    def work() -> None:
        cases = [c for c in read_manifests(a.manifest) if c.label]
        for folder in a.checkpoint or [str(shipped.CHECKPOINT)]:
            shortcuts(folder, cases, a.split, a.images, Path(a.cache), a.device)

    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
