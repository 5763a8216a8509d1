"""A Space on this machine: the viewer in an environment of requirements.txt alone, with the variables that Spaces set.

`python -m tests.hosting.space` prints how long it takes to start, and its memory after one reading.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from gradio_client import Client, handle_file

from tests.hosting import guard
from tests.paths import ROOT
from tests.phantom import draw, save_png
from tests.ports import free_port

UV = Path(sys.executable).with_name("uv")
# https://huggingface.co/docs/hub/spaces-overview#built-in-environment-variables, and what the Gradio image sets.
VARIABLES = {
    "SYSTEM": "spaces",
    "ACCELERATOR": "none",
    "CPU_CORES": "2",
    "MEMORY": "16Gi",
    "SPACE_ID": "someone/deep-pneumonia",
    "SPACE_AUTHOR_NAME": "someone",
    "SPACE_REPO_NAME": "deep-pneumonia",
    "SPACE_TITLE": "Deep Pneumonia",
    "SPACE_HOST": "someone-deep-pneumonia.hf.space",
    "SPACE_CREATOR_USER_ID": "0123456789abcdef01234567",
    "PYTHONUNBUFFERED": "1",
    "GRADIO_ALLOW_FLAGGING": "never",
    "GRADIO_NUM_PORTS": "1",
    "GRADIO_SERVER_NAME": "0.0.0.0",
    "GRADIO_THEME": "huggingface",
    "TQDM_POSITION": "-1",
    "TQDM_MININTERVAL": "1",
}


def uv(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([UV, *words], cwd=ROOT, capture_output=True, text=True, check=False)


@contextmanager
def room(folder: Path) -> Iterator[Path]:
    """This folder where it lies on the file system of uv's cache, else one beside the cache; removed afterwards.

    Only on one file system can the packages be links: elsewhere 5 GB would be copied, perhaps into memory.
    """
    cache = Path(uv("cache", "dir").stdout.strip())
    near = folder.stat().st_dev == cache.stat().st_dev
    with tempfile.TemporaryDirectory(dir=folder if near else cache.parent) as name:
        yield Path(name)


def environment(folder: Path) -> Path:
    """The Python of a fresh environment in which requirements.txt is installed and nothing else.

    The packages come from uv's cache, which `make install` has filled: seconds, and no network. Only what that cache
    has lost since is downloaded.
    """
    home = folder / "environment"
    versions = folder / "versions.txt"
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    python = home / "bin" / "python"
    # What the requirements need in turn is held to the versions that are in the cache.
    versions.write_text(uv("pip", "freeze", "--python", sys.executable, "--exclude-editable").stdout)
    words = ["pip", "install", "--python", str(python), "-r", "requirements.txt", "--constraint", str(versions)]
    if uv(*words, "--offline").returncode and (online := uv(*words)).returncode:
        raise RuntimeError(
            "requirements.txt can be installed neither from uv's cache nor from the network; `rm -rf .venv` and "
            f"`make install` fill the cache again. uv says: {online.stderr}"
        )
    watch(python)
    return python


def watch(python: Path) -> None:
    """Have every process of this environment load guard.py first."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    packages = Path(done.stdout.strip())
    shutil.copy(guard.__file__, packages / "guard.py")
    (packages / "guard.pth").write_text("import guard\n")


@dataclass
class Space:
    """A viewer that serves, as the container of a Space holds it.

    python: of its environment. folder: home/ is the user's home, in it app/ with the repository's files; temporary/
    is the only other place. seconds: from its start until it serves.
    """

    python: Path
    folder: Path
    process: subprocess.Popen[str]
    address: str
    seconds: float

    def read(self, radiograph: Path) -> dict[str, Any]:
        client = Client(self.address, verbose=False)
        answer = client.predict(handle_file(radiograph), [], api_name="/predict")
        client.close()
        return answer

    @property
    def memory(self) -> int:
        """Resident memory in MiB, as Linux counts it."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) // 1024

    def notes(self, kind: str) -> list[str]:
        """What guard.py noted of this kind, "network" or "wrote"."""
        lines = (self.folder / "notes").read_text().splitlines()
        return [line.removeprefix(f"{kind} ") for line in lines if line.startswith(f"{kind} ")]


@contextmanager
def serving(python: Path, folder: Path) -> Iterator[Space]:
    """Start the viewer in this folder with this Python, and kill it if it still runs afterwards."""
    app = folder / "home" / "app"
    for part in ("deep_pneumonia", "assets"):
        shutil.copytree(ROOT / part, app / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", app)
    (folder / "temporary").mkdir()
    port = str(free_port())
    own = {
        "HOME": str(folder / "home"),
        "PATH": f"{python.parent}:/usr/bin:/bin",
        "PYTHONPATH": str(app),
        "TMPDIR": str(folder / "temporary"),
        "GRADIO_SERVER_PORT": port,
        "GUARD_NOTES": str(folder / "notes"),
    }
    start = monotonic()
    process = subprocess.Popen(
        [python, "app.py"], cwd=app, env=VARIABLES | own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout is not None
        said = []
        # On Spaces, Gradio has a word to say about reloading first.
        while f"http://localhost:{port}/" not in "".join(said[-1:]):
            said.append(process.stdout.readline())
            assert said[-1], f"app.py ended before it printed its address: {''.join(said)}"
        yield Space(python, folder, process, f"http://127.0.0.1:{port}/", monotonic() - start)
    finally:
        process.kill()
        print(process.communicate()[0], end="")  # shown where a test fails


def main() -> None:
    """Print the seconds until it serves, and its memory before and after a prediction."""
    with tempfile.TemporaryDirectory() as name, room(Path(name)) as folder:
        radiograph = save_png(draw(1, (1024, 1024), lesion=True)[0], folder / "chest.png")
        python = environment(folder)
        # The first start compiles every module, which the installation of a Space has done already.
        for start in ("first", "second"):
            with serving(python, folder / start) as space:
                before = space.memory
                space.read(radiograph)
                print(f"{start} start: {space.seconds:.1f} s to serve; {before} MiB, after a prediction {space.memory}")


if __name__ == "__main__":
    main()
