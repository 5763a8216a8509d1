"""The viewer's JavaScript, run in Node."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT

NODE_SECONDS = 600  # only a run that hangs takes longer, on a busy machine too


def node(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run Node in the repository's folder; its exit status is left to the caller."""
    program = shutil.which("node")
    if program is None:
        pytest.fail("Node is not installed, and these tests need it: apt-get install nodejs.")
    return subprocess.run(
        [program, *map(str, arguments)],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=NODE_SECONDS,
    )


def answers(cases: Sequence[dict[str, Any]]) -> list[Any]:
    """What tests/js/parity.js answers to each case, in one run of Node."""
    done = node(ROOT / "tests" / "js" / "parity.js", stdin=json.dumps(cases))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == len(cases) > 0
    return found
