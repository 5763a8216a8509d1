"""Does the class depend on what the map marks? Remove that from the radiograph and see how the finding changes.

Usage: python -m studies.deletion --manifest CSV

The images of each source are those with a drawn lesion or a predicted finding. The area that the attention marks at the
checkpoint's threshold is filled from its surroundings (deletion), or everything else is (insertion). For comparison,
the same is done with that area at four random places, flipped or not; with as many cells around the lung centres; with
as many cells of the same network's Grad-CAM; and with the doctor's mask, whatever its size. Printed: by how much the
probability of the most likely finding drops without the area, and its value with the area alone, each beside the
attention's on the same images.
"""

import argparse
import hashlib
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from tqdm import tqdm

from deep_pneumonia import shipped
from deep_pneumonia.cli import Help, guarded
from deep_pneumonia.datasets.manifest import Case, read_manifests
from deep_pneumonia.errors import ManifestError
from deep_pneumonia.evaluation.bootstrap import bootstrap
from deep_pneumonia.evaluation.metrics import mean
from deep_pneumonia.prediction.agreement import centre_map
from deep_pneumonia.prediction.grad_cam import grad_cam
from deep_pneumonia.prediction.inpaint import lesion_only, lesion_removed
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.training.cache import Cache

DRAWS = 4  # random places of each area
SHARE = 0.05  # of the cells that are taken where none reaches the threshold
BATCH = 16
WAYS = {
    "attention": "attention", "random": "random places", "centre": "lungs' centres", "grad_cam": "Grad-CAM",
    "doctor": "doctor's mask",
}  # fmt: skip


@dataclass(frozen=True)
class Effect:
    """Of an area of an image: its share of the picture; the finding's probability without it, and with it alone."""

    area: float
    without: float
    alone: float


@dataclass(frozen=True)
class Row:
    """One image: whose it is, the probability of its likeliest finding, and the effect of each way's area.

    That of random places is their mean. A doctor's is there only where one drew a lesion.
    """

    patient: str
    before: float
    effects: dict[str, Effect]

    def drop(self, way: str) -> float:
        """What the probability loses without the area of `way`."""
        return self.before - self.effects[way].without

    def rest(self, way: str) -> float:
        """What it is with the area of `way` alone."""
        return self.effects[way].alone


def marked(cells: torch.Tensor, threshold: float) -> torch.Tensor:
    """Cells of a map (h, w) that reach the threshold, bool; where none does, its highest 5%."""
    chosen = cells >= threshold
    return chosen if chosen.any() else highest(cells, math.ceil(SHARE * cells.numel()))


def highest(cells: torch.Tensor, count: int) -> torch.Tensor:
    """The `count` highest cells of a map (h, w), bool."""
    chosen = torch.zeros(cells.numel(), dtype=torch.bool)
    chosen[cells.flatten().argsort(descending=True, stable=True)[:count]] = True
    return chosen.view(cells.shape)


