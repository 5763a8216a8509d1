"""The weights that a training run starts from, a pre-trained backbone or a whole checkpoint, and their average."""

from collections.abc import Sequence
from pathlib import Path

from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from deep_pneumonia.errors import TrainingError
from deep_pneumonia.prediction import checkpoint as checkpoints
from deep_pneumonia.prediction.network import AttentionNet
from deep_pneumonia.training.run import load_tree

ENCODER = "encoder.safetensors"  # the backbone that a pre-training run writes


def load_encoder(network: AttentionNet, folder: Path) -> None:
    """Load the backbone of the pre-training run in `folder`.

    Raises:
        TrainingError: the run is not finished, or it has another backbone.
    """
    path = folder / ENCODER
    if not path.exists():
        raise TrainingError(f"{folder} holds no {ENCODER}; finish `pretrain --out {folder}` first.")
    try:
        network.backbone.load_state_dict(load_tree(path))
    except RuntimeError as error:
        raise TrainingError(
            f"{path} does not fit the backbone {network.config.backbone!r}; give the --backbone of its run."
        ) from error


def load_network(network: AttentionNet, classes: Sequence[str], folder: Path) -> None:
    """Load all weights of the checkpoint in `folder`.

    Raises:
        CheckpointError: the folder holds no checkpoint, or it is damaged or of a newer version.
        TrainingError: the checkpoint has other classes or another architecture.
    """
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


def named(folder: str) -> str:
    """Name of a checkpoint folder and the first 12 digits of its weights' SHA-256; "" for ""."""
    return f"{Path(folder).name} {checkpoints.load(Path(folder), with_gate=False).sha256[:12]}" if folder else ""


def averaged(network: AttentionNet, kept: float) -> AveragedModel:
    """The exponential moving average of a network's weights and batch statistics.

    kept: the share of the average that each step keeps, in [0, 1). With 0 it equals the network after every step.
    Averaging as by Polyak and Juditsky (SIAM Journal on Control and Optimization, 1992), in torch's implementation.
    """
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(kept), use_buffers=True)
