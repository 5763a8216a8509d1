"""The weights that a run starts from: ImageNet's, random ones or those in a folder; and their running average.

A folder is recognised by what it holds: encoder.safetensors of a pre-training run, model.json of a checkpoint, or one
file of weights of torchvision.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from deep_pneumonia.errors import TrainingError
from deep_pneumonia.prediction import checkpoint as checkpoints
from deep_pneumonia.prediction.backbone import Backbone, grey_statistics
from deep_pneumonia.prediction.checkpoint_facts import MODEL
from deep_pneumonia.prediction.network import AttentionNet, ModelConfig
from deep_pneumonia.training.public_weights import imagenet_layers, layers_in
from deep_pneumonia.training.run import STATE, load_tree

ENCODER = "encoder.safetensors"  # the backbone that a pre-training run writes
IMAGENET, RANDOM = "imagenet", "random"


def initial_backbone(name: str, initial: str) -> Backbone:
    """The backbone that a run starts with. initial: "imagenet", "random" or a folder.

    Raises:
        ForeignCheckpointError: the backbone is unknown.
        CheckpointError, TrainingError: the weights are missing or do not fit.
    """
    backbone = Backbone(name, *grey_statistics(name))
    _fill(backbone, name, initial)
    return backbone


def initial_network(config: ModelConfig, initial: str, classes: Sequence[str]) -> AttentionNet:
    """The network that a run starts with: a whole checkpoint, or a backbone under a random head.

    Raises:
        ForeignCheckpointError: the backbone is unknown.
        CheckpointError, TrainingError: the weights are missing or do not fit.
    """
    network = AttentionNet(config, *grey_statistics(config.backbone))
    if _is_checkpoint(initial):
        _load_network(network, classes, Path(initial))
    else:
        _fill(network.backbone, config.backbone, initial)
    return network


def _fill(backbone: Backbone, name: str, initial: str) -> None:
    if initial == IMAGENET:
        _load_chain(backbone, imagenet_layers(name), f"ImageNet's weights of {name}")
    elif initial != RANDOM:
        _load_folder(backbone, name, Path(initial))


def _is_checkpoint(initial: str) -> bool:
    return initial not in (IMAGENET, RANDOM) and (Path(initial) / MODEL).is_file()


def _load_folder(backbone: Backbone, name: str, folder: Path) -> None:
    if not folder.is_dir():
        raise TrainingError(f"--initial {folder} is not a folder; give {IMAGENET}, {RANDOM} or a folder with weights.")
    if _is_checkpoint(str(folder)):
        start = checkpoints.load(folder, with_gate=False).network
        if start.config.backbone != name:
            raise TrainingError(f"{folder} has the backbone {start.config.backbone!r}; give --backbone with its name.")
        backbone.load_state_dict(start.backbone.state_dict())
    elif (folder / ENCODER).is_file():
        _load(backbone, load_tree(folder / ENCODER), str(folder / ENCODER))
    elif (folder / STATE).is_file():
        raise TrainingError(
            f"{folder} is a run without {ENCODER}; finish `pretrain --out {folder}` first, or give the folder "
            "`checkpoint` of a finished training run."
        )
    else:
        _load_chain(backbone, layers_in(folder, name), str(folder))


def _load_chain(backbone: Backbone, state: dict[str, torch.Tensor], what: str) -> None:
    """Load the layers of a network for colour; the first convolution's weights are summed over the colours."""
    own = backbone.chain
    stem = next(key for key, tensor in own.state_dict().items() if tensor.dim() == 4)
    if stem in state and state[stem].dim() == 4:
        state = state | {stem: state[stem].sum(dim=1, keepdim=True)}
    _load(own, state, what)


def _load(module: torch.nn.Module, state: dict[str, torch.Tensor], what: str) -> None:
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise TrainingError(f"{what} does not fit the backbone; give the --backbone that it belongs to.") from error


def _load_network(network: AttentionNet, classes: Sequence[str], folder: Path) -> None:
    start = checkpoints.load(folder, with_gate=False)
    if start.classes != tuple(classes):
        raise TrainingError(
            f"{folder} has the classes {', '.join(start.classes)}, but the manifests have {', '.join(classes)}; start "
            "from another checkpoint, or give manifests with its classes."
        )
    if start.network.config != network.config:
        raise TrainingError(
            f"{folder} has the architecture {start.network.config}, but the options ask for {network.config}; give "
            "the options of the checkpoint."
        )
    network.load_state_dict(start.network.state_dict())


def named(initial: str) -> str:
    """What a checkpoint says of its start: a folder by its name alone, a checkpoint also by its weights' SHA-256."""
    if initial in (IMAGENET, RANDOM):
        return initial
    folder = Path(initial)
    digest = checkpoints.load(folder, with_gate=False).sha256[:12] if _is_checkpoint(initial) else ""
    return f"{folder.name} {digest}".strip()


def averaged(network: AttentionNet, kept: float) -> AveragedModel:
    """The exponential moving average of a network's weights and batch statistics.

    kept: the share of the average that each step keeps, in [0, 1). With 0 it equals the network after every step.
    Averaging as by Polyak and Juditsky (SIAM Journal on Control and Optimization, 1992), in torch's implementation.
    """
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(kept), use_buffers=True)
