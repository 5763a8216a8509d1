"""Train a classifier whose attention map is held to doctors' masks.

The loss is class-balanced classification + attention_weight * attention loss + regulation_weight * contrastive
regulation (docs/method.md). The epoch with the best validation score is kept; the validation split also decides its
temperature, thresholds and gate. OUT/checkpoint holds the result. The same command resumes a run that was stopped.
For several processes: `torchrun --nproc-per-node N -m deep_pneumonia.train ...`.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from deep_pneumonia.cli import add_data_options, cache_folder, config_from, guarded, parser_for
from deep_pneumonia.datasets.manifest import read_manifests
from deep_pneumonia.prediction.checkpoint import save
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.training.data import gather, with_weak_labels
from deep_pneumonia.training.final_checkpoint import finish
from deep_pneumonia.training.guided import BEST_WEIGHTS, GuidedLearner, TrainConfig
from deep_pneumonia.training.initial_weights import named
from deep_pneumonia.training.loop import fit, launch, steps_per_epoch
from deep_pneumonia.training.run import Run, load_tree


def train(config: TrainConfig, manifests: Sequence[str], out: Path, cache: Path, normal: str = "") -> None:
    """Start or resume one training run and write its checkpoint.

    out: folder of the run. cache: folder of the decoded images. normal: the class without pneumonia, "" to find it.

    Raises:
        ManifestError, RadiographError, AnnotationError: the data cannot be read.
        CheckpointError: the checkpoint to start from cannot be read.
        TrainingError: `out` holds another run, or the data do not suffice.
    """
    fabric = launch(config.device, config.precision)
    with fabric.rank_zero_first():
        cases = read_manifests(manifests)
        cases = with_weak_labels(cases, normal) if config.weak_labels else cases
        recipe = InputRecipe(config.size)
        data = gather(cases, normal, recipe, config.lesion_repeats, cache, progress=fabric.is_global_zero)
    steps_per_epoch(len(data.epoch), config.batch, fabric.world_size)  # refuses too few images before a run is begun
    facts = {"classes": list(data.classes), "normal": data.normal, "processes": fabric.world_size}
    run = Run(out, config, facts, main=fabric.is_global_zero)
    learner = GuidedLearner(config, data, run, fabric)
    options = _published(config)  # now, as the folder to start from may be gone hours later
    fit(fabric, run, config, learner, data.epoch, "Training")
    if fabric.is_global_zero:
        learner.network.load_state_dict(load_tree(out / BEST_WEIGHTS))
        folder = out / "checkpoint"
        save(finish(learner.network, data, options, out.name, fabric.device), folder)
        print(f"Wrote {folder}")


def _published(config: TrainConfig) -> dict[str, Any]:
    """The options as the checkpoint states them: folders by name alone, a start also by its weights."""
    return asdict(replace(config, pretrained=Path(config.pretrained).name, start=named(config.start)))


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


if __name__ == "__main__":
    sys.exit(main())
