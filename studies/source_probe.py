"""How well can the source of a radiograph be told from features? Multinomial logistic regression on frozen features."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from deep_pneumonia.evaluation.bootstrap import Statistic, Weights
from deep_pneumonia.prediction.model_frame import to_grid
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.training.cache import Cache

POOLED, MEAN, THUMBNAIL = "z, pooled by the map", "mean of the features", "thumbnail of 16 x 16"
STRENGTHS = (0.001, 0.01, 0.1, 1.0)  # C of the logistic regression; chosen by cross-validation over patients
FOLDS = 3


@torch.no_grad()
def features(predictor: Predictor, data: Cache, batch: int = 32) -> dict[str, NDArray[np.float32]]:
    """What the source is told from, of every image of `data`, by name: each (N, D).

    The pooled z is all that the classifier reads; the mean over the frame is what it would read without a map; the
    thumbnail shows how far one comes without a network.
    """
    found: dict[str, list[torch.Tensor]] = {POOLED: [], MEAN: [], THUMBNAIL: []}
    for start in tqdm(range(0, len(data.cases), batch), "Features", unit="batch", leave=False):
        images, _ = data.batch(np.arange(start, min(start + batch, len(data.cases))), predictor.device)
        output = predictor.network(images)
        found[POOLED].append(output.pooled)
        found[MEAN].append(output.features[-1].mean(dim=(2, 3)))
        found[THUMBNAIL].append(to_grid(images, (16, 16)).flatten(1))
    return {name: torch.cat(parts).float().cpu().numpy() for name, parts in found.items()}


def told(
    training: NDArray[np.floating],
    sources: Sequence[str],
    patients: Sequence[str],
    tested: NDArray[np.floating],
) -> NDArray[np.str_]:
    """The source told of each row of `tested` (M, D); learned from `training` (N, D), `sources` and `patients` (N,).

    Features are standardised; every source weighs the same, however many images it has.
    """
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000))
    search = GridSearchCV(
        model, {"logisticregression__C": STRENGTHS}, scoring="balanced_accuracy", cv=StratifiedGroupKFold(FOLDS)
    )
    return np.asarray(search.fit(training, np.asarray(sources), groups=np.asarray(patients)).predict(tested))


def balanced_accuracy(truth: Sequence[str], said: Sequence[str] | NDArray[np.str_]) -> Statistic:
    """Mean over the sources that the (drawn) images have of the share that is told right; chance is 1 / sources."""
    own = np.array(truth)[:, None] == np.unique(truth)
    right = own & (np.array(truth) == np.array(said))[:, None]

    def statistic(weights: Weights) -> NDArray[np.float64]:
        images, hits = weights @ own, weights @ right
        return np.asarray((hits / np.maximum(images, 1)).sum(1) / (images > 0).sum(1))

    return statistic
