"""How long does a prediction take on the CPU, against the same network at 224 pixels, the first checkpoint's size?

A prediction is all that `Predictor.predict` does with a radiograph of 1024 x 1024 pixels without masks: resizing,
network, gate and a map of the radiograph's own size. The peer is torchvision's bare ResNet-18 at 224 pixels.
"""

from collections.abc import Callable
from dataclasses import replace
from statistics import median
from time import perf_counter

import numpy as np
import torch
import torchvision

from deep_pneumonia import shipped
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import Radiograph

SIDE, SMALL_SIDE, PAIR_COUNT = 1024, 224, 15


def main() -> None:
    """Print the times of a prediction and their ratios."""
    predictor = Predictor.load(shipped.CHECKPOINT, "cpu")
    size = predictor.checkpoint.recipe.size
    small = Predictor(
        replace(predictor.checkpoint, recipe=replace(predictor.checkpoint.recipe, size=SMALL_SIDE)), predictor.device
    )
    pixels = np.random.default_rng(0).random((SIDE, SIDE), np.float32)
    radiograph = Radiograph(pixels, None, "PNG", colour=0.0)
    plain, batch = torchvision.models.resnet18(weights=None).eval(), torch.rand(1, 3, SMALL_SIDE, SMALL_SIDE)

    def network() -> None:
        with torch.inference_mode():
            plain(batch)

    calls: tuple[Callable[[], object], ...] = (
        lambda: predictor.predict(radiograph),
        lambda: small.predict(radiograph),
        network,
    )
    times = np.array([[_seconds(call) for call in calls] for _ in range(PAIR_COUNT)])
    here, there, peer = (1000 * median(column) for column in times.T)
    print(f"Predicting a radiograph of {SIDE} x {SIDE} pixels, {torch.get_num_threads()} threads, {PAIR_COUNT} pairs")
    factor = median(times[:, 0] / times[:, 1])
    print(f"  at {size} pixels {here:.0f} ms, at {SMALL_SIDE} {there:.0f} ms: {factor:.2f} times")
    print(f"  torchvision's ResNet-18 at {SMALL_SIDE} alone {peer:.0f} ms")


def _seconds(call: Callable[[], object]) -> float:
    """Seconds of the second of two calls. The first meets caches and threads as another call left them."""
    call()
    start = perf_counter()
    call()
    return perf_counter() - start


if __name__ == "__main__":
    main()
