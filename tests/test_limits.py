"""The table of limits: documented as it is, and the only place of bounds on files and requests of others."""

import re

import pytest

from deep_pneumonia import limits
from deep_pneumonia.limits import Limit, table
from tests.paths import ROOT

NAMES = [name for name, value in vars(limits).items() if isinstance(value, Limit)]


def test_the_document_shows_the_table() -> None:
    assert table() in (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8"), (
        "replace the table in docs/reliability.md with: python -c 'from deep_pneumonia.limits import *; print(table())'"
    )


def test_a_limit_is_a_number_with_a_unit_and_a_reason() -> None:
    one = Limit(3, "apples", "nobody carries more")
    assert (one + 1, one.unit, one.reason, f"{one}") == (4, "apples", "nobody carries more", "3")


@pytest.mark.parametrize("name", NAMES)
def test_every_limit_is_used(name: str) -> None:
    code = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "deep_pneumonia").rglob("*.py") if p.stem != "limits")
    assert re.search(rf"\b{name}\b", code)
