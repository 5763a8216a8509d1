"""Where a run starts, the average of its weights that it keeps, what weak labels teach, what is normal."""

import csv
import json
from pathlib import Path

import pytest
import torch

from deep_pneumonia.datasets.manifest import Case, MaskRef, read_manifests
from deep_pneumonia.errors import TrainingError
from deep_pneumonia.prediction import checkpoint
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig
from deep_pneumonia.training import validation
from deep_pneumonia.training.data import choose, with_weak_labels
from deep_pneumonia.training.initial_weights import averaged
from deep_pneumonia.training.run import load_tree
from tests.short_training import records, run, weights


def test_a_run_starts_from_all_weights_of_a_checkpoint(trained: Path, drawn_set: Path, tmp_path: Path) -> None:
    still = ["--backbone", "resnet18", "--lr", "0", "--weight-decay", "0", "--initial", str(trained / "checkpoint")]
    assert run(drawn_set, tmp_path / "again", *still) == 0
    before, after = weights(trained), weights(tmp_path / "again")
    learned = [k for k in before if "running_" not in k and "num_batches" not in k]
    assert all(torch.equal(before[k], after[k]) for k in learned)
    facts = json.loads((tmp_path / "again" / "checkpoint" / "model.json").read_text())
    sha256 = checkpoint.load(trained / "checkpoint").sha256
    assert facts["training"]["options"]["initial"] == f"checkpoint {sha256[:12]}"  # its name, not where it lay


@pytest.mark.parametrize(
    ("options", "words"), [([], "architecture"), (["--backbone", "resnet18", "--width", "16"], "architecture")]
)
def test_a_checkpoint_that_does_not_fit_is_named(
    options: list[str], words: str, trained: Path, drawn_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(drawn_set, tmp_path / "x", "--initial", str(trained / "checkpoint"), *options) == 2
    assert words in capsys.readouterr().err


def test_a_checkpoint_of_other_classes_is_named(
    trained: Path, drawn_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = drawn_set.parent / "other-classes.csv"
    other.write_text(drawn_set.read_text().replace("Opacity", "Shadow"))
    assert run(other, tmp_path / "x", "--initial", str(trained / "checkpoint")) == 2
    assert "Clear, Opacity" in capsys.readouterr().err


def test_the_average_follows_as_slowly_as_asked() -> None:
    network = AttentionNet(ModelConfig("shufflenet_v2_x0_5", width=8))
    slow, none = averaged(network, 0.75), averaged(network, 0.0)
    for value in (1.0, 2.0, 4.0):
        with torch.no_grad():
            network.classifier.bias.fill_(value)
        for average in (slow, none):
            average.update_parameters(network)
    by_hand = 0.75 * (0.75 * 1 + 0.25 * 2) + 0.25 * 4  # the first step is taken whole
    assert torch.equal(slow.module.classifier.bias, torch.full((2,), by_hand))  # type: ignore[arg-type]
    assert torch.equal(none.module.classifier.bias, network.classifier.bias)  # type: ignore[arg-type]


def test_the_average_is_what_is_kept(drawn_set: Path, tmp_path: Path) -> None:
    assert run(drawn_set, tmp_path / "plain", "--epochs", "2") == 0
    assert run(drawn_set, tmp_path / "slow", "--epochs", "2", "--average", "0.9") == 0
    first, second = (records(tmp_path / out) for out in ("plain", "slow"))
    assert [r["loss"] for r in first if "loss" in r] == [r["loss"] for r in second if "loss" in r]
    key = "backbone.fine.0.0.weight"
    assert not torch.equal(weights(tmp_path / "plain")[key], weights(tmp_path / "slow")[key])


def test_the_last_epoch_is_kept_where_it_is_asked_for(
    drawn_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = validation.scores
    for keep in ("best", "last"):
        falling = iter([1.0, 0.5, 0.5])  # two epochs, and once more at the end
        monkeypatch.setattr(validation, "scores", lambda p, falling=falling: measured(p) | {"score": next(falling)})
        assert run(drawn_set, tmp_path / keep, "--epochs", "2", "--keep", keep) == 0
    state = load_tree(tmp_path / "last" / "state.safetensors")["network"]
    kept = {keep: load_tree(tmp_path / keep / "best.safetensors") for keep in ("best", "last")}
    assert all(torch.equal(state[k], kept["last"][k]) for k in state)
    assert not all(torch.equal(state[k], kept["best"][k]) for k in state)


def test_weak_labels_teach_the_training_split_alone(drawn_set: Path, tmp_path: Path) -> None:
    rows = list(csv.DictReader(drawn_set.read_text().splitlines()))
    for number, row in enumerate(rows):
        row["image"] = str((drawn_set.parent / row["image"]).resolve())
        row["mask"] = str((drawn_set.parent / row["mask"]).resolve()) if row["mask"] else ""
        if number % 3 == 0:
            row["weak_label"], row["label"] = row["label"], ""
    weak = tmp_path / "weak.csv"
    with weak.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)
    cases = read_manifests([weak])
    for case, taught in zip(cases, with_weak_labels(cases, ""), strict=True):
        asked = case.label or case.weak_label if case.split == "train" else case.label
        assert taught.label == asked
    counts = []
    for option in ("--weak-labels", "--no-weak-labels"):
        assert run(weak, tmp_path / option, option, "--batch", "2") == 0
        facts = json.loads((tmp_path / option / "checkpoint" / "model.json").read_text())
        counts.append(sum(facts["training"]["counts"]["train"]["drawn"].get(c, 0) for c in ("Clear", "Opacity")))
    assert counts[0] > counts[1]


def test_what_is_weakly_normal_is_taken_to_hold_no_lesion() -> None:
    read = MaskRef(None, "normal", "A")
    drawn = MaskRef(Path("m.png"), "box", "B")
    cases = [
        Case(Path("0.png"), "0", "s", "train", "Clear", (read,)),
        Case(Path("1.png"), "1", "s", "train", weak_label="Clear"),
        Case(Path("2.png"), "2", "s", "train", weak_label="Ill"),
        Case(Path("3.png"), "3", "s", "train", masks=(drawn,), weak_label="Clear"),
        Case(Path("4.png"), "4", "s", "val", weak_label="Clear"),
    ]
    for normal in ("Clear", ""):  # named, or found by what was read as normal
        taught = with_weak_labels(cases, normal)
        assert [c.label for c in taught] == ["Clear", "Clear", "Ill", "Clear", ""]
        assert [c.has_lesion for c in taught] == [False, False, False, True, False]
        assert [bool(c.masks) for c in taught] == [True, True, False, True, False]


@pytest.mark.parametrize(
    ("normal", "words"),
    [
        ("", r"read as normal; give --normal-class, one of Clear, Ill, or add images"),
        ("Healthy", r"'Healthy' is not among the classes of the training split \(Clear, Ill\)"),
    ],
)
def test_what_is_without_pneumonia_must_be_told_or_read(normal: str, words: str) -> None:
    names = ("Clear", "Ill")
    cases = [Case(Path(f"{split}-{name}.png"), name, "s", split, name) for split in ("train", "val") for name in names]
    with pytest.raises(TrainingError, match=words):
        choose(cases, normal, 1)
