"""Deep Pneumonia: pneumonia in chest radiographs, with attention that is held to doctors' masks."""

from deep_pneumonia.annotation import Annotation, read_mask
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.radiograph import Radiograph, decode
from deep_pneumonia.reader import Reader, Reading

__all__ = ["Annotation", "DeepPneumoniaError", "Radiograph", "Reader", "Reading", "decode", "read_mask"]
__version__ = "0.1.0"
