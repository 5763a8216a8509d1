"""Radiographs rendered from a chest CT, with pneumonia put into it; `python -m deep_pneumonia.simulate` runs it."""
