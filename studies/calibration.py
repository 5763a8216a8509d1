"""Which calibration holds on patients it was not fitted to? Cross-validation over patients of the validation split.

Usage: python -m studies.calibration --manifest CSV

Each candidate is fitted on all folds of patients but one and predicts that one; no other split is used. Printed by
source: the expected calibration error (15 bins); the error to expect by chance if every probability were true, which is
far from 0 in small sources; the negative log-likelihood of the labels; and its difference to that of one temperature
on the same images. Lower is better for all of them.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from deep_pneumonia import shipped
from deep_pneumonia.cli import guarded
from deep_pneumonia.datasets.manifest import Case, read_manifests
from deep_pneumonia.drawing.charts import calibration_chart
from deep_pneumonia.drawing.pictures import save_picture
from deep_pneumonia.errors import ManifestError
from deep_pneumonia.estimate import Estimate
from deep_pneumonia.evaluation.bootstrap import bootstrap
from deep_pneumonia.evaluation.metrics import calibration_error, calibration_error_by_chance, mean
from deep_pneumonia.prediction.checkpoint import Checkpoint
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.training import validation
from deep_pneumonia.training.cache import Cache
from deep_pneumonia.training.losses import class_balanced_weights
from studies.ablation import fold_of

TODAY = "one temperature"
RIDGE = 1e-3  # on biases: a class that a fold lacks would have none otherwise


@dataclass(frozen=True)
class Answers:
    """A network's logits (N, C) float64 on labelled images, labels (N,), sources (N,), patients (N,), folds (N,)."""

    logits: torch.Tensor
    labels: torch.Tensor
    sources: NDArray[np.str_]
    patients: NDArray[np.str_]
    folds: NDArray[np.int64]

    def part(self, rows: NDArray[np.bool_]) -> "Answers":
        """Some of the images."""
        chosen = torch.from_numpy(rows)
        return Answers(
            self.logits[chosen], self.labels[chosen], self.sources[rows], self.patients[rows], self.folds[rows]
        )


@dataclass(frozen=True)
class Calibration:
    """Probabilities are softmax(slope * logits + bias): slope (1,) or (C,), bias (C,)."""

    slope: torch.Tensor
    bias: torch.Tensor

    def probabilities(self, logits: torch.Tensor) -> NDArray[np.float64]:
        """Of logits (N, C), with rows summing to 1."""
        return (logits * self.slope + self.bias).softmax(1).numpy()


Fit = Callable[[Answers], Calibration]


