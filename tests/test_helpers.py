"""The tests' own structure: helpers lie in modules of their own, and the repository's root is named once."""

import ast
import re
from pathlib import Path

import pytest

from tests.paths import ROOT

TESTS = sorted((ROOT / "tests").rglob("*.py"))


def imported_names(text: str) -> set[str]:
    """Every part of every dotted name that a source text imports from the tests."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = "tests." if node.level else ""
            found |= {f"{package}{node.module or ''}.{alias.name}" for alias in node.names}
    return {part for name in found if name.startswith("tests.") for part in name.split(".")}


@pytest.mark.parametrize("path", TESTS, ids=lambda p: p.relative_to(ROOT / "tests").as_posix())
def test_no_test_module_and_no_conftest_is_imported(path: Path) -> None:
    names = imported_names(path.read_text(encoding="utf-8"))
    assert {n for n in names if n.startswith("test_") or n == "conftest"} == set(), "move it to a helper module"


def test_every_way_to_import_a_helper_is_seen() -> None:
    for text in ("import tests.conftest", "from tests import conftest", "from tests.conftest import a",
                 "from .conftest import a", "def f():\n    from ..conftest import a"):  # fmt: skip
        assert "conftest" in imported_names(text), text
    assert imported_names("from pytest import conftest") == set()


def test_the_root_is_found_in_one_place() -> None:
    climbs = re.compile(r"__file__\)\.(parents|parent\.parent)")
    assert [path.name for path in TESTS if climbs.search(path.read_text(encoding="utf-8"))] == ["paths.py"]
