"""Metrics over many images, with their intervals."""
