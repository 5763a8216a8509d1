"""Deep Pneumonia: pneumonia in chest radiographs, with attention that is held to doctors' masks."""

__version__ = "0.1.0"
