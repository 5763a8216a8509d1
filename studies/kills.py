"""Kill every verb at random moments, run it again, and compare with a run that nobody disturbed.

    python -m studies.kills --kills 100

Subjects: training, pre-training, prepare, a prediction, a work list that is filled, predicted, exported and imported,
and the served viewer, to which a page sends verdicts and masks. Each is killed with SIGKILL at a random moment of its
work and begun again, up to three times in a row, until it ends by itself. Then nothing may be missing or different:
weights and logs are equal to the bit, files are equal, work lists have every case, verdict and mask that was confirmed,
and no temporary file is left. Prints a table; the exit status is 1 if anything was lost. Data and networks are tiny and
drawn, and the processes are forks of one that has everything imported, so that kills hit the work and not the imports.
"""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from deep_pneumonia import predict, prepare, pretrain, review, shipped, train
from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.files import sha256
from deep_pneumonia.masks.annotation import write_mask
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.worklist.history import history
from deep_pneumonia.worklist.predictions import Predictions
from deep_pneumonia.worklist.rows import rows
from deep_pneumonia.worklist.workspace import Workspace
from studies.kill_viewer import serve
from studies.killing import Subject, table, trial, undisturbed
from tests.phantom import draw, make_set, save_png

PRECISE = [
    "--batch", "6", "--precision", "32-true", "--device", "cpu", "--initial", "random", "--backbone",
    "shufflenet_v2_x0_5",
]  # fmt: skip
SMALL = [*PRECISE, "--size", "64", "--epochs", "2", "--save-every", "1"]


NAMES = ("train", "pretrain", "prepare", "predict", "review", "app")


