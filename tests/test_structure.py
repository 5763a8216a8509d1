"""Structure: packages import one way, training and the viewer stay apart, and no weights are pickled."""

import ast
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.paths import ROOT

PACKAGE = ROOT / "deep_pneumonia"
OWN = "deep_pneumonia"

# Each package may import those above it, never one below.
ORDER = [
    "base",  # the nouns at the root: errors, estimate, files, limits, names, cli, shipped
    "radiographs",
    "masks",
    "datasets",
    "prediction",
    "evaluation",
    "drawing",
    "training",
    "worklist",
    "exchange",
    "simulation",
    "viewer",  # with viewer.review and viewer.teach: one face
    "verbs",  # what is run: the other modules at the root, and __main__, which runs one by its name
]
BASE = {"cli", "errors", "estimate", "files", "limits", "names", "partial_files", "shipped", "strict_json", "version"}
NEVER = {("viewer", "training"), ("viewer", "simulation")}
PICKLERS = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}


@cache
def modules() -> dict[str, Path]:
    """Each module by its name within the package, such as "viewer.app"; "" is the package itself."""
    files = {p.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."): p for p in PACKAGE.rglob("*.py")}
    return {name.removesuffix("__init__").removesuffix("."): path for name, path in files.items()}


def imported(text: str, package: str = OWN) -> Iterator[str]:
    """Full names of what a source text imports, wherever in it; `from a import b` gives "a.b"."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{parent}.{alias.name}" for alias in node.names)


@cache
def outside(name: str) -> set[str]:
    """The foreign packages that a module imports."""
    return {full.split(".")[0] for full in imported(modules()[name].read_text(encoding="utf-8"))} - {OWN}


@cache
def inside(name: str) -> set[str]:
    """The modules of the package that a module imports; "" where it takes a name from the package itself."""
    path = modules()[name]
    parent = ".".join([OWN, *path.relative_to(PACKAGE).parent.parts])
    own = [full for full in imported(path.read_text(encoding="utf-8"), parent) if full.split(".")[0] == OWN]
    return {module_of(full.removeprefix(OWN).removeprefix(".")) for full in own}


def module_of(name: str) -> str:
    """The longest beginning of a dotted name that is a module."""
    while name not in modules():
        name = name.rpartition(".")[0]
    return name


def package_of(name: str) -> str:
    """The entry of ORDER that a module belongs to."""
    first = name.split(".")[0]
    return first if first in ORDER else "base" if first in BASE else "verbs"


def everything_below(name: str) -> set[str]:
    """A module and all that it imports, directly or not."""
    seen, waiting = set(), {name}
    while waiting:
        seen.add(one := waiting.pop())
        waiting |= inside(one) - seen
    return seen


def below(package: str) -> set[str]:
    """All that any module of a package imports, directly or not."""
    return set().union(*(everything_below(name) for name in modules() if package_of(name) == package))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("from deep_pneumonia import train", ["deep_pneumonia.train"]),
        ("import deep_pneumonia.train as t", ["deep_pneumonia.train"]),
        ("from deep_pneumonia.train import main, train", ["deep_pneumonia.train.main", "deep_pneumonia.train.train"]),
        ("from .train import main", ["deep_pneumonia.train.main"]),
        ("from . import train", ["deep_pneumonia.train"]),
        ("def f():\n    if True:\n        import gradio.themes", ["gradio.themes"]),
    ],
)
def test_every_way_to_import_is_seen(text: str, names: list[str]) -> None:
    assert list(imported(text)) == names
    assert {module_of(n.removeprefix("deep_pneumonia.")) for n in names if "gradio" not in n} <= {"train"}


def test_packages_import_one_way() -> None:
    edges = [(a, b) for a in modules() for b in inside(a) if package_of(a) != package_of(b)]
    wrong = [f"{a} imports {b}" for a, b in edges if ORDER.index(package_of(a)) < ORDER.index(package_of(b))]
    assert not wrong, f"{wrong}: a package imports those above it in ORDER, none below."
    assert {(package_of(a), package_of(b)) for a, b in edges} & NEVER == set()


def test_every_package_has_its_place() -> None:
    found = {p.name for p in PACKAGE.iterdir() if (p / "__init__.py").is_file()}
    assert found == set(ORDER) - {"base", "verbs"}


def test_imports_form_no_circle() -> None:
    graph = {name: inside(name) for name in modules()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(modules())


def test_verbs_are_run_never_imported() -> None:
    verbs = {name for name in modules() if package_of(name) == "verbs"}
    assert {"train", "evaluate", "review"} < verbs, "the verbs and the package itself, which only offers nouns"
    assert [f"{a} imports {b}" for a in modules() for b in inside(a) & verbs] == ["__main__ imports "], "its version"


def test_only_the_viewer_knows_gradio() -> None:
    assert {package_of(name) for name in modules() if "gradio" in outside(name)} == {"viewer"}


def test_prediction_and_the_viewer_need_nothing_of_training() -> None:
    assert {package_of(name) for name in below("viewer")} & {"training", "simulation", "verbs"} == set()
    assert {package_of(name) for name in everything_below("")} & {"training", "simulation", "worklist"} == set()


@pytest.mark.parametrize("name", ["", "__main__", "app", "predict", "prepare"])
def test_what_a_plain_install_runs_needs_no_extra(name: str) -> None:
    assert [n for n in everything_below(name) if outside(n) & {"captum", "lightning", "sklearn", "torchmetrics"}] == []


@pytest.mark.parametrize("path", [*PACKAGE.rglob("*.py"), ROOT / "app.py"], ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_pickled_and_no_file_is_long(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert {full.split(".")[0] for full in imported(text)} & PICKLERS == set()
    assert pickling_calls(text) == []
    assert len(text.splitlines()) <= 260


def pickling_calls(text: str) -> list[str]:
    """Calls that read or write pickles: torch.load and torch.save, and allow_pickle other than False.

    `torch.load(..., weights_only=True)` reads tensors alone and is allowed.
    """
    found, safe = [], set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and "weights_only=True" in map(ast.unparse, node.keywords):
            safe.add(node.func)
        torchs_own = isinstance(node, ast.Attribute) and ast.unparse(node) in {"torch.load", "torch.save"}
        allowed = isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False"
        if (torchs_own and node not in safe) or allowed:
            found.append(ast.unparse(node))
    return found + [full for full in imported(text) if full in {"torch.load", "torch.save"}]


@pytest.mark.parametrize(
    "text",
    ["torch.load(p)", "torch.load(p, weights_only=yes)", "f = torch.save", "from torch import load",
     "np.load(p, allow_pickle=yes)"],
)  # fmt: skip
def test_every_way_to_pickle_is_seen(text: str) -> None:
    assert len(pickling_calls(text)) == 1
    assert pickling_calls("np.load(p, allow_pickle=False); safetensors.torch.load_file(p)") == []
    assert pickling_calls("torch.load(p, 'cpu', weights_only=True)") == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "foreign"),
    [
        ("train", ["gradio"]),
        ("viewer.app", ["lightning", "sklearn", "torchmetrics", "deep_pneumonia.training"]),
    ],
)
def test_an_import_loads_nothing_of_the_other_side(module: str, foreign: list[str]) -> None:
    script = f"import sys, deep_pneumonia.{module}; print([m for m in {foreign} if m in sys.modules])"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GRADIO_ANALYTICS_ENABLED": "False"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
