"""Weights of unknown origin: read only as they were written, and put into a network only if they can be its own."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError

from deep_pneumonia.errors import DamagedCheckpointError, ForeignCheckpointError
from deep_pneumonia.files import sha256
from deep_pneumonia.prediction.network import AttentionNet
from deep_pneumonia.prediction.tensor_file import read_tensors


def verified_tensors(path: Path, digest: str) -> dict[str, torch.Tensor]:
    """The tensors of a file with this SHA-256.

    Raises:
        DamagedCheckpointError: the file is missing, has another digest, or is no safetensors file.
    """
    try:
        if sha256(path) != digest:
            raise DamagedCheckpointError(f"{path} is cut short or altered; fetch the checkpoint again.")
        return read_tensors(path)
    except (OSError, SafetensorError) as error:
        raise DamagedCheckpointError(f"{path} cannot be read ({error}); fetch the checkpoint again.") from error


def fill(network: AttentionNet, tensors: Mapping[str, torch.Tensor], folder: Path) -> None:
    """Load weights into a network in evaluation mode, after they were checked.

    Raises:
        ForeignCheckpointError: a tensor is missing, is too much, or has another shape or type.
        DamagedCheckpointError: a value is no finite number, or the network's output is none.
    """
    state = {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    expected = network.state_dict()
    wrong = [n for n in expected if n not in state or not _alike(state[n], expected[n])]
    if wrong := [*wrong, *(n for n in state if n not in expected)]:
        raise ForeignCheckpointError(
            f"The weights in {folder} do not fit the architecture {network.config.backbone!r} of its model.json, first "
            f"in {wrong[0]!a}; use the two files that were written together."
        )
    spoilt = [n for n, t in state.items() if not t.isfinite().all() or ("running_var" in n and (t < 0).any())]
    network.load_state_dict(state)
    if spoilt or not _gives_numbers(network):
        where = f"in {spoilt[0]!a}" if spoilt else "in what they compute"
        raise DamagedCheckpointError(
            f"The weights in {folder} hold values that are no finite numbers or cannot be, {where}; fetch the "
            "checkpoint again, or train it again."
        )


def _alike(given: torch.Tensor, expected: torch.Tensor) -> bool:
    return given.shape == expected.shape and given.is_floating_point() == expected.is_floating_point()


@torch.inference_mode()
def _gives_numbers(network: AttentionNet) -> bool:
    """Whether a small picture gives finite numbers: finite weights can be so large that their products are not."""
    output = network(torch.linspace(0, 1, 64 * 64).view(1, 1, 64, 64))
    return bool(output.logits.isfinite().all() and output.attention_logits.isfinite().all())
