"""A value with its 95% interval, and the one way to write it as text."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

DASH = "\u2013"  # stands for an undefined value


@dataclass(frozen=True)
class Estimate:
    """A value with its 95% interval.

    `value` is None where the estimated quantity is undefined. `low` and `high` are both None where no
    interval could be computed.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Estimate":
        """The estimate in a mapping with "value", "low" and "high"; other keys are ignored.

        Raises:
            KeyError: one of the three is missing.
        """
        return cls(fields["value"], fields["low"], fields["high"])

    def to_json(self) -> dict[str, float | None]:
        """As {"value", "low", "high"}."""
        return asdict(self)

    def overlaps(self, other: "Estimate") -> bool:
        """Whether the two intervals have a point in common.

        Raises:
            ValueError: one of the two has no interval.
        """
        if self.low is None or self.high is None or other.low is None or other.high is None:
            raise ValueError(f"Both estimates need an interval to be compared, got {self} and {other}.")
        return self.low <= other.high and other.low <= self.high

    def parts(self, spec: str = "") -> tuple[str, str]:
        """Value and interval as two texts, for a layout that sets them apart: ("0.82", "(0.74 to 0.91)").

        `spec` formats each number, ".2f" if empty; ".0%" gives percent. The value is a dash where it is
        undefined, and the second text is empty without an interval.
        """
        spec = spec or ".2f"
        if self.value is None:
            return DASH, ""
        known = self.low is not None and self.high is not None
        return f"{self.value:{spec}}", f"({self.low:{spec}} to {self.high:{spec}})" if known else ""

    def __format__(self, spec: str) -> str:
        """As "0.82 (0.74 to 0.91)"; `spec` as in `parts`."""
        return " ".join(self.parts(spec)).rstrip()

    def __str__(self) -> str:
        return format(self)