def bytes_of(folder: Path) -> dict[str, str]:
    """The digest of every file below a folder."""
    return {str(p.relative_to(folder)): sha256(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def trained(manifest: Path) -> Subject:
    """Training: weights, log and charts."""

    def work(folder: Path) -> int:
        return train.main(["--manifest", str(manifest), "--out", str(folder / "run"), "--width", "16", *SMALL])

    def state(folder: Path) -> Any:
        run = folder / "run"
        return sha256(run / "checkpoint" / "model.safetensors"), (run / "log.jsonl").read_text()

    return Subject("train", work, state)


def pretrained(manifest: Path) -> Subject:
    """Pre-training: the encoder and the log."""

    def work(folder: Path) -> int:
        options = ["--view", "48", "--queue", "24", *SMALL]
        return pretrain.main(["--manifest", str(manifest), "--out", str(folder / "run"), *options])

    def state(folder: Path) -> Any:
        return sha256(folder / "run" / "encoder.safetensors"), (folder / "run" / "log.jsonl").read_text()

    return Subject("pretrain", work, state)


def prepared(raw: Path) -> Subject:
    """Preparing a folder: the manifest and every mask."""

    def work(folder: Path) -> int:
        return prepare.main(["folder", str(raw), "--out", str(folder / "out"), "--normal", "Clear"])

    return Subject("prepare", work, lambda folder: bytes_of(folder / "out"))


def predicted(image: Path) -> Subject:
    """One prediction with its JSON, map and report; a report has the day on it, which is the same in a study."""

    def work(folder: Path) -> int:
        out = [x for n in ("json", "report", "attention") for x in (f"--{n}", str(folder / f"case.{ENDINGS[n]}"))]
        return predict.main([str(image), *out, "--device", "cpu"])

    return Subject("predict", work, bytes_of)


# Of the files that `predict` writes, by its options.
ENDINGS = {"json": "json", "report": "pdf", "attention": "npy"}


def reviewed(folder_of_images: Path, key: str) -> Subject:
    """The verbs of a work list: add, predict, export, import."""

    def work(folder: Path) -> int:
        here, there = str(folder / "list #1"), str(folder / "there")
        target = folder / "out.zip"
        steps = (
            ["add", str(folder_of_images), "--workspace", here],
            ["predict", "--workspace", here, "--device", "cpu"],
            ["export", str(target), "--radiographs", "--workspace", here],
            ["import", str(target), "--workspace", there],
            ["report", str(folder / "out.pdf"), "--workspace", here],
        )
        return next((status for step in steps if (status := review.main(step))), 0)

    def state(folder: Path) -> Any:
        return [list_state(folder / name, key) for name in ("list #1", "there")]

    return Subject("review", work, state)


def list_state(folder: Path, key: str) -> Any:
    """All that a work list holds but the times, which differ between any two runs."""
    space = Workspace(folder)
    shown = [{**row, "verdicts": sorted(row["verdicts"])} for row in rows(space, Predictions(space, key))]
    drawn = [[(d.reader, d.version, d.kind, d.digest) for d in record.drawings] for record in history(space)]
    said = [[(v.reviewer, v.version, v.verdict, v.comment) for v in record.verdicts] for record in history(space)]
    return json.dumps([shown, drawn, said, sorted(p.name for p in (folder / "masks").iterdir())])


def served(images: Sequence[Path], predictor: Predictor) -> Subject:
    """The served viewer: verdicts and masks that a page stores in its shared work list, each confirmed once kept."""

    def begin(folder: Path) -> None:
        Workspace(folder / "list").add([Case(image, image.stem, "own", "test") for image in images])

    def work(folder: Path) -> int:
        return serve(folder, predictor, images)

    return Subject("app", work, lambda folder: list_state(folder / "list", predictor.checkpoint.key), begin, confirmed)


def confirmed(folder: Path) -> list[str]:
    """What a killed viewer had confirmed and its work list does not have."""
    told = (folder / "told.txt").read_text().split("\n")[:-1] if (folder / "told.txt").exists() else []
    space = Workspace(folder / "list")
    has = {f"verdict {number}" for number in space.verdicts()} | {f"mask {number}" for number in space.all_drawings()}
    return [f"lost the {one}" for one in told if one not in has]


def subjects(folder: Path) -> list[Subject]:
    """All that is killed, with the data that they work on."""
    manifest, raw = make_set(folder / "set", patients=16), folder / "raw"
    for number in range(24):
        pixels, mask = draw(number, lesion=number % 2 == 1)
        name = f"{('Clear', 'Opacity')[number % 2]}/{number}.png"
        save_png(pixels, raw / name)
        if number % 2:
            (raw / "masks" / "Opacity").mkdir(parents=True, exist_ok=True)
            write_mask(mask, raw / "masks" / name)
    predictor = Predictor.load(shipped.CHECKPOINT, "cpu")
    images = sorted((raw / "Clear").glob("*.png"))
    few = folder / "few"
    for image in images[:6]:
        save_png(draw(int(image.stem))[0], few / image.name)
    return [
        trained(manifest), pretrained(manifest), prepared(raw), predicted(images[0]),
        reviewed(few, predictor.checkpoint.key), served(images[:6], predictor),
    ]  # fmt: skip


def study(kills: int, seed: int, only: Sequence[str]) -> list[Subject]:
    """Spread the kills over the subjects, as evenly as may be. only: names of the subjects; empty for all."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        found = [s for s in subjects(Path(scratch)) if not only or s.name in only]
        (Path(scratch) / "temporary").mkdir()
        tempfile.tempdir = str(Path(scratch) / "temporary")
        expected = {s.name: undisturbed(s, Path(scratch) / f"{s.name}-undisturbed") for s in found}
        for number, subject in enumerate(found):
            wanted = kills // len(found) + (number < kills % len(found))
            while subject.kills < wanted and subject.trials < 10 * wanted:
                trial(subject, Path(scratch) / f"{subject.name}-{subject.trials}", chance, expected[subject.name])
        tempfile.tempdir = None
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of the study: 0 if nothing was lost, else 1."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kills", type=int, default=100, help="how many, over all subjects together (default: 100)")
    p.add_argument("--only", action="append", default=[], choices=NAMES, help="one subject; may be repeated")
    p.add_argument("--seed", type=int, default=0, help="of the random moments (default: 0)")
    arguments = p.parse_args(argv)
    torch.set_num_threads(1)  # a fork has one thread
    found = study(arguments.kills, arguments.seed, arguments.only)
    print(table(found))
    return int(any(s.lost for s in found))


if __name__ == "__main__":
    sys.exit(main())
