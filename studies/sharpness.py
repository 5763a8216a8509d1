"""Can the folder that a normal radiograph is from be told by its sharpness, or by the network's features?

Usage: python -m studies.sharpness --manifest CSV --manifest CSV [--checkpoint DIR]

Two folders of radiographs that were read as normal, one manifest each, should not differ in sharpness: where one
folder holds the lesions, sharpness would give the class away. The study brings the images of the splits train and val
into the model's frame, with and without a common detail, and predicts the folder from measures of sharpness: from each
alone, and from all of them by logistic regression, cross-validated over patients. With --checkpoint it also predicts
the folder from a thumbnail, from the network's features and from the probability of a finding. An AUROC of 0.5 is
chance.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from deep_pneumonia.cli import Help, guarded
from deep_pneumonia.datasets.manifest import Case, read_manifests
from deep_pneumonia.errors import ManifestError
from deep_pneumonia.estimate import Estimate
from deep_pneumonia.evaluation.bootstrap import bootstrap
from deep_pneumonia.evaluation.metrics import auroc
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.training.cache import Cache
from studies.source_probe import features

BANDS = ((16, 32), (32, 48), (48, 64), (64, 96))  # cycles a side
LOW_BAND = (8, 16)  # its energy is what that of the others is divided by
EDGE_SHARE = 0.1  # of the frame's side, left out at each edge because letters and black borders lie there
FOLDS = 5
MIN_IMAGES = 20


def sharpness(frame: NDArray[np.uint8]) -> list[float]:
    """Sharpness of a frame (S, S): log variance of its Laplacian, then log energy of each band over the low one."""
    edge = round(EDGE_SHARE * len(frame))
    x = frame[edge:-edge, edge:-edge].astype(np.float64) / 255
    laplacian = 4 * x[1:-1, 1:-1] - x[:-2, 1:-1] - x[2:, 1:-1] - x[1:-1, :-2] - x[1:-1, 2:]
    energy = np.abs(np.fft.fft2(x - x.mean())) ** 2
    cycles = np.fft.fftfreq(len(x)) * len(frame)
    radius = np.hypot(cycles[:, None], cycles[None])

    def band(low: int, high: int) -> float:
        return float(np.log(energy[(radius >= low) & (radius < high)].sum() + 1e-9))

    inside = [b for b in BANDS if b[1] <= len(frame) // 2]
    return [float(np.log(laplacian.var() + 1e-9)), *(band(*b) - band(*LOW_BAND) for b in inside)]


def normal_images(manifest: str, limit: int) -> list[Case]:
    """At most `limit` images of a manifest, evenly spaced, that are outside its test split and were read as normal.

    Raises:
        ManifestError: the manifest cannot be read or has fewer than MIN_IMAGES such images.
    """
    cases = [c for c in read_manifests([manifest]) if c.split != "test" and c.masks and not c.has_lesion and c.label]
    if len(cases) < MIN_IMAGES:
        raise ManifestError(f"{manifest} has {len(cases)} images read as normal, expected at least {MIN_IMAGES}.")
    return cases[:: math.ceil(len(cases) / limit)]


def folder_auroc(values: NDArray[np.floating], folder: NDArray[np.bool_], patients: Sequence[str]) -> Estimate:
    """AUROC with which `values` (N, D) predict the folder (N,); if D > 1, in patients left out of the fit."""
    if values.shape[1] == 1:
        return bootstrap(auroc(folder, values[:, 0]), patients)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", max_iter=2000))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    score = cross_val_predict(model, values, folder, groups=patients, cv=folds, method="decision_function")
    return bootstrap(auroc(folder, score), patients)


def study(manifests: Sequence[str], recipe: InputRecipe, predictor: Predictor | None, limit: int, cache: Path) -> None:
    """Print how well two folders of normal radiographs are told apart.

    Raises:
        ManifestError: a manifest cannot be read or has too few normal images.
        RadiographError: an image cannot be read.
    """
    first, second = (normal_images(manifest, limit) for manifest in manifests)
    cases, patients = first + second, [c.group for c in first + second]
    folder = np.arange(len(cases)) < len(first)
    print(f"{len(first)} images read as normal of {manifests[0]}, {len(second)} of {manifests[1]}")
    for detail in dict.fromkeys((0, recipe.detail)):
        data = Cache(cases, replace(recipe, detail=detail), cache)
        values = np.array([sharpness(frame) for frame in tqdm(data.images, "Sharpness", leave=False)])
        bands = [f"band {low} to {high}" for low, high in BANDS][: values.shape[1] - 1]
        reduced = f"reduced to {detail} first" if detail else "not reduced first"
        print(f"\nFolder told at {recipe.size} pixels, {reduced}")
        for column, name in enumerate(["Laplacian", *bands]):
            print(f"  {name:<30}{folder_auroc(values[:, [column]], folder, patients):.3f}")
        print(f"  {'all of these':<30}{folder_auroc(values, folder, patients):.3f}")
    if predictor:
        print(f"\nFolder told by {predictor.checkpoint.name}")
        probed = features(predictor, data) | {"probability of a finding": finding_probability(predictor, data)}
        for name, probe in probed.items():
            print(f"  {name:<30}{folder_auroc(probe, folder, patients):.3f}")


@torch.no_grad()
def finding_probability(predictor: Predictor, data: Cache, batch: int = 32) -> NDArray[np.float32]:
    """The probability of a finding (N, 1) in each image of a cache."""
    normal = predictor.checkpoint.classes.index(predictor.checkpoint.normal)
    parts = []
    for start in range(0, len(data.cases), batch):
        images, _ = data.batch(np.arange(start, min(start + batch, len(data.cases))), predictor.device)
        parts.append(1 - predictor.network(images).logits.softmax(1)[:, normal])
    return torch.cat(parts)[:, None].cpu().numpy()


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of the study; returns the exit status."""
    p = argparse.ArgumentParser(prog="python -m studies.sharpness", description=__doc__, formatter_class=Help)
    p.add_argument("--manifest", action="append", required=True, metavar="CSV", help="manifest.csv; given twice")
    p.add_argument("--checkpoint", metavar="DIR", help="checkpoint folder whose features are probed, with its recipe")
    p.add_argument("--size", type=int, default=192, help="side of the model's frame without a checkpoint, pixels")
    p.add_argument("--detail", type=int, default=224, help="common detail without a checkpoint, pixels")
    p.add_argument("--limit", type=int, default=2000, help="images of each folder, at most")
    p.add_argument("--cache", default="runs/cache", metavar="DIR", help="folder of decoded images")
    a = p.parse_args(argv)
    if len(a.manifest) != 2:
        p.error("give --manifest twice, once for each folder")
    if a.limit < MIN_IMAGES:
        p.error(f"--limit {a.limit} is out of range, expected {MIN_IMAGES} or more")

    def run() -> None:
        predictor = Predictor.load(a.checkpoint, "cpu") if a.checkpoint else None
        recipe = predictor.checkpoint.recipe if predictor else InputRecipe(a.size, detail=a.detail)
        study(a.manifest, recipe, predictor, a.limit, Path(a.cache))

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
