"""Deep Pneumonia: pneumonia in chest radiographs, with attention that is held to doctors' masks."""

from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.masks.annotation import Annotation, read_mask
from deep_pneumonia.prediction.predictor import Prediction, Predictor
from deep_pneumonia.radiographs.radiograph import Radiograph, decode

__all__ = ["Annotation", "DeepPneumoniaError", "Prediction", "Predictor", "Radiograph", "decode", "read_mask"]
__version__ = "0.1.0"
