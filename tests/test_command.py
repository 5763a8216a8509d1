"""The command `deep-pneumonia`: its verbs, its help, and what it says when a verb or a package is missing."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import deep_pneumonia
from deep_pneumonia import __main__ as command

PACKAGE = Path(deep_pneumonia.__file__).parent


def test_every_verb_is_a_subcommand_with_a_line_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    modules = {p.stem.replace("_", "-") for p in PACKAGE.glob("*.py") if "\ndef main(" in p.read_text(encoding="utf-8")}
    assert set(command.VERBS) == modules - {"--main--"}
    with pytest.raises(SystemExit) as left:
        command.main(["--help"])
    assert left.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    for verb, text in command.VERBS.items():
        assert [line for line in lines if line.split() == [verb, *text.split()]]


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_neither_torch_nor_gradio(option: str) -> None:
    script = (
        "import sys\nfrom deep_pneumonia.__main__ import main\n"
        f"try: main([{option!r}])\nexcept SystemExit as left: assert left.code == 0\n"
        "heavy = {'torch', 'gradio', 'numpy', 'matplotlib', 'huggingface_hub'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PACKAGE.parent, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.startswith("usage: deep-pneumonia" if option == "--help" else "deep-pneumonia 0.1.0\n")


@pytest.mark.parametrize("verb", command.VERBS)
def test_the_help_of_a_verb_names_the_command_to_type(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        command.main([verb, "--help"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: deep-pneumonia {verb} ")


def test_python_m_runs_the_same_command() -> None:
    words = [sys.executable, "-m", "deep_pneumonia", "--version"]
    done = subprocess.run(words, cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    assert done.stdout == f"deep-pneumonia {deep_pneumonia.__version__}\n"


def test_a_verb_gets_its_words_and_gives_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    got = []
    verb = SimpleNamespace(main=lambda words: got.append(list(words)) or 7)
    monkeypatch.setitem(sys.modules, "deep_pneumonia.fit_gate", verb)
    assert command.main(["fit-gate", "--help", "x"]) == 7
    assert got == [["--help", "x"]]


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("pedict", "did you mean deep-pneumonia predict?"),
        ("fit_gate", "did you mean deep-pneumonia fit-gate?"),
        ("chest.png", "deep-pneumonia --help lists them."),
    ],
)
def test_an_unknown_verb_is_one_line_with_advice(word: str, advice: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([word]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"error: there is no verb {word!r}; {advice}\n")


def test_without_a_verb_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 2
    assert capsys.readouterr().err.startswith("usage: deep-pneumonia VERB")


@pytest.mark.parametrize(
    ("verb", "package", "extra"), [("train", "lightning", "train"), ("simulate", "scipy", "simulate")]
)
def test_a_missing_extra_is_named_with_the_command_that_installs_it(
    verb: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(_: str) -> None:
        raise ModuleNotFoundError(f"No module named '{package}.part'", name=f"{package}.part")

    monkeypatch.setattr(importlib, "import_module", missing)
    assert command.main([verb]) == 2
    assert capsys.readouterr().err == (
        f"error: {verb} needs the package {package}, which is not installed; install it with: "
        f"pip install 'deep-pneumonia[{extra}]'\n"
    )


def test_a_missing_module_that_no_extra_brings_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise ModuleNotFoundError("No module named 'numpy'", name="numpy")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ModuleNotFoundError, match="numpy"):
        command.main(["predict"])


def test_ctrl_c_while_a_verb_is_imported_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib, "import_module", interrupted)
    assert command.main(["train"]) == 130


def test_the_names_of_the_package_are_imported_when_they_are_used() -> None:
    declared = {}
    module = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    for node in ast.walk(next(node for node in module.body if isinstance(node, ast.If))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("deep_pneumonia."):
            declared |= {alias.name: node.module.removeprefix("deep_pneumonia.") for alias in node.names}
    assert declared == deep_pneumonia._MODULE_OF, "what type checkers see is what runs"
    assert sorted(declared) == sorted(deep_pneumonia.__all__)
    for name, module in declared.items():
        home = importlib.import_module(f"deep_pneumonia.{module}")
        assert getattr(deep_pneumonia, name) is getattr(home, name)
    with pytest.raises(AttributeError, match="has no attribute 'Reader'"):
        _ = deep_pneumonia.Reader