def fit(
    answers: Answers, *, alike: bool = False, slopes: int = 1, biased: bool = False, offset: torch.Tensor | None = None
) -> Calibration:
    """The calibration under which the labels are likeliest; the loss is convex, so there is one.

    alike: every source counts the same, however many images it has. slopes: 1, or one a class. biased: fit a bias a
    class as well. offset (C,): a bias that is given.
    """
    n, classes = answers.logits.shape
    slope = torch.ones(slopes, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=biased)
    given = torch.zeros(classes, dtype=torch.float64) if offset is None else offset
    weights = _alike(answers.sources) if alike else torch.full((n,), 1 / n, dtype=torch.float64)
    free = [slope, bias] if biased else [slope]
    optimizer = torch.optim.LBFGS(free, max_iter=300, tolerance_change=1e-12, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        each = F.cross_entropy(answers.logits * slope + bias + given, answers.labels, reduction="none")
        value = (weights * each).sum() + RIDGE * bias.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return Calibration(slope.detach(), (bias + given).detach())


def _alike(sources: NDArray[np.str_]) -> torch.Tensor:
    _, place, count = np.unique(sources, return_inverse=True, return_counts=True)
    return torch.from_numpy(1 / (len(count) * count[place]))


def one_temperature(answers: Answers) -> Calibration:
    """What training fits today."""
    slope = 1 / validation.temperature(answers.logits, answers.labels)
    return Calibration(torch.tensor([slope], dtype=torch.float64), torch.zeros(answers.logits.shape[1]).double())


def candidates(prior: torch.Tensor) -> dict[str, Fit]:
    """Each candidate's fit by name; `prior` (C,) undoes the class weights of training."""
    classes = len(prior)
    return {
        "none": lambda _: Calibration(torch.ones(1).double(), torch.zeros(classes).double()),
        TODAY: one_temperature,
        "one temperature, sources alike": lambda a: fit(a, alike=True),
        "temperature, prior undone": lambda a: fit(a, offset=prior),
        "temperature, prior undone, alike": lambda a: fit(a, alike=True, offset=prior),
        "temperature and bias": lambda a: fit(a, biased=True),
        "temperature and bias, alike": lambda a: fit(a, alike=True, biased=True),
        "vector scaling, alike": lambda a: fit(a, alike=True, slopes=classes, biased=True),
    }


def prior_of(made: Checkpoint, cases: Sequence[Case]) -> torch.Tensor:
    """The bias (C,) that undoes what class-balanced weights w did: the weighted loss has its minimum at posteriors
    times w, so log w is taken off. 0 where the checkpoint was trained without them."""
    options = made.training.get("options", {})
    if not options.get("class_balance"):
        return torch.zeros(len(made.classes), dtype=torch.float64)
    drawn = [(c.label, options["lesion_repeats"] if c.has_lesion else 1) for c in cases if c.split == "train"]
    counts = [max(1, sum(times for label, times in drawn if label == name)) for name in made.classes]
    return -class_balanced_weights(counts, options["beta"]).double().log()


def cross_validated(fitted: Fit, answers: Answers) -> NDArray[np.float64]:
    """Probabilities (N, C) of each image by the calibration that was fitted to the other folds."""
    p = np.zeros(tuple(answers.logits.shape))
    for fold in np.unique(answers.folds):
        rows = answers.folds == fold
        p[rows] = fitted(answers.part(~rows)).probabilities(answers.part(rows).logits)
    return p


@dataclass(frozen=True)
class Line:
    """Figures of one candidate in one source; `gain` is the likelihood's difference to one temperature's."""

    ece: Estimate
    chance: float
    loss: Estimate
    gain: Estimate
    accuracy: float


def line(own: NDArray[np.float64], today: NDArray[np.float64], answers: Answers) -> Line:
    """Figures of probabilities (N, C) beside those of one temperature, on the images of one source."""
    labels, patients = answers.labels.numpy(), answers.patients.tolist()
    each, before = (-np.log(p[np.arange(len(labels)), labels].clip(1e-12)) for p in (own, today))
    confidence, right = own.max(1), own.argmax(1) == labels
    ece, loss, gain = (
        bootstrap(statistic, patients)
        for statistic in (calibration_error(confidence, right), mean(each), mean(each - before))
    )
    return Line(ece, calibration_error_by_chance(confidence), loss, gain, float(right.mean()))


def better(lines: Mapping[str, Line]) -> bool:
    """Whether a candidate's likelihood is better than one temperature's in a source, and worse in none, by `lines` of
    sources: an interval tells that lies on one side of 0."""
    gains = [x.gain for x in lines.values() if x.gain.low is not None and x.gain.high is not None]
    return any(g.high < 0 for g in gains if g.high is not None) and all(g.low <= 0 for g in gains if g.low is not None)


def report(answers: Answers, prior: torch.Tensor, chart: Path | None) -> str:
    """The table of all candidates, and which of them are better than one temperature."""
    fits = candidates(prior)
    found = {name: cross_validated(fitted, answers) for name, fitted in fits.items()}
    rows = {s: answers.sources == s for s in np.unique(answers.sources).tolist()}
    table = {n: {s: line(p[r], found[TODAY][r], answers.part(r)) for s, r in rows.items()} for n, p in found.items()}
    if chart:
        p, labels = found[TODAY], answers.labels.numpy()
        drawn: dict[str, Any] = {s: (p[r].max(1), p[r].argmax(1) == labels[r]) for s, r in rows.items()}
        save_picture(calibration_chart(drawn, {s: x.ece for s, x in table[TODAY].items()}), chart)
    gaining = [name for name, lines in table.items() if name != TODAY and better(lines)]
    parts = [_source(s, answers.part(r), {n: x[s] for n, x in table.items()}) for s, r in rows.items()]
    return "\n".join([*parts, f"Better than {TODAY} in a source and worse in none: {', '.join(gaining) or 'none'}."])


def _source(name: str, answers: Answers, lines: Mapping[str, Line]) -> str:
    head = f"{name}: {len(answers.labels)} labelled images of {len(set(answers.patients))} patients"
    columns = f"  {'':<34}{'ECE':<24}{'chance':<9}{'-log likelihood':<24}{'less one temperature':<26}accuracy"
    rows = [
        f"  {n:<34}{f'{x.ece:.3f}':<24}{x.chance:<9.3f}{f'{x.loss:.3f}':<24}{f'{x.gain:+.3f}':<26}{x.accuracy:.3f}"
        for n, x in lines.items()
    ]
    return "\n".join([head, columns, *rows, ""])


def answers_of(predictor: Predictor, cases: Sequence[Case], cache: Path, folds: int) -> Answers:
    """The network's logits on the labelled images of the validation split.

    Raises:
        ManifestError: there are none.
    """
    classes = predictor.checkpoint.classes
    chosen = [c for c in cases if c.split == "val" and c.label in classes]
    if not chosen:
        raise ManifestError(f"No image of the split val has a label among {', '.join(classes)}; give its manifests.")
    labels = torch.tensor([classes.index(c.label) for c in chosen])
    p = validation.predict(
        predictor.network, Cache(chosen, predictor.checkpoint.recipe, cache), labels, predictor.device
    )
    patients, dealt = np.array([c.group for c in chosen]), np.array([fold_of(c, folds) for c in chosen])
    return Answers(p.logits.double(), labels, p.sources, patients, dealt)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: the table."""
    p = argparse.ArgumentParser(prog="python -m studies.calibration", description=__doc__)
    p.add_argument(
        "--checkpoint", default=str(shipped.CHECKPOINT), metavar="DIR", help="checkpoint folder (default: the shipped)"
    )
    p.add_argument("--manifest", action="append", required=True, metavar="CSV", help="manifest.csv; may be repeated")
    p.add_argument("--folds", type=int, default=5, help="folds of patients (default: 5)")
    p.add_argument("--cache", type=Path, default=Path("runs/cache"), help="decoded images (default: runs/cache)")
    p.add_argument("--chart", type=Path, metavar="PNG", help="draw the reliability of one temperature, by source")
    a = p.parse_args(argv)

    def run() -> None:
        reader, cases = Predictor.load(a.checkpoint), read_manifests(a.manifest)
        answers = answers_of(reader, cases, a.cache, a.folds)
        print(report(answers, prior_of(reader.checkpoint, cases), a.chart))

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
