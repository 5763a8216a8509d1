"""The Review page's answers for `studies.fuzz`, from the real screen on a list with one radiograph."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from studies import fuzz_folders


@cache
def predictor() -> Any:
    """A predictor with a small untrained network."""
    from deep_pneumonia.prediction.predictor import Predictor

    with tempfile.TemporaryDirectory() as folder:
        for name, content in fuzz_folders.checkpoint().items():
            (Path(folder) / name).write_bytes(content)
        return Predictor.load(folder, "cpu")


@cache
def screen() -> Any:
    """The Review screen, whose `workspaces` are still to be set."""
    import gradio as gr

    from deep_pneumonia.viewer.review.screen import Review

    with gr.Blocks(analytics_enabled=False):
        return Review(None, SimpleNamespace(predictor=predictor()), SimpleNamespace())  # type: ignore[arg-type]


def answer(request: object, radiograph: Path, folder: Path) -> dict[str, Any]:
    """The answer to a request about a new shared work list in `folder` with one radiograph.

    Raises:
        WorkspaceError: the answer names a problem.
    """
    from deep_pneumonia.datasets.manifest import Case
    from deep_pneumonia.errors import WorkspaceError
    from deep_pneumonia.viewer.review.workspaces import Workspaces

    review = screen()
    review.workspaces = Workspaces(predictor().predict, "checkpoint", [], folder)
    review.workspaces.shared.workspace.add([Case(radiograph, "p", "own", "test")])
    found = review.asked(request)
    json.dumps(found, allow_nan=False)
    if "problem" in found:
        raise WorkspaceError(found["problem"])
    return found
