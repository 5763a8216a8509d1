"""What a training run starts from: a pre-trained backbone, or all weights of a checkpoint; and the average it keeps."""

from collections.abc import Sequence
from pathlib import Path

from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from deep_pneumonia.errors import TrainingError
from deep_pneumonia.prediction import checkpoint as checkpoints
from deep_pneumonia.prediction.network import AttentionNet
from deep_pneumonia.training.run import load_tree


def load_encoder(network: AttentionNet, folder: Path) -> None:
    """Start the backbone from a pre-training run.

    Raises:
        TrainingError: the run is not finished, or of another backbone.
    """
    path = folder / "encoder.safetensors"
    if not path.exists():
        raise TrainingError(f"{folder} holds no encoder.safetensors; finish `pretrain --out {folder}` first.")
    try:
        network.backbone.load_state_dict(load_tree(path))
    except RuntimeError as error:
        raise TrainingError(
            f"{path} is not of the backbone {network.config.backbone!r}; give the same --backbone."
        ) from error


def load_network(network: AttentionNet, classes: Sequence[str], folder: Path) -> None:
    """Start from every weight of a checkpoint.

    Raises:
        CheckpointError: the folder is no checkpoint, a damaged one, or a newer one.
        TrainingError: it has other classes or another architecture.
    """
    made = checkpoints.load(folder, with_gate=False)
    if made.classes != tuple(classes):
        raise TrainingError(
            f"{folder} has the classes {', '.join(made.classes)}, the manifests {', '.join(classes)}; give such data."
        )
    if made.network.config != network.config:
        raise TrainingError(f"{folder} has another architecture, {made.network.config}; give the same options.")
    network.load_state_dict(made.network.state_dict())


def named(folder: str) -> str:
    """A checkpoint folder as its name and the beginning of its weights' SHA-256; "" of none."""
    return f"{Path(folder).name} {checkpoints.load(Path(folder), with_gate=False).sha256[:12]}" if folder else ""


def averaged(network: AttentionNet, kept: float) -> AveragedModel:
    """The exponential average of a network's weights and statistics; `kept` in [0, 1) of it stays in a step.

    Polyak and Juditsky (1992), as torch has it. With `kept` 0 it is the network itself, a step at a time.
    """
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(kept), use_buffers=True)
