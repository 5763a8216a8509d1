"""Deep Pneumonia: pneumonia in chest radiographs, with attention that is held to doctors' masks.

The names below are imported when they are first used, so that `deep-pneumonia --help` need not wait for torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

from deep_pneumonia.version import __version__ as __version__

if TYPE_CHECKING:
    from deep_pneumonia.errors import DeepPneumoniaError
    from deep_pneumonia.masks.annotation import Annotation, read_mask
    from deep_pneumonia.prediction.predictor import Prediction, Predictor
    from deep_pneumonia.radiographs.radiograph import Radiograph, decode

__all__ = ["Annotation", "DeepPneumoniaError", "Prediction", "Predictor", "Radiograph", "decode", "read_mask"]

_MODULE_OF = {
    "Annotation": "masks.annotation",
    "DeepPneumoniaError": "errors",
    "Prediction": "prediction.predictor",
    "Predictor": "prediction.predictor",
    "Radiograph": "radiographs.radiograph",
    "decode": "radiographs.radiograph",
    "read_mask": "masks.annotation",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
