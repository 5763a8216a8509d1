"""Pre-train the backbone by contrastive learning on the training split, without labels or other data.

Writes OUT/encoder.safetensors (for `train --initial OUT`), log.jsonl and curves.png. The same command resumes a
run that was stopped. For several processes: `torchrun --nproc-per-node N -m deep_pneumonia.pretrain ...`.
"""

import sys

if __name__ == "__main__":  # `python -m`: before the imports that take seconds, or need an extra
    from deep_pneumonia.cli import run_verb

    sys.exit(run_verb("pretrain", sys.argv[1:]))


import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deep_pneumonia.cli import add_data_options, cache_folder, config_from, guarded, parser_for
from deep_pneumonia.datasets.manifest import read_manifests
from deep_pneumonia.files import check_new_folder
from deep_pneumonia.training.cache import Cache
from deep_pneumonia.training.contrast import ContrastLearner, PretrainConfig
from deep_pneumonia.training.initial_weights import ENCODER, initial_backbone
from deep_pneumonia.training.loop import fit, input_recipe, launch, steps_per_epoch
from deep_pneumonia.training.run import Run, save_tree


def pretrain(config: PretrainConfig, manifests: Sequence[str], out: Path, cache: Path) -> None:
    """Start or resume one pre-training run.

    out: folder of the run. cache: folder of the decoded images.

    Raises:
        ManifestError, RadiographError: the data cannot be read.
        TrainingError: `out` holds another run, or there are too few images.
    """
    fabric = launch(config.device, config.precision)
    cases = [c for c in read_manifests(manifests) if c.split == "train"]
    steps_per_epoch(len(cases), config.batch, fabric.world_size)  # refuses too few images before they are decoded
    facts = {"images": len(cases), "processes": fabric.world_size}
    for folder in (out, cache):
        check_new_folder(folder)
    Run(out, config, facts, main=False)
    initial_backbone(config.backbone, config.initial)  # what cannot work is refused before images are decoded
    with fabric.rank_zero_first():
        data = Cache(cases, input_recipe(config), cache, progress=fabric.is_global_zero)
    run = Run(out, config, facts, main=fabric.is_global_zero)
    learner = ContrastLearner(config, data, fabric)
    fit(fabric, run, config, learner, np.arange(len(cases)), "Pre-training")
    if fabric.is_global_zero:
        save_tree(learner.network.query["backbone"].state_dict(), out / ENCODER)
        print(f"Wrote {out / ENCODER}")


def parser() -> argparse.ArgumentParser:
    """The options of the verb."""
    options = parser_for(PretrainConfig, __doc__, "pretrain")
    add_data_options(options)
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb: 0, or 2 with one line on stderr if it fails."""
    arguments = parser().parse_args(argv)
    config, out = config_from(PretrainConfig, arguments), Path(arguments.out)
    return guarded(lambda: pretrain(config, arguments.manifest, out, cache_folder(arguments)))
