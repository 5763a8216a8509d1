"""The plan of a simulated set, image by image, which depends on the options alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deep_pneumonia.cli import option
from deep_pneumonia.errors import SimulationError
from deep_pneumonia.simulation import confounders
from deep_pneumonia.simulation.pneumonia import BRONCHO, INTERSTITIAL, LOBAR, NORMAL, ROUND
from deep_pneumonia.simulation.scene import Recipe

KIND_NAMES = {"normal": NORMAL, "lobar": LOBAR, "broncho": BRONCHO, "interstitial": INTERSTITIAL, "round": ROUND}
IMAGES_OF_A_POSE = 8
PA_SHARE = 0.65  # of the poses; the others are AP


@dataclass(frozen=True)
class SetConfig:
    """Options of a set of simulated cases, on which its bits depend alone."""

    count: int = option(200, "number of images", low=1, high=1_000_000)
    seed: int = option(0, "seed of all random numbers", low=0, high=2**31)
    size: int = option(512, "side of an image, pixels", low=64, high=2048)
    mix: str = option(
        "normal=1,lobar=1,broncho=1,interstitial=1,round=1", "images of each kind, as counts or as proportions"
    )
    label: str = option("", "label of every case with a lesion, such as 'Lung opacity'; empty = the kind of pneumonia")
    readers: int = option(2, "simulated readers in addition to the truth, 0 to 2", low=0, high=2)
    confounders: float = option(
        0.1, "probability of each of marker, letters, tube, line and electrodes, 0 to 1", low=0, high=1
    )
    per_body: int = option(
        16, "images per body, which is one patient; fewer give more variety and take longer", low=1, high=1000
    )
    val: float = option(0.15, "share of patients in the validation split, 0 to 1", low=0, high=1)
    test: float = option(0.2, "share of patients in the test split, 0 to 1", low=0, high=1)


@dataclass(frozen=True)
class Planned:
    """One image: its number in the set, the numbers of its body and its pose, the view, and the recipe."""

    number: int
    body: int
    pose: int
    view: str
    recipe: Recipe


def plan(config: SetConfig) -> list[Planned]:
    """All images of a set, body after body.

    Raises:
        SimulationError: the mix is invalid, or the shares of the splits sum to more than 1.
    """
    if config.val + config.test > 1:
        raise SimulationError(f"The shares --val {config.val} and --test {config.test} sum to more than 1; lower one.")
    if config.label == NORMAL:
        raise SimulationError(f"--label is {config.label!r}, which is the label of normal cases; choose another.")
    kinds = np.repeat(list(KIND_NAMES.values()), apportion(parse_mix(config.mix), config.count))
    kinds = np.random.default_rng((config.seed, 0)).permutation(kinds)
    return [_planned(config, number, str(kind)) for number, kind in enumerate(kinds)]


def _planned(config: SetConfig, number: int, kind: str) -> Planned:
    body, within = divmod(number, config.per_body)
    pose = within // IMAGES_OF_A_POSE
    view = "PA" if np.random.default_rng((config.seed, 1, body, pose)).random() < PA_SHARE else "AP"
    seed = (config.seed, 2, number)
    random = np.random.default_rng(seed)
    severity = float(random.random())
    chosen = tuple(k for k in confounders.KINDS if random.random() < config.confounders)
    return Planned(number, body, pose, view, Recipe(kind, seed, severity, confounders=chosen))


def parse_mix(text: str) -> dict[str, float]:
    """Weights by kind from text like `normal=1000,lobar=300`; kinds that are not named get 0.

    Raises:
        SimulationError: a name is unknown or repeated, a weight is negative or not a number, or all weights are 0.
    """
    weights = dict.fromkeys(KIND_NAMES, 0.0)
    seen = set()
    for part in text.split(","):
        name, _, number = (p.strip() for p in part.partition("="))
        if name not in KIND_NAMES or name in seen:
            raise SimulationError(f"The mix has {name!r}; name each kind once: {', '.join(KIND_NAMES)}.")
        seen.add(name)
        try:
            weights[name] = float(number)
        except ValueError as error:
            raise SimulationError(f"The mix gives {name} {number!r}; give a number, such as {name}=100.") from error
    total = sum(weights.values())
    if not 0 < total < float("inf") or min(weights.values()) < 0:
        raise SimulationError(f"The mix is {text!r}; give weights that are at least 0 and not all 0.")
    return weights


def apportion(weights: Mapping[str, float], count: int) -> list[int]:
    """Whole numbers in these proportions that sum to `count`, by the largest remainder method (Hamilton)."""
    exact = np.array(list(weights.values())) / sum(weights.values()) * count
    whole = np.floor(exact + 1e-9).astype(int)
    up = np.argsort(-(exact - whole), kind="stable")[: count - whole.sum()]
    whole[up] += 1
    return [int(n) for n in whole]
