"""A checkpoint goes to the Hugging Face Hub and comes back; a server on this machine stands in for the Hub."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

from deep_pneumonia.errors import ForeignCheckpointError, HubError, NewerCheckpointError
from deep_pneumonia.prediction.checkpoint import Checkpoint, load, save
from deep_pneumonia.prediction.hub import FILES
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig
from deep_pneumonia.prediction.predictor import Predictor
from tests import hub_server
from tests.hub_server import COMMIT, Hub

NAME = "someone/tiny"
WRITTEN = {"README.md", "model.json", "model.safetensors"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """An empty Hub, and an empty cache for what comes from it."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # its protocol is not HTTP alone
    monkeypatch.setenv("HF_TOKEN", "hf_of_a_test")
    with hub_server.serve() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        yield server


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    torch.manual_seed(0)
    network = AttentionNet(ModelConfig("shufflenet_v2_x0_5", classes=2, width=8))
    made = Checkpoint(network, ("Normal", "Opacity"), "Normal", InputRecipe(64), training={"seed": 7}, name="tiny")
    return Predictor(made, torch.device("cpu"))


@pytest.fixture
def folder(predictor: Predictor, tmp_path: Path) -> Path:
    predictor.save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


def fill(hub: Hub, folder: Path) -> None:
    hub.files[NAME] = {p.name: p.read_bytes() for p in folder.iterdir()}


def test_a_folder_that_was_saved_is_loaded_by_its_path(predictor: Predictor, folder: Path) -> None:
    assert {p.name for p in folder.iterdir()} == WRITTEN
    found = Predictor.from_pretrained(folder, device="cpu")
    assert found.checkpoint.classes == predictor.checkpoint.classes
    images = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    assert torch.equal(found.forward(images)[0], load(folder).network.eval()(images).logits)


def test_saving_leaves_other_files_in_the_folder(predictor: Predictor, folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / "notes.txt").write_text("keep")
    (folder / "metrics.json").write_text("{}")
    predictor.save_pretrained(folder)
    assert {p.name for p in folder.iterdir()} == {*WRITTEN, ".git", "notes.txt"}, "scores of other weights go"


# huggingface_hub's own, in the upload over plain HTTP that it keeps beside Xet.
@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_a_checkpoint_is_pushed_and_comes_back(predictor: Predictor, hub: Hub, folder: Path) -> None:
    url = predictor.push_to_hub(NAME, private=True, message="First")
    assert url == f"{hub.address}/{NAME}/commit/{COMMIT}"
    assert [(c["organization"], c["name"], c["visibility"]) for c in hub.created] == [("someone", "tiny", "private")]
    assert hub.files[NAME] == {p.name: p.read_bytes() for p in folder.iterdir()}
    found = Predictor.from_pretrained(NAME, device="cpu")
    assert found.checkpoint.key == load(folder).key
    assert found.checkpoint.training == {"seed": 7}


def test_only_the_files_of_a_checkpoint_are_downloaded(hub: Hub, folder: Path) -> None:
    fill(hub, folder)
    hub.files[NAME] |= {"pytorch_model.bin": b"a pickle", "other.safetensors": b"large"}
    hub.tags.add("v1")
    Predictor.from_pretrained(NAME, revision="v1", device="cpu")
    fetched = {asked.rpartition("/")[2] for asked in hub.asked}
    assert fetched == set(FILES), "those that are missing are asked for too"
    assert hub.asked[0].endswith("/resolve/v1/model.json")
    later = [asked for asked in hub.asked if not asked.endswith("model.json")]
    assert all(f"/resolve/{COMMIT}/" in asked for asked in later), "all files are of one commit"


def test_what_was_downloaded_is_there_without_a_network(
    hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(hub, folder)
    Predictor.from_pretrained(NAME, device="cpu")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setattr(time, "sleep", lambda _: None)  # between the tries
    assert Predictor.from_pretrained(NAME, device="cpu").checkpoint.name == "tiny"
    with pytest.raises(HubError, match=r"cannot be reached, and someone/else was not downloaded before"):
        Predictor.from_pretrained("someone/else", device="cpu")


def test_a_repository_that_is_no_checkpoint_is_named_before_its_weights_are_fetched(hub: Hub, folder: Path) -> None:
    hub.files[NAME] = {"model.safetensors": b"large", "config.json": b"{}"}
    with pytest.raises(ForeignCheckpointError, match=r"someone/tiny lacks a file of a checkpoint"):
        Predictor.from_pretrained(NAME)
    hub.files["someone/else"] = {"model.safetensors": b"large", "model.json": b'{"package": "other"}'}
    with pytest.raises(ForeignCheckpointError, match=r"is not of deep-pneumonia"):
        Predictor.from_pretrained("someone/else")
    facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    hub.files["someone/newer"] = {
        "model.safetensors": b"large",
        "model.json": json.dumps({**facts, "format": 99}).encode(),
    }
    with pytest.raises(NewerCheckpointError, match="format 99"):
        Predictor.from_pretrained("someone/newer")
    assert [asked for asked in hub.asked if "safetensors" in asked] == []


@pytest.mark.parametrize(
    ("name", "revision", "message"),
    [
        ("nobody/nothing", None, "There is neither a folder nor a Hub repository nobody/nothing"),
        (NAME, "v9", "The Hub repository someone/tiny has no revision v9"),
        ("no/such/folder", None, "There is no folder no/such/folder"),
    ],
)
def test_a_wrong_name_or_revision_is_named(
    name: str, revision: str | None, message: str, hub: Hub, folder: Path
) -> None:
    fill(hub, folder)
    with pytest.raises(HubError, match=message):
        Predictor.from_pretrained(name, revision=revision)


def test_an_upload_that_the_hub_refuses_is_one_line(predictor: Predictor, hub: Hub) -> None:
    hub.down = True
    with pytest.raises(HubError, match=r"The Hub did not do what was asked of someone/tiny \(") as caught:
        predictor.push_to_hub(NAME)
    assert "\n" not in str(caught.value)


def test_scores_travel_with_the_weights_that_they_are_about(folder: Path, tmp_path: Path) -> None:
    sha256 = load(folder).sha256
    metrics = {"checkpoint": {"sha256": sha256}, "classification": {}, "localisation": {}}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    loaded = load(folder)
    save(loaded, tmp_path / "again")
    assert json.loads((tmp_path / "again" / "metrics.json").read_text(encoding="utf-8")) == metrics
    with torch.no_grad():
        next(loaded.network.parameters()).add_(1)
    save(replace(loaded), tmp_path / "changed")
    assert not (tmp_path / "changed" / "metrics.json").exists()