def moved(area: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """An area (h, w) at a random place, turned over in either direction or not: what leaves on one side comes back on
    the other, so its size stays."""
    flips = [axis for axis in (0, 1) if random.random() < 0.5]
    return area.flip(flips).roll([int(random.integers(n)) for n in area.shape], (0, 1))


def areas(maps: torch.Tensor, cams: torch.Tensor, threshold: float, seeds: Sequence[int]) -> dict[str, torch.Tensor]:
    """Cells by way, bool (draws, B, h, w), of attention and Grad-CAM maps (B, h, w); all of one size an image."""
    attention = torch.stack([marked(cells, threshold) for cells in maps])
    sizes = attention.sum((1, 2)).tolist()
    centre = torch.from_numpy(centre_map((maps.shape[1], maps.shape[2])))
    randoms = [np.random.default_rng(seed) for seed in seeds]
    return {
        "attention": attention[None],
        "random": torch.stack([torch.stack(list(map(moved, attention, randoms))) for _ in range(DRAWS)]),
        "centre": torch.stack([highest(centre, n) for n in sizes])[None],
        "grad_cam": torch.stack([highest(cam, n) for cam, n in zip(cams, sizes, strict=True)])[None],
    }


class Probe:
    """A reader that is asked for one finding of each image, with parts of the image taken out."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.normal = predictor.checkpoint.classes.index(predictor.checkpoint.normal)

    def probabilities(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Calibrated probabilities (B, C) and maps (B, h, w) of images (B, 1, S, S)."""
        logits, maps = self.predictor.forward(images)
        rows = [list(row.values()) for row in self.predictor.probabilities(logits)]
        return torch.tensor(rows, dtype=torch.float64), torch.from_numpy(maps)

    def rows(self, data: Cache, indices: Sequence[int]) -> list[Row]:
        """Those of some images that have a drawn lesion or a predicted finding."""
        images, masks = data.batch(indices, self.predictor.device)
        p, maps = self.probabilities(images)
        fit = (masks.flatten(1).any(1).cpu() | (p.argmax(1) != self.normal)).nonzero().flatten()
        if not len(fit):
            return []
        images, masks, p, maps = (x[fit.to(x.device)] for x in (images, masks, p, maps))
        # The predicted class, unless that is normal: then the likeliest of the others.
        targets = p.index_fill(1, torch.tensor(self.normal), -1).argmax(1)
        cases = [data.cases[indices[i]] for i in fit]
        effects = self._effects_by_way(images, masks, targets, maps, [_key(c) for c in cases])
        before = p.gather(1, targets[:, None])[:, 0].tolist()
        return [Row(c.group, b, e) for c, b, e in zip(cases, before, effects, strict=True)]

    def _effects_by_way(
        self, images: torch.Tensor, masks: torch.Tensor, targets: torch.Tensor, maps: torch.Tensor, seeds: Sequence[int]
    ) -> list[dict[str, Effect]]:
        """The effect of each way's area on images (B, 1, S, S); drawn masks (B, 1, S, S) are 0 where none is."""
        cams = grad_cam(self.predictor.network, images, targets.to(images.device)).cpu()
        found: list[dict[str, Effect]] = [{} for _ in images]
        for way, cells in areas(maps, cams, self.predictor.checkpoint.thresholds.attention, seeds).items():
            for row, effect in zip(found, self._effects(images, pixels(cells, images), targets), strict=True):
                row[way] = effect
        drawn = masks.flatten(1).any(1).nonzero().flatten()
        if len(drawn):
            effects = self._effects(images[drawn], (masks[drawn] > 0).float()[None], targets[drawn.cpu()])
            for i, effect in zip(drawn.tolist(), effects, strict=True):
                found[i]["doctor"] = effect
        return found

    def _effects(self, images: torch.Tensor, draws: torch.Tensor, targets: torch.Tensor) -> list[Effect]:
        """Mean effect on each image (B, 1, S, S) over the draws (D, B, 1, S, S) of its area."""
        shares = draws.mean((0, 2, 3, 4)).tolist()
        without, alone = (
            torch.stack([self.probabilities(alter(images, area))[0] for area in draws])
            .mean(0).gather(1, targets[:, None])[:, 0].tolist()
            for alter in (lesion_removed, lesion_only)
        )  # fmt: skip
        return [Effect(*x) for x in zip(shares, without, alone, strict=True)]


def pixels(cells: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Cells (D, B, h, w) as areas (D, B, 1, S, S) of images (B, 1, S, S): each cell covers its own square."""
    return F.interpolate(cells.float(), size=images.shape[-2:], mode="nearest")[:, :, None].to(images.device)


def _key(case: Case) -> int:
    """A number of an image that is the same for ever, whatever else is in the set."""
    return int.from_bytes(hashlib.sha256(f"{case.group} {case.image.name}".encode()).digest()[:8], "big")


def measure(predictor: Predictor, data: Cache, source: str, most: int) -> list[Row]:
    """Rows of up to `most` images of one source, taken in an order that has nothing to do with what is in them."""
    probe, rows = Probe(predictor), list[Row]()
    order = sorted((i for i, c in enumerate(data.cases) if c.source == source), key=lambda i: _key(data.cases[i]))
    with tqdm(total=min(most, len(order)), desc=source, unit="image") as bar:
        for start in range(0, len(order), BATCH):
            rows += probe.rows(data, order[start : start + BATCH])[: most - len(rows)]
            bar.update(len(rows) - bar.n)
            if len(rows) >= most:
                break
    return rows


def table(source: str, rows: Sequence[Row]) -> str:
    """The figures of one source as text, a line a way."""
    before = bootstrap(mean([r.before for r in rows]), [r.patient for r in rows])
    lines = [
        f"{source}: {len(rows)} images of {len({r.patient for r in rows})} patients; probability of the likeliest "
        f"finding {before:.3f}",
        f"  {'':<16}{'images':>6}  {'area':<6}{'drop without it':<26}{'attention less it':<27}"
        f"{'with it alone':<26}attention less it",
    ]
    for way, title in WAYS.items():
        chosen = [r for r in rows if way in r.effects]
        if chosen:
            area = float(np.mean([r.effects[way].area for r in chosen]))
            lines.append(f"  {title:<16}{len(chosen):>6}  {area:<6.0%}{_scores(chosen, way)}".rstrip())
    return "\n".join(lines)


def _scores(rows: Sequence[Row], way: str) -> str:
    """What a way's area takes away, and what it keeps alone, each followed by how much more the attention's does."""
    patients, text = [r.patient for r in rows], ""
    for value in (Row.drop, Row.rest):
        own = bootstrap(mean([value(r, way) for r in rows]), patients)
        more = bootstrap(mean([value(r, "attention") - value(r, way) for r in rows]), patients)
        text += f"{f'{own:.3f}':<26}{'' if way == 'attention' else f'{more:+.3f}':<27}"
    return text


def deletion(predictor: Predictor, cases: Sequence[Case], cache: Path, most: int) -> None:
    """Print the figures of some cases, source by source.

    Raises:
        ManifestError: none of them has a label of the checkpoint or a known mask.
    """
    classes = predictor.checkpoint.classes
    useful = [c for c in cases if c.label in classes or c.masks]
    if not useful:
        raise ManifestError(f"No image of this split has a known mask or a label among {', '.join(classes)}.")
    data = Cache(useful, predictor.checkpoint.recipe, cache)
    for source in sorted({c.source for c in useful}):
        rows = measure(predictor, data, source, most)
        print(table(source, rows) if rows else f"{source}: no drawn lesion and no finding predicted", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: the table of each source."""
    p = argparse.ArgumentParser(prog="python -m studies.deletion", description=__doc__, formatter_class=Help)
    p.add_argument("--checkpoint", default=str(shipped.CHECKPOINT), metavar="DIR", help="checkpoint folder")
    p.add_argument("--manifest", action="append", required=True, metavar="CSV", help="manifest.csv; may be repeated")
    p.add_argument("--split", default="val", choices=("val", "test"), help="images to measure on")
    p.add_argument("--most", type=int, default=200, metavar="N", help="images a source, about a second each on a core")
    p.add_argument("--cache", type=Path, default=Path("runs/cache"), metavar="DIR", help="decoded images")
    p.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to compute")
    a = p.parse_args(argv)

    def run() -> None:
        cases = [c for c in read_manifests(a.manifest) if c.split == a.split]
        deletion(Predictor.load(a.checkpoint, a.device), cases, a.cache, a.most)

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
