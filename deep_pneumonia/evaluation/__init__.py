"""Scores over many images."""
