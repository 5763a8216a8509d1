"""What a simulated set holds, image by image, before a ray is cast: all of it a function of the options."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deep_pneumonia.cli import option
from deep_pneumonia.errors import SimulationError
from deep_pneumonia.simulation import confounders
from deep_pneumonia.simulation.pneumonia import BRONCHO, INTERSTITIAL, LOBAR, NORMAL, ROUND
from deep_pneumonia.simulation.scene import Recipe

SHORT = {"normal": NORMAL, "lobar": LOBAR, "broncho": BRONCHO, "interstitial": INTERSTITIAL, "round": ROUND}
IMAGES_OF_A_POSE = 8
STANDING = 0.65  # share of poses that are PA


@dataclass(frozen=True)
class SetConfig:
    """A set of simulated cases. Its bits depend on these options alone."""

    count: int = option(200, "images", low=1, high=1_000_000)
    seed: int = option(0, "seed of all that is drawn", low=0, high=2**31)
    size: int = option(512, "side of an image, pixels", low=64, high=2048)
    mix: str = option(
        "normal=1,lobar=1,broncho=1,interstitial=1,round=1", "images of each kind, as counts or in proportion"
    )
    label: str = option("", "label of every lesion, such as 'Lung opacity'; the kind of pneumonia if not given")
    readers: int = option(2, "simulated readers beside the truth, 0 to 2", low=0, high=2)
    confounders: float = option(
        0.1, "probability of each kind of marker, letters, tube, line, electrodes", low=0, high=1
    )
    per_body: int = option(16, "images of one body: its patient; fewer differ more and take longer", low=1, high=1000)
    val: float = option(0.15, "share of patients for validation", low=0, high=1)
    test: float = option(0.2, "share of patients for the test", low=0, high=1)


@dataclass(frozen=True)
class Planned:
    """One image: its number in the set, its body's and its pose's, the pose's view, and the recipe."""

    number: int
    body: int
    pose: int
    view: str
    recipe: Recipe


def plan(config: SetConfig) -> list[Planned]:
    """Every image of a set, body after body.

    Raises:
        SimulationError: the mix is not understood, or the shares of the splits are over 1 together.
    """
    if config.val + config.test > 1:
        raise SimulationError(f"The shares are {config.val} and {config.test}; together they are at most 1.")
    if config.label == NORMAL:
        raise SimulationError(f"The label of lesions is {config.label!r}, which is what the healthy are called.")
    kinds = np.repeat(list(SHORT.values()), apportion(parse_mix(config.mix), config.count))
    kinds = np.random.default_rng((config.seed, 0)).permutation(kinds)
    return [_planned(config, number, str(kind)) for number, kind in enumerate(kinds)]


def _planned(config: SetConfig, number: int, kind: str) -> Planned:
    body, within = divmod(number, config.per_body)
    pose = within // IMAGES_OF_A_POSE
    view = "PA" if np.random.default_rng((config.seed, 1, body, pose)).random() < STANDING else "AP"
    seed = (config.seed, 2, number)
    random = np.random.default_rng(seed)
    severity = float(random.random())
    chosen = tuple(k for k in confounders.KINDS if random.random() < config.confounders)
    return Planned(number, body, pose, view, Recipe(kind, seed, severity, confounders=chosen))


def parse_mix(text: str) -> dict[str, float]:
    """Weights by kind of `normal=1000,lobar=300,...`; a kind that is not named has none.

    Raises:
        SimulationError: a name is unknown or stands twice, a weight is no number from 0, or all are 0.
    """
    weights = dict.fromkeys(SHORT, 0.0)
    seen = set()
    for part in text.split(","):
        name, _, number = (p.strip() for p in part.partition("="))
        if name not in SHORT or name in seen:
            raise SimulationError(f"The mix has {name!r}; name each kind once: {', '.join(SHORT)}.")
        seen.add(name)
        try:
            weights[name] = float(number)
        except ValueError as error:
            raise SimulationError(f"The mix gives {name} {number!r}; give a number, such as {name}=100.") from error
    total = sum(weights.values())
    if not 0 < total < float("inf") or min(weights.values()) < 0:
        raise SimulationError(f"The mix is {text!r}; its weights are at least 0 and not all 0.")
    return weights


def apportion(weights: Mapping[str, float], count: int) -> list[int]:
    """Whole numbers in these proportions that sum to `count`; the largest remainders are rounded up (Hamilton)."""
    exact = np.array(list(weights.values())) / sum(weights.values()) * count
    whole = np.floor(exact + 1e-9).astype(int)
    up = np.argsort(-(exact - whole), kind="stable")[: count - whole.sum()]
    whole[up] += 1
    return [int(n) for n in whole]
