"""Every Python example of docs/api.md runs as it stands there, against a running viewer."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

PRINTED = {"docs/api.md": ["by chance: 0", "lesion_removed", "correlation", "'saliency'"]}
EXAMPLES = [
    pytest.param(block, said, id=f"{name}-{number}")
    for name, words in PRINTED.items()
    for number, (block, said) in enumerate(
        zip(
            [b for b in re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), re.DOTALL) if "Client(" in b],
            words,
            strict=True,
        )
    )
]


@pytest.mark.parametrize(("block", "said"), EXAMPLES)
def test_an_example_prints_what_it_promises(block: str, said: str, address: str, uploads: Path, tmp_path: Path) -> None:
    for name in ("chest.png", "doctor_a.png"):
        shutil.copy(uploads / name, tmp_path)
    assert "http://127.0.0.1:7860" in block
    code = block.replace("http://127.0.0.1:7860", address)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
