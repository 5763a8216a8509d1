"""Fit the gate of a checkpoint, which rejects inputs that are not frontal chest radiographs.

`train` fits a gate by itself. This verb is for older checkpoints, or for other radiographs. It uses the training and
validation splits of the manifests; the weights and thresholds of the checkpoint do not change.
"""

import sys

if __name__ == "__main__":  # `python -m`: before the imports that take seconds, or need an extra
    from deep_pneumonia.cli import run_verb

    sys.exit(run_verb("fit-gate", sys.argv[1:]))


import argparse
from collections.abc import Sequence
from pathlib import Path

from deep_pneumonia.cli import Help, guarded
from deep_pneumonia.datasets.manifest import read_manifests
from deep_pneumonia.errors import ManifestError
from deep_pneumonia.files import check_new_folder
from deep_pneumonia.prediction import checkpoint as checkpoints
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.training.cache import Cache
from deep_pneumonia.training.gate_fitting import MIN_RADIOGRAPHS, gate_of
from deep_pneumonia.training.loop import channels_last


def fit_gate(folder: Path, manifests: Sequence[str], cache: Path, device: str) -> None:
    """Fit a gate to the radiographs of the manifests and write it into the checkpoint's folder.

    cache: folder of the decoded images. device: "auto", "cpu" or "cuda".

    Raises:
        ManifestError: there are too few radiographs.
        CheckpointError, RadiographError: a file cannot be read.
    """
    predictor = Predictor.load(folder, device, with_gate=False)
    channels_last(predictor.network)
    cases = read_manifests(manifests)
    splits = [[c for c in cases if c.split == split] for split in ("train", "val")]
    for place in (folder, cache):
        check_new_folder(place)
    training, held_out = (Cache(chosen, predictor.checkpoint.recipe, cache) for chosen in splits)
    gate = gate_of(predictor.network, training, held_out, predictor.device)
    if gate is None:
        raise ManifestError(
            f"The manifests have {len(splits[0])} training and {len(splits[1])} validation radiographs; a gate needs "
            f"at least {MIN_RADIOGRAPHS} for training and 1 for validation."
        )
    checkpoints.add_gate(folder, gate)
    print(
        f"Wrote the gate of {folder}, fitted to {len(splits[0])} radiographs; it accepts distances up to "
        f"{gate.limit:.1f}."
    )


def parser() -> argparse.ArgumentParser:
    """The options of the verb."""
    p = argparse.ArgumentParser(prog="deep-pneumonia fit-gate", description=__doc__, formatter_class=Help)
    p.add_argument("--checkpoint", required=True, metavar="DIR", help="checkpoint folder")
    p.add_argument("--manifest", action="append", required=True, metavar="CSV", help="manifest.csv; may be repeated")
    p.add_argument("--cache", default="runs/cache", metavar="DIR", help="folder of decoded images")
    p.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to compute")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb: 0, or 2 with one line on stderr if it fails."""
    a = parser().parse_args(argv)
    return guarded(lambda: fit_gate(Path(a.checkpoint), a.manifest, Path(a.cache), a.device))
