"""HTML is made by markupsafe alone, so no value reaches the page unescaped."""

import ast
import re
from pathlib import Path

import pytest
from markupsafe import Markup

from deep_pneumonia import viewer
from deep_pneumonia.viewer.html import joined

SOURCES = sorted(Path(viewer.__file__).parent.rglob("*.py"))
TAG = re.compile(r"</?[a-zA-Z]")


def is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def unsafe(source: str) -> list[str]:
    """Expressions that make HTML without escaping: f-strings with tags, and Markup of anything but a literal."""
    found = []
    for node in ast.walk(ast.parse(source)):
        parts = node.values if isinstance(node, ast.JoinedStr) else []
        if any(isinstance(part, ast.Constant) and TAG.search(str(part.value)) for part in parts):
            found.append(ast.unparse(node))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Markup":
            found += [ast.unparse(node) for argument in node.args if not is_literal(argument)]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_html_is_made_from_literal_templates_alone(path: Path) -> None:
    assert unsafe(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("source", ["f'<b>{name}</b>'", "Markup(name)", "markupsafe.Markup('<b>' + name)"])
def test_every_way_around_it_is_seen(source: str) -> None:
    assert len(unsafe(source)) == 1
    assert unsafe("Markup('<b>{}</b>').format(name)") == []


def test_joining_escapes_plain_text() -> None:
    assert joined([Markup("<b>a</b>"), "<i>"]) == "<b>a</b>&lt;i&gt;"
