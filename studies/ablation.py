"""What does each part of the method do? Train with parts added one by one, and with each left out of the whole.

Usage: python -m studies.ablation --manifest CSV --out DIR

All runs of a fold and seed share images, order, schedule and network and differ only in their options. Patients are
assigned to folds by their hash: one fold is for test, the next for validation, the others for training. With
`--folds 1` the manifests' own splits are used. Pre-training uses a fold's training images or, once for all folds, the
images in `--unlabelled` of patients who are in no fold. A stopped study resumes: the same command skips finished runs.
Several processes share the runs with `--part`.

Writes OUT/runs/VARIANT/FOLD-SEED.json, the predictions for every test image, and from them OUT/ablation.md and
ablation.png (`--table` writes only these two). Scores are measured on the map's own grid. Large files (decoded images,
weights) go to --work.
"""

import argparse
import hashlib
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from deep_pneumonia import pretrain, train
from deep_pneumonia.cli import guarded
from deep_pneumonia.datasets.manifest import Case, read_manifests, write_manifest
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.files import write_json
from deep_pneumonia.prediction import checkpoint as checkpoints
from deep_pneumonia.training import validation
from deep_pneumonia.training.cache import Cache
from deep_pneumonia.training.contrast import PretrainConfig
from deep_pneumonia.training.guided import TrainConfig
from studies.ablation_table import report

# class balance, pre-training, mask-guided hard attention, contrastive regulation
VARIANTS = {
    "cross-entropy": (False, False, False, False),
    "+ class balance": (True, False, False, False),
    "+ pre-training": (True, True, False, False),
    "+ hard attention": (True, True, True, False),
    "+ regulation (the whole)": (True, True, True, True),
    "whole - class balance": (False, True, True, True),
    "whole - pre-training": (True, False, True, True),
    "whole - hard attention": (True, True, False, True),
}


@dataclass(frozen=True)
class Plan:
    """What all runs share."""

    manifests: tuple[str, ...]
    unlabelled: tuple[str, ...]
    out: Path
    work: Path
    folds: int
    size: int
    batch: int
    epochs: int
    pretrain_epochs: int
    normal: str


def fold_of(case: Case, folds: int) -> int:
    """The fold in which a patient is for test: by the hash of its key, whatever else is in the set."""
    return int.from_bytes(hashlib.sha256(f"fold {case.group}".encode()).digest()[:8], "big") % folds


def dealt(cases: Sequence[Case], fold: int, folds: int) -> list[Case]:
    """The cases that have a label or a mask, split for one fold; of 1 as the manifests have it."""
    if folds == 1:
        return useful(cases)
    splits = {fold: "test", (fold + 1) % folds: "val"}
    return [replace(c, split=splits.get(fold_of(c, folds), "train")) for c in useful(cases)]


def useful(cases: Sequence[Case]) -> list[Case]:
    """Those that a run can learn from or be measured on."""
    return [c for c in cases if c.label or c.masks]


def others(cases: Sequence[Case], folded: Sequence[Case]) -> list[Case]:
    """Of `cases`, for pre-training: those of patients who are in no fold, without the split `test`."""
    seen = {c.group for c in useful(folded)}
    return [replace(c, split="train") for c in cases if c.group not in seen and c.split != "test"]


def run(plan: Plan, variant: str, fold: int, seed: int) -> None:
    """Train one variant on one fold, and keep what it reads in the fold's test images."""
    done = plan.out / "runs" / slug(variant) / f"{fold}-{seed}.json"
    if done.exists():
        return
    done.parent.mkdir(parents=True, exist_ok=True)
    manifest = plan.work / f"fold-{fold}" / "manifest.csv"
    if not manifest.exists():
        write_manifest(dealt(read_manifests(plan.manifests), fold, plan.folds), manifest)
    balance, pretrained, guided, regulated = VARIANTS[variant]
    cache, work = plan.work / "cache", plan.work / f"{slug(variant)}-{fold}-{seed}"
    config = TrainConfig(
        backbone="resnet18", initial=str(encoder(plan, manifest, fold)) if pretrained else "random", detail=0,
        size=plan.size, epochs=plan.epochs, batch=plan.batch, seed=seed, class_balance=balance,
        attention_weight=1.0 if guided else 0.0, hard_probability=0.5 if guided else 0.0,
        regulation_weight=0.2 if regulated else 0.0, lesion_repeats=1,
    )  # fmt: skip
    train.train(config, [str(manifest)], work, cache, plan.normal)
    write_json(predictions(work / "checkpoint", manifest, cache), done)
    shutil.rmtree(work)


def encoder(plan: Plan, manifest: Path, fold: int) -> Path:
    """The folder of the pre-training that all runs share, or all of the fold."""
    out = plan.work / ("pretrain" if plan.unlabelled else f"fold-{fold}/pretrain")
    if not (out / "encoder.safetensors").exists():
        if plan.unlabelled:
            manifest = plan.work / "unlabelled.csv"
            write_manifest(others(read_manifests(plan.unlabelled), read_manifests(plan.manifests)), manifest)
        config = PretrainConfig(
            backbone="resnet18", initial="random", size=224, detail=0, view=plan.size, epochs=plan.pretrain_epochs
        )
        pretrain.pretrain(config, [str(manifest)], out, plan.work / "cache")
    return out


