"""The README's commands run as written, in a folder laid out like a fresh checkout, and print what it shows."""

import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
HEADING_OR_BLOCK = re.compile(
    r"^#+ (?P<heading>[^\n]+)$|^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
# A heading with this says that the blocks below it need a download, so they are shown and not run.
NEEDS = re.compile(r"\(needs .+\)")
SERVES = re.compile(r"^(make app|.venv/bin/deep-pneumonia app)\b", re.MULTILINE)
LONG_NUMBER = re.compile(r"\d+\.\d{7,}")
MAX_SECONDS = 900  # of one block on a busy machine; they take a few seconds each


@dataclass
class Block:
    """A block of commands and what the README shows it to print, None if it shows nothing."""

    language: str
    text: str
    shown: str | None = None


@dataclass
class Section:
    """The blocks between two headings. `loose`: languages of blocks that are neither commands nor their output."""

    heading: str
    blocks: list[Block] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)


def sections(text: str) -> list[Section]:
    """Every section of a document; a console block belongs to the commands directly above it."""
    found = [Section("")]
    end = 0
    for match in HEADING_OR_BLOCK.finditer(text):
        if match["heading"]:
            found.append(Section(match["heading"]))
        elif match["language"] in ("bash", "python"):
            found[-1].blocks.append(Block(match["language"], match["text"]))
        elif match["language"] == "console" and not text[end : match.start()].strip():
            found[-1].blocks[-1].shown = match["text"]
        else:
            found[-1].loose.append(match["language"])
        end = match.end()
    return found


SECTIONS = sections(README)
RUN = [s for s in SECTIONS if s.blocks]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with what a checkout has, and the environment of these tests as its .venv."""
    for name in ("assets", "deep_pneumonia", "app.py", "MODEL_CARD.md", "Makefile", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "requirements.txt").symlink_to(ROOT / "requirements.txt")
    environment = tmp_path / ".venv"
    environment.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (environment / name).symlink_to(Path(sys.prefix) / name)
    (environment / "installed").touch()  # newer than pyproject.toml: `make` has nothing to install
    return tmp_path


def environment_of(checkout: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "GRADIO"))}
    return {**kept, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "default"}


def output_of(block: Block, checkout: Path) -> str:
    """What a block prints on standard output; it must succeed."""
    python = str(checkout / ".venv" / "bin" / "python")
    command = (
        [python, "-c", block.text] if block.language == "python" else ["bash", "-euo", "pipefail", "-c", block.text]
    )
    done = subprocess.run(
        command,
        cwd=checkout,
        env=environment_of(checkout),
        capture_output=True,
        text=True,
        timeout=MAX_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def serve(block: Block, checkout: Path) -> None:
    """Run a block that starts the viewer until it prints its address, then stop it as Ctrl-C does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = environment_of(checkout) | {"GRADIO_SERVER_PORT": str(port)}
    process = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", block.text],
        cwd=checkout, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert any(f"http://127.0.0.1:{port}/" in line for line in process.stdout), (
            "the viewer ended without an address"
        )
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=MAX_SECONDS)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def compare(printed: str, shown: str) -> None:
    """Text must be equal; the last digits of long numbers may differ, as they do from one CPU to another."""
    assert LONG_NUMBER.sub("#", printed) == LONG_NUMBER.sub("#", shown)
    values = [[float(number) for number in LONG_NUMBER.findall(text)] for text in (printed, shown)]
    assert values[0] == pytest.approx(values[1], abs=1e-5)


def marks(section: Section) -> list[pytest.MarkDecorator]:
    trains = any("deep-pneumonia train" in block.text for block in section.blocks)
    return [pytest.mark.training if trains else pytest.mark.slow]


@pytest.mark.parametrize("section", [pytest.param(s, id=s.heading, marks=marks(s)) for s in RUN])
def test_the_commands_of_a_section_print_what_it_shows(section: Section, checkout: Path) -> None:
    for block in section.blocks:
        if SERVES.search(block.text):
            serve(block, checkout)
        elif block.shown is None:
            output_of(block, checkout)
        else:
            compare(output_of(block, checkout), block.shown)


def test_every_block_is_run_or_says_what_it_needs() -> None:
    assert [s.heading for s in RUN] == ["Deep Pneumonia", "Predict", "Review a set of radiographs", "Train"]
    for section in SECTIONS:
        assert not section.loose or NEEDS.search(section.heading), (section.heading, section.loose)
        assert set(section.loose) <= {"text"}
    shown_only = [s.heading for s in SECTIONS if s.loose]
    assert len(shown_only) == 2, shown_only


def test_use_comes_first() -> None:
    front, text = README.split("---\n", 2)[1:]
    assert len(front.splitlines()) <= 10
    first = text.split("\n## ")[0]
    assert len([line for line in first.splitlines() if line.strip()]) <= 40
    for words in ("make app", "deep-pneumonia predict", "Predictor.load()", "![", "pip install"):
        assert words in first


def anchor(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")], ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for link, place in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", path.read_text(encoding="utf-8")):
        target = path.parent / link if link else path
        assert target.exists(), f"{path.name}: {link}"
        if place:
            headings = [s.heading for s in sections(target.read_text(encoding="utf-8"))]
            assert place in map(anchor, headings), f"{path.name}: {link}#{place}"
