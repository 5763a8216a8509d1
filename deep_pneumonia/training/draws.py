"""Single random numbers from a torch generator."""

import torch


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """A number from the uniform distribution on [low, high)."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def integer(count: int, generator: torch.Generator) -> int:
    """A whole number from 0 to count - 1, each with the same probability."""
    return int(torch.randint(count, (), generator=generator))