def predictions(folder: Path, manifest: Path, cache: Path) -> dict[str, Any]:
    """What a checkpoint reads in the test images of a manifest, as plain JSON: one entry an image.

    `learned`: how many training images of each source had each label.
    """
    made, cases = checkpoints.load(folder), read_manifests([manifest])
    chosen = [c for c in cases if c.split == "test" and (c.label in made.classes or c.masks)]
    data = Cache(chosen, made.recipe, cache, progress=False)
    labels = torch.tensor([made.classes.index(c.label) if c.label in made.classes else -1 for c in chosen])
    p = validation.predict(made.network.eval(), data, labels, torch.device("cpu"))
    probabilities = (p.logits.double() / made.temperature).softmax(1).numpy()
    level, drawn = made.thresholds.attention, zip(p.lesions, p.masks, strict=True)
    overlaps = {int(row): overlap(p.maps[row], mask, level) for row, mask in drawn}
    rows = [
        {
            "patient": c.group, "source": c.source, "label": c.label if c.label in made.classes else "",
            "p": np.round(probabilities[i], 6).tolist(), **overlaps.get(i, {}),
        }
        for i, c in enumerate(chosen)
    ]  # fmt: skip
    return {"classes": list(made.classes), "normal": made.normal, "learned": learned(cases), "rows": rows}


def learned(cases: Sequence[Case]) -> dict[str, dict[str, int]]:
    """How many training images of each source have each label."""
    counts: dict[str, dict[str, int]] = {}
    for c in cases:
        if c.split == "train" and c.label:
            own = counts.setdefault(c.source, {})
            own[c.label] = own.get(c.label, 0) + 1
    return counts


def overlap(attention: torch.Tensor, mask: torch.Tensor, threshold: float) -> dict[str, float]:
    """Hit and IoU of a map (h, w) in [0, 1] with the share of each cell that is lesion."""
    chosen = (attention >= threshold).float()
    both = float((chosen * mask).sum())
    hit = float(mask.flatten()[attention.argmax()] >= 0.5)
    return {"hit": hit, "iou": both / max(float(chosen.sum() + mask.sum()) - both, 1e-9)}


def part_of(runs: Sequence[tuple[str, int, int]], part: str) -> list[tuple[str, int, int]]:
    """Of variant, fold and seed of all runs those of one process: `part` "2/3" is the second of three."""
    found = re.fullmatch(r"(\d+)/(\d+)", part)
    number, parts = (int(n) for n in found.groups()) if found else (0, 0)
    if not 1 <= number <= parts:
        raise DeepPneumoniaError(f"--part is {part!r}; expected I/N with I from 1 to N, as 1/2 for the first of two.")
    return list(runs[number - 1 :: parts])


def slug(variant: str) -> str:
    """A variant's name as a folder's."""
    words = variant.replace("+", "plus").replace("-", " ").replace("(the whole)", "whole").split()
    return "-".join(words)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: every run that is not done yet, then the table."""
    p = argparse.ArgumentParser(prog="python -m studies.ablation", description=__doc__)
    p.add_argument("--manifest", action="append", default=[], metavar="CSV", help="manifest.csv; may be repeated")
    p.add_argument("--unlabelled", action="append", default=[], metavar="CSV", help=(
        "manifest.csv of images for one pre-training of all folds; may be repeated; none: one of each fold's own images"
    ))  # fmt: skip
    p.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder of the results")
    p.add_argument("--work", type=Path, metavar="DIR", help="folder of what is large; OUT/work if not given")
    p.add_argument("--folds", type=int, default=5, help=(
        "folds of patients, 3 or more, or 1: the manifests' own splits (default: 5)"
    ))  # fmt: skip
    p.add_argument("--seeds", type=int, default=3, help="seeds a fold (default: 3)")
    p.add_argument("--size", type=int, default=128, help="side of the model's frame, pixels (default: 128)")
    p.add_argument("--batch", type=int, default=16, help="images a step (default: 16)")
    p.add_argument("--epochs", type=int, default=8, help="passes over the training images (default: 8)")
    p.add_argument("--pretrain-epochs", type=int, default=8, help="passes of the pre-training (default: 8)")
    p.add_argument("--normal-class", default="", metavar="NAME", help="class without pneumonia; found if not given")
    p.add_argument("--part", default="1/1", metavar="I/N", help=(
        "do every Nth run beginning with the Ith, for N processes at a time; the first run of a pre-training must be "
        "done before (default: 1/1, all)"
    ))  # fmt: skip
    p.add_argument("--table", action="store_true", help="train nothing, make the table of what is in --out")
    a = p.parse_args(argv)
    if a.folds < 1 or a.folds == 2:
        p.error(f"--folds is {a.folds}; expected 3 or more, or 1")
    if not (a.table or a.manifest):
        p.error("--manifest is missing; expected a manifest.csv at least, or --table")
    plan = Plan(
        tuple(a.manifest), tuple(a.unlabelled), a.out, a.work or a.out / "work",
        a.folds, a.size, a.batch, a.epochs, a.pretrain_epochs, a.normal_class,
    )  # fmt: skip
    # Seeds last: after the first of them the table has every fold of every variant.
    runs = [(v, f, s) for s, f, v in product(range(a.seeds), range(a.folds), VARIANTS)]

    def work() -> None:
        for variant, fold, seed in [] if a.table else tqdm(part_of(runs, a.part), "Runs", unit="run"):
            run(plan, variant, fold, seed)
        print(report({v: a.out / "runs" / slug(v) for v in VARIANTS}, a.out))

    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
