"""Structure: imports point one way, training and the viewer stay apart, and no weights are pickled."""

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

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "deep_pneumonia"
OWN = "deep_pneumonia"

# Every module stands in one of these groups. A later group may import an earlier one, never the other way.
BASE = {"errors", "files"}  # needed by all, know nothing
LEAVES = {
    "agreement", "alterations", "annotation", "archive", "augment", "case_page", "cautions", "charts", "coco",
    "configuration", "dicom",
    "dicom_export", "dicom_seg", "figures", "gate", "gdcm_process", "geometry", "grey_levels", "inpaint", "labelme",
    "lettering", "losses", "mask_store", "metrics", "model", "publishers", "radiograph", "resampling", "rle",
    "rsna", "run", "shapes", "sheet", "silence", "subgroups", "tally_charts", "untrusted", "workspace_schema",
}  # fmt: skip
# Nouns made of other nouns.
JOINING = {
    "cache",
    "cases",
    "checkpoint",
    "collect",
    "exchange",
    "explanation",
    "gate_fit",
    "export",
    "export_notes",
    "export_tables",
    "gradcam",
    "history",
    "identity",
    "manifest",
    "mask_files",
    "reader",
    "readings",
    "report",
    "set_report",
    "state_file",
    "tally",
    "thumbnail",
    "worklist",
    "workspace",
    "workspace_records",
}
# A verb and its private helpers. Nothing else may import either.
VERBS = {
    "prepare": {"covid", "nih", "sources"},
    "pretrain": set(),
    "train": {"finish", "guidance", "material", "overlays", "start", "validation"},
    "evaluate": {"per_image", "weak"},
    "fit_gate": set(),
    "inspect": set(),
    "review": set(),
    "simulate": {
        "simulation", "simulation.body", "simulation.chest_ct", "simulation.cleaning", "simulation.confounders",
        "simulation.dataset", "simulation.film", "simulation.plan", "simulation.pneumonia", "simulation.projection",
        "simulation.scene", "simulation.series", "simulation.teaching", "simulation.visible",
    },
}  # fmt: skip
# All that one leaf knows of another: these edges exactly, and the base.
LEAF_EDGES = {
    "agreement": {"geometry"},
    "alterations": {"geometry"},
    "case_page": {"figures", "lettering"},
    "cautions": {"radiograph"},
    "charts": {"figures", "lettering"},
    "coco": {"annotation", "rle", "shapes", "untrusted"},
    "dicom": {"grey_levels"},
    "dicom_export": {"annotation", "dicom", "dicom_seg", "silence", "untrusted"},
    "dicom_seg": {"annotation", "dicom", "shapes", "silence", "untrusted"},
    "figures": {"lettering"},
    "labelme": {"annotation", "shapes", "untrusted"},
    "radiograph": {"dicom", "grey_levels", "silence"},
    "resampling": {"metrics"},
    "rle": {"annotation"},
    "rsna": {"annotation", "shapes", "untrusted"},
    "shapes": {"annotation"},
    "sheet": {"charts", "figures", "lettering"},
    "subgroups": {"metrics"},
    "tally_charts": {"charts", "figures", "lettering"},
    "untrusted": {"annotation"},
}
TRAINING_NOUNS = {"gate_fit", "alterations", "augment", "cache", "configuration", "losses", "run"}
PICKLERS = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}

HELPERS = set().union(*VERBS.values())
OF_VERBS = set(VERBS) | HELPERS
NOUNS = BASE | LEAVES | JOINING


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


def everything_below(name: str) -> set[str]:
    """A module and all that it imports, directly or not."""
    seen, waiting = set(), {name}
    while waiting:
        seen.add(one := waiting.pop())
        waiting |= inside(one) - seen
    return seen


def in_viewer(name: str) -> bool:
    return name.split(".")[0] == "viewer"


def edges(importers: set[str], refused: set[str]) -> list[str]:
    return [f"{a} imports {b}" for a in sorted(importers) for b in sorted(inside(a) & refused)]


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


