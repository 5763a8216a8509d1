"""The version of the package, which every package may name."""

__version__ = "0.1.0"
