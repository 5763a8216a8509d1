"""The README's front matter, by which Hugging Face builds a Space, says what the project says elsewhere."""

import re
import tomllib
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tests.paths import ROOT

# https://huggingface.co/docs/hub/spaces-config-reference
NAMES = {
    "title", "sdk", "sdk_version", "python_version", "app_file", "short_description", "license", "suggested_hardware",
}  # fmt: skip


@pytest.fixture(scope="module")
def space() -> dict[str, Any]:
    _, front, text = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    assert text.lstrip().startswith("# ")
    return yaml.safe_load(front)


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_it_says_all_that_a_space_is_asked_for(space: dict[str, Any]) -> None:
    assert set(space) == NAMES
    assert space["sdk"] == "gradio"
    assert space["suggested_hardware"] == "cpu-basic"
    assert 0 < len(space["short_description"]) <= 60
    assert (ROOT / space["app_file"]).is_file()


def test_the_space_runs_the_gradio_that_is_pinned(space: dict[str, Any]) -> None:
    pin = re.search(r"^gradio==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert pin is not None
    assert str(space["sdk_version"]) == pin[1]


def test_licence_and_python_are_those_of_the_package(space: dict[str, Any], project: dict[str, Any]) -> None:
    assert space["license"] == project["license"].lower()
    # Without quotes YAML reads 3.10 as the number 3.1.
    assert isinstance(space["python_version"], str)
    assert space["python_version"] in SpecifierSet(project["requires-python"])
