"""Checkpoints: there and back, without pickle, and every damage has its name."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from deep_pneumonia.errors import (
    DamagedCheckpointError,
    ForeignCheckpointError,
    NewerCheckpointError,
)
from deep_pneumonia.prediction.checkpoint import WEIGHTS, Checkpoint, Thresholds, load, save
from deep_pneumonia.prediction.gate import Gate
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig

SMALL = ModelConfig("shufflenet_v2_x0_5", classes=3, width=8)
IMAGES = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def original() -> Checkpoint:
    """A small network whose batch statistics have seen something, with a value of its own in every field."""
    torch.manual_seed(0)
    network = AttentionNet(SMALL)
    with torch.no_grad():
        network(IMAGES)
    return Checkpoint(
        network.eval(), ("Normal", "COVID-19", "Lungenentzündung"), "Normal", InputRecipe(64, 1.0, 99.0),
        Thresholds(0.35, 0.6, 0.125), 1.5, {"seed": 7, "counts": {"train": 40}}, "tiny",
    )  # fmt: skip


@pytest.fixture
def saved(original: Checkpoint, tmp_path: Path) -> Path:
    save(original, tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def facts_of(folder: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return facts


def change(folder: Path, **entries: Any) -> None:
    """Overwrite entries of model.json."""
    (folder / "model.json").write_text(json.dumps(facts_of(folder) | entries), encoding="utf-8")


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()


def test_what_is_loaded_reads_as_what_was_saved(original: Checkpoint, saved: Path) -> None:
    loaded = load(str(saved))
    assert not any(m.training for m in loaded.network.modules())
    assert {p.dtype for p in loaded.network.parameters()} == {torch.float32}
    with torch.inference_mode():
        before, after = original.network(IMAGES), loaded.network(IMAGES)
    assert before.logits.std() > 0.01
    assert torch.allclose(before.logits, after.logits, atol=5e-3)
    assert torch.allclose(before.attention, after.attention, atol=5e-3)
    assert replace(loaded, network=original.network, sha256="") == original
    assert loaded.sha256 == digest(saved)


def test_its_key_changes_with_all_that_a_reading_depends_on(saved: Path) -> None:
    loaded = load(saved)
    gate = Gate(torch.zeros(2), torch.eye(2), 1.0, torch.ones(2), 0.0)
    others = [
        replace(loaded, sha256="0" * 64),
        replace(loaded, thresholds=replace(loaded.thresholds, finding=0.2)),
        replace(loaded, temperature=1.25),
        replace(loaded, gate=gate),
        replace(loaded, gate=replace(gate, limit=2.0)),
        replace(loaded, gate=replace(gate, bias=0.5)),
    ]
    assert len({c.key for c in (loaded, *others)}) == 7
    assert replace(loaded, name="another", training={}).key == loaded.key == load(saved).key


def test_the_second_time_every_bit_stays(saved: Path, tmp_path: Path) -> None:
    first = load(saved)
    save(first, tmp_path / "again")
    second = load(tmp_path / "again")
    for name in (WEIGHTS, "model.json"):
        assert (tmp_path / "again" / name).read_bytes() == (saved / name).read_bytes()
    with torch.inference_mode():
        assert torch.equal(first.network(IMAGES).logits, second.network(IMAGES).logits)


def test_model_json_tells_everything(saved: Path) -> None:
    assert facts_of(saved) == {
        "package": "deep-pneumonia",
        "format": 2,
        "name": "tiny",
        "classes": ["Normal", "COVID-19", "Lungenentzündung"],
        "normal": "Normal",
        "recipe": {"size": 64, "low": 1.0, "high": 99.0, "detail": 0, "mean": 0.5, "std": 0.25},
        "architecture": {"backbone": "shufflenet_v2_x0_5", "classes": 3, "width": 8, "floor": 0.02},
        "thresholds": {"attention": 0.35, "grad_cam": 0.6, "finding": 0.125},
        "temperature": 1.5,
        "weights": {"file": "model.safetensors", "sha256": digest(saved)},
        "training": {"seed": 7, "counts": {"train": 40}},
    }


def test_matrices_are_float16_and_vectors_float32(original: Checkpoint, saved: Path) -> None:
    stored, state = load_file(saved / WEIGHTS), original.network.state_dict()
    assert stored.keys() == state.keys()
    for name, tensor in stored.items():
        half = tensor.dim() > 1
        assert tensor.dtype == (torch.float16 if half else state[name].dtype), name
        assert torch.equal(tensor, state[name].half() if half else state[name]), name
    assert {t.dtype for t in stored.values()} == {torch.float16, torch.float32, torch.int64}
    assert {p.dtype for p in original.network.parameters()} == {torch.float32}, "saving altered the network"


def test_nothing_is_pickled(saved: Path) -> None:
    assert {p.name for p in saved.iterdir()} == {"README.md", "model.json", WEIGHTS}
    assert not zipfile.is_zipfile(saved / WEIGHTS)
    raw = (saved / WEIGHTS).read_bytes()
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    assert header.keys() == load_file(saved / WEIGHTS).keys()


def test_a_checkpoint_without_a_name_bears_its_folders(original: Checkpoint, tmp_path: Path) -> None:
    save(replace(original, name=""), tmp_path / "a" / "resnet")
    assert load(tmp_path / "a" / "resnet").name == "resnet"


def test_resnet18_stays_under_30_megabytes(tmp_path: Path) -> None:
    save(Checkpoint(AttentionNet(ModelConfig()), ("A", "B"), "A", InputRecipe()), tmp_path / "c")
    assert 20_000_000 < sum(p.stat().st_size for p in (tmp_path / "c").iterdir()) < 30_000_000


def cut(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-100])


def flip_one_bit(folder: Path) -> None:
    raw = bytearray((folder / WEIGHTS).read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / WEIGHTS).write_bytes(raw)


def no_safetensors(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"\x80\x04K\x01.")
    change(folder, weights={"file": WEIGHTS, "sha256": digest(folder)})


def half_a_json(folder: Path) -> None:
    text = (folder / "model.json").read_text(encoding="utf-8")
    (folder / "model.json").write_text(text[: len(text) // 2], encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, "cut short or altered"),
        (flip_one_bit, "cut short or altered"),
        (no_safetensors, "cannot be read"),
        (lambda f: (f / WEIGHTS).unlink(), "cannot be read"),
        (half_a_json, "model.json cannot be read"),
        (lambda f: (f / "model.json").write_bytes(b"\xff\xfe"), "model.json cannot be read"),
        (lambda f: change(f, format="1"), "format '1'"),
        (lambda f: change(f, format=0), "format 0"),
    ],
)
def test_damage_is_noticed(damage: Callable[[Path], None], words: str, saved: Path) -> None:
    damage(saved)
    with pytest.raises(DamagedCheckpointError, match=words):
        load(saved)


@pytest.mark.parametrize(
    "key", ["name", "classes", "normal", "recipe", "architecture", "thresholds", "temperature", "weights", "training"]
)
def test_a_lost_or_senseless_entry_is_named(key: str, saved: Path) -> None:
    entries = facts_of(saved)
    if key not in {"name", "normal"}:  # text is whatever it says
        change(saved, **{key: None})
        with pytest.raises(DamagedCheckpointError, match="lacks an entry or has a wrong one"):
            load(saved)
    del entries[key]
    (saved / "model.json").write_text(json.dumps(entries), encoding="utf-8")
    with pytest.raises(DamagedCheckpointError, match=f"lacks an entry or has a wrong one .*{key}"):
        load(saved)


@pytest.mark.parametrize(
    "entry",
    [
        {"normal": "Healthy"},
        {"classes": ["Normal", "COVID-19"]},
        {"classes": ["Normal", "COVID-19", "Normal"]},
        {"recipe": {"size": 64, "low": 99.0, "high": 1.0}},
    ],
    ids=str,
)
def test_a_contradiction_is_noticed(entry: dict[str, Any], saved: Path) -> None:
    change(saved, **entry)
    with pytest.raises(DamagedCheckpointError, match="contradicts itself"):
        load(saved)


def test_what_is_foreign_is_refused(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(ForeignCheckpointError, match=r"holds no model\.json"):
        load(tmp_path)
    for text in ("[1]", '"deep-pneumonia"', "{}", '{"package": "another", "format": 1}'):
        (saved / "model.json").write_text(text)
        with pytest.raises(ForeignCheckpointError, match="is not of deep-pneumonia"):
            load(saved)


@pytest.mark.parametrize("other", [replace(SMALL, width=16), replace(SMALL, backbone="shufflenet_v2_x1_0")], ids=str)
def test_weights_of_another_architecture_are_refused(other: ModelConfig, original: Checkpoint, saved: Path) -> None:
    network = AttentionNet(other)
    save(replace(original, network=network), saved.with_name("other"))
    (saved.with_name("other") / WEIGHTS).replace(saved / WEIGHTS)
    with pytest.raises(DamagedCheckpointError, match="cut short or altered"):
        load(saved)
    change(saved, weights={"file": WEIGHTS, "sha256": digest(saved)})
    with pytest.raises(ForeignCheckpointError, match="do not fit the architecture 'shufflenet_v2_x0_5'"):
        load(saved)


def test_a_newer_format_asks_for_an_update(saved: Path) -> None:
    change(saved, format=3, classes="in another way")
    with pytest.raises(NewerCheckpointError, match=r"has format 3, .* reads up to 2; update deep-pneumonia"):
        load(saved)


def test_an_error_while_saving_leaves_the_former_whole(original: Checkpoint, saved: Path) -> None:
    former = {p.name: p.read_bytes() for p in saved.iterdir()}
    with pytest.raises(ValueError, match="JSON"):
        save(replace(original, training={"score": float("nan")}), saved)
    assert {p.name: p.read_bytes() for p in saved.iterdir()} == former
    assert load(saved).name == "tiny"
    save(replace(original, name="new"), saved)
    assert load(saved).name == "new"
    assert [p.name for p in saved.parent.iterdir()] == ["checkpoint"]


def test_what_a_killed_save_left_is_swept_away(original: Checkpoint, saved: Path) -> None:
    for name in ("checkpoint.old", ".checkpoint.partial"):
        saved.with_name(name).mkdir()
        (saved.with_name(name) / "half").write_bytes(b"half")
    save(replace(original, name="new"), saved)
    assert load(saved).name == "new"
    assert {p.name for p in saved.iterdir()} == {"README.md", "model.json", WEIGHTS}
    assert [p.name for p in saved.parent.iterdir()] == ["checkpoint"]