def test_every_module_has_its_place() -> None:
    found = {name for name in modules() if name and not in_viewer(name)}
    listed = NOUNS | OF_VERBS
    assert not found - listed, (
        f"{sorted(found - listed)}: new, and in no group of {Path(__file__).name}. Put a noun that imports no other "
        "into LEAVES, one made of others into JOINING, and a verb or the private helper of one into VERBS."
    )
    assert not listed - found, f"{sorted(listed - found)}: listed in {Path(__file__).name}, but gone; take them out."
    groups = [BASE, LEAVES, JOINING, set(VERBS), *VERBS.values()]
    assert sum(len(g) for g in groups) == len(listed), "a module stands in two groups"


def test_imports_form_no_ring() -> None:
    graph = {name: inside(name) for name in modules()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(modules())


def test_the_base_knows_only_itself() -> None:
    assert {name: inside(name) for name in BASE} == {"errors": set(), "files": {"errors"}}


def test_leaves_know_exactly_the_leaves_they_may() -> None:
    known = {name: inside(name) - BASE for name in LEAVES}
    assert {name: found for name, found in known.items() if found} == LEAF_EDGES


def test_joining_nouns_import_nouns_only() -> None:
    assert edges(JOINING, set(modules()) - NOUNS) == []


def test_verbs_are_run_never_imported() -> None:
    assert edges(set(modules()), set(VERBS)) == []


@pytest.mark.parametrize("verb", VERBS)
def test_helpers_serve_one_verb(verb: str) -> None:
    assert edges(set(modules()) - {verb} - VERBS[verb], VERBS[verb]) == []
    packages = {name.rpartition(".")[0] for name in VERBS[verb]}  # loaded with what is in them
    unused = VERBS[verb] - everything_below(verb) - packages
    assert not unused, f"{sorted(unused)} are helpers of {verb}, which does not use them"


def test_the_package_itself_offers_nouns_and_is_imported_by_none_of_its_modules() -> None:
    assert inside("") <= NOUNS
    assert edges(set(modules()), {""}) == []


def test_only_the_viewer_knows_the_viewer_and_gradio() -> None:
    others = {name for name in modules() if not in_viewer(name)}
    assert edges(others, set(modules()) - others) == []
    assert [name for name in others if "gradio" in outside(name)] == []
    assert "gradio" in outside("viewer.app")


@pytest.mark.parametrize("name", ["viewer.app", "reader", ""])
def test_reading_needs_nothing_of_training(name: str) -> None:
    below = everything_below(name)
    assert "checkpoint" in below
    assert below & (TRAINING_NOUNS | OF_VERBS) == set()


@pytest.mark.parametrize("name", ["", "viewer.app", "inspect", "prepare"])
def test_what_a_plain_install_runs_needs_no_extra(name: str) -> None:
    assert [n for n in everything_below(name) if outside(n) & {"lightning", "sklearn", "torchmetrics"}] == []


@pytest.mark.parametrize("path", [*PACKAGE.rglob("*.py"), ROOT / "app.py"], ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_pickled_and_no_file_is_long(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert {full.split(".")[0] for full in imported(text)} & PICKLERS == set()
    assert pickling_calls(text) == []
    assert len(text.splitlines()) <= 260


def pickling_calls(text: str) -> list[str]:
    """Calls that read or write pickles: torch.load, torch.save, and allow_pickle other than False."""
    found = []
    for node in ast.walk(ast.parse(text)):
        torchs_own = isinstance(node, ast.Attribute) and ast.unparse(node) in {"torch.load", "torch.save"}
        allowed = isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False"
        if torchs_own or allowed:
            found.append(ast.unparse(node))
    return found + [full for full in imported(text) if full in {"torch.load", "torch.save"}]


@pytest.mark.parametrize(
    "text", ["torch.load(p)", "f = torch.save", "from torch import load", "np.load(p, allow_pickle=yes)"]
)
def test_every_way_to_pickle_is_seen(text: str) -> None:
    assert len(pickling_calls(text)) == 1
    assert pickling_calls("np.load(p, allow_pickle=False); safetensors.torch.load_file(p)") == []


@pytest.mark.parametrize(
    ("module", "foreign"),
    [("train", ["gradio"]), ("viewer.app", ["lightning", "sklearn", "torchmetrics", "deep_pneumonia.augment"])],
)
def test_an_import_loads_nothing_of_the_other_side(module: str, foreign: list[str]) -> None:
    script = f"import sys, deep_pneumonia.{module}; print([m for m in {foreign} if m in sys.modules])"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GRADIO_ANALYTICS_ENABLED": "False"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
