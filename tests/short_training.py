"""Options that make a training run short enough for a test."""

SMALL = ["--size", "64", "--batch", "6", "--precision", "32-true", "--device", "cpu", "--width", "32"]
