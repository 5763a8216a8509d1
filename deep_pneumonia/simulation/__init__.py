"""Radiographs rendered from a chest CT, with pneumonia put into it; `deep-pneumonia simulate` runs it."""
