"""Train a classifier whose attention map is held to doctors' masks.

The loss is class-balanced classification + attention_weight * attention loss + regulation_weight * contrastive
regulation (docs/method.md). The epoch with the best validation score is kept; the validation split also decides its
temperature, thresholds and gate. OUT/checkpoint holds the result. The same command resumes a run that was stopped.
For several processes: `torchrun --nproc-per-node N -m deep_pneumonia.train ...`.
"""

import sys

if __name__ == "__main__":  # `python -m`: before the imports that take seconds, or need an extra
    from deep_pneumonia.cli import run_verb

    sys.exit(run_verb("train", sys.argv[1:]))


import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from deep_pneumonia.cli import add_data_options, cache_folder, config_from, guarded, parser_for
from deep_pneumonia.datasets.manifest import read_manifests
from deep_pneumonia.files import check_new_folder
from deep_pneumonia.prediction.checkpoint import save
from deep_pneumonia.training.data import choose, gather, with_weak_labels
from deep_pneumonia.training.final_checkpoint import finish
from deep_pneumonia.training.guided import BEST_WEIGHTS, GuidedLearner, TrainConfig, seeded_network
from deep_pneumonia.training.initial_weights import named
from deep_pneumonia.training.loop import fit, input_recipe, launch, steps_per_epoch
from deep_pneumonia.training.run import Run, load_tree


def train(config: TrainConfig, manifests: Sequence[str], out: Path, cache: Path, normal: str = "") -> None:
    """Start or resume one training run and write its checkpoint.

    out: folder of the run. cache: folder of the decoded images. normal: the class without pneumonia, "" to find it.

    Raises:
        ManifestError, RadiographError, AnnotationError: the data cannot be read.
        CheckpointError: the checkpoint to start from cannot be read.
        TrainingError: `out` holds another run, or the data do not suffice.
        DeepPneumoniaError: `out` or `cache` cannot be written to.
    """
    fabric = launch(config.device, config.precision)
    cases = read_manifests(manifests)
    chosen = choose(with_weak_labels(cases, normal) if config.weak_labels else cases, normal, config.lesion_repeats)
    facts = {"classes": list(chosen.classes), "normal": chosen.normal, "processes": fabric.world_size}
    # Whatever cannot work is refused before images are decoded, which can take an hour.
    for folder in (out, cache):
        check_new_folder(folder)
    steps_per_epoch(chosen.epoch_length, config.batch, fabric.world_size)
    Run(out, config, facts, main=False)
    seeded_network(config, chosen.classes)
    options = _published(config)  # now, as the folder to start from may be gone hours later
    with fabric.rank_zero_first():
        data = gather(chosen, input_recipe(config), cache, progress=fabric.is_global_zero)
    run = Run(out, config, facts, main=fabric.is_global_zero)
    learner = GuidedLearner(config, data, run, fabric)
    fit(fabric, run, config, learner, data.epoch, "Training")
    if fabric.is_global_zero:
        learner.network.load_state_dict(load_tree(out / BEST_WEIGHTS))
        folder = out / "checkpoint"
        save(finish(learner.network, data, options, out.name, fabric.device), folder)
        print(f"Wrote {folder}")


def _published(config: TrainConfig) -> dict[str, Any]:
    """The options as the checkpoint states them: a folder to start from by its name, a checkpoint by its weights."""
    return asdict(replace(config, initial=named(config.initial)))


def parser() -> argparse.ArgumentParser:
    """The options of the verb."""
    options = parser_for(TrainConfig, __doc__, "train")
    add_data_options(options)
    options.add_argument(
        "--normal-class",
        default="",
        metavar="NAME",
        help="class without pneumonia (default: the class of the images read as normal)",
    )
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb: 0, or 2 with one line on stderr if it fails."""
    arguments = parser().parse_args(argv)
    config, out = config_from(TrainConfig, arguments), Path(arguments.out)
    return guarded(lambda: train(config, arguments.manifest, out, cache_folder(arguments), arguments.normal_class))
