"""Give a checkpoint its gate: what tells pictures that are no frontal chest radiographs from those that are.

`train` fits one by itself; this is for a checkpoint that was made before, or for other radiographs. Only those of the
training and validation splits are read; weights, thresholds and figures of the checkpoint stay as they are.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deep_pneumonia.cli import Help, guarded
from deep_pneumonia.datasets.manifest import read_manifests
from deep_pneumonia.errors import ManifestError
from deep_pneumonia.prediction import checkpoint as checkpoints
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.training.cache import Cache
from deep_pneumonia.training.gate_fitting import LEAST, gate_of
from deep_pneumonia.training.run import channels_last


def fit_gate(folder: Path, manifests: Sequence[str], cache: Path, device: str) -> None:
    """Fit a gate on the training radiographs of the manifests, and write it into the checkpoint's folder.

    Raises:
        ManifestError: there are too few radiographs.
        CheckpointError, RadiographError: a file cannot be read.
    """
    predictor = Predictor.load(folder, device, with_gate=False)
    channels_last(predictor.network)
    cases = read_manifests(manifests)
    splits = [[c for c in cases if c.split == split] for split in ("train", "val")]
    training, held_out = (Cache(chosen, predictor.checkpoint.recipe, cache) for chosen in splits)
    gate = gate_of(predictor.network, training, held_out, predictor.device)
    if gate is None:
        raise ManifestError(
            f"The manifests have {len(splits[0])} training and {len(splits[1])} validation radiographs; a gate needs "
            f"{LEAST} and some to validate on."
        )
    checkpoints.add_gate(folder, gate)
    print(
        f"Wrote the gate of {folder}, from {len(splits[0])} radiographs; its limit is a distance of {gate.limit:.1f}."
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    p = argparse.ArgumentParser(prog="deep-pneumonia fit-gate", description=__doc__, formatter_class=Help)
    p.add_argument("--checkpoint", required=True, metavar="DIR", help="checkpoint folder")
    p.add_argument("--manifest", action="append", required=True, metavar="CSV", help="manifest.csv; may be repeated")
    p.add_argument("--cache", default="runs/cache", metavar="DIR", help="decoded images")
    p.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to compute")
    a = p.parse_args(argv)
    return guarded(lambda: fit_gate(Path(a.checkpoint), a.manifest, Path(a.cache), a.device))


if __name__ == "__main__":
    sys.exit(main())
