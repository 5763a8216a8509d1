"""How long does a work list of 10,000 cases take to open, and a filter, a search and a sort to answer?

Serves `app.py` on a made-up workspace of so many rows and drives it in headless Chromium; no radiograph is read. The
peer is Gradio's own table of the same rows, `gr.Dataframe`, opened by a click as well.
"""

import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import environ
from pathlib import Path
from statistics import median

import gradio as gr
import numpy as np
from playwright.sync_api import Page, sync_playwright

from deep_pneumonia import shipped
from deep_pneumonia.masks.annotation import to_png
from deep_pneumonia.prediction.checkpoint import load
from deep_pneumonia.worklist.database import insert, transaction
from deep_pneumonia.worklist.predictions import Predictions
from deep_pneumonia.worklist.rows import Row, rows
from deep_pneumonia.worklist.workspace import Workspace

ROOT = Path(__file__).parent.parent
CASES, TIMES = 10_000, 7
OPEN_TARGET, FILTER_TARGET = 2000, 300  # ms
PATIENCE = 120_000
COLUMNS = ("name", "predicted", "probability", "label", "source", "iou", "hit", "disagreement")

# From the click to the first frame in which rows stand in the table.
OPENED = """() => new Promise((done) => {
  const start = performance.now();
  const there = () => document.querySelector(".work-list .row");
  const look = () => there() ? done(performance.now() - start) : requestAnimationFrame(look);
  document.querySelector('nav.screens a[href="#review"]').click();
  look();
})"""
# From the event to the frame after the one that shows the answer.
ANSWERED = """([selector, value, event]) => new Promise((done) => {
  const element = document.querySelector(selector);
  const start = performance.now();
  if (value !== null) element.value = value;
  element.dispatchEvent(new Event(event, { bubbles: true }));
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
})"""
PEER_OPENED = """() => new Promise((done) => {
  const start = performance.now();
  const there = () => document.body.textContent.includes("chest-00003");
  const look = () => there() ? done(performance.now() - start) : requestAnimationFrame(look);
  document.querySelector("button.open").click();
  look();
})"""
QUESTIONS = {
    "filter by class": ('[aria-label="Predicted class"]', "Normal", "change"),
    "no filter": ('[aria-label="Predicted class"]', "", "change"),
    "search": ('[aria-label="Search the work list"]', "chest-00 nih", "input"),
    "no search": ('[aria-label="Search the work list"]', "", "input"),
    "sort by name": (".heads .c-name button", None, "click"),
}


def main() -> None:
    """Print the times of the list and of the peer, and whether the targets are met."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        sys.exit("error: Chromium is not installed, and this benchmark needs it: apt-get install chromium.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        space = made_up(Path(folder) / "space")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        found = rows(space, Predictions(space, load(shipped.CHECKPOINT).sha256))
        with served(space.folder) as address:
            ours = [opened(browser.new_page(), address, OPENED) for _ in range(TIMES)]
            print(f"A work list of {CASES:,} cases, from the click to its first rows on screen")
            print(f"  {said(ours)}; target {OPEN_TARGET} ms: {verdict(ours, OPEN_TARGET)}")
            answers(browser.new_page(), address)
        with peer(found) as address:
            theirs = [opened(browser.new_page(), address, PEER_OPENED) for _ in range(TIMES)]
        print(f"Gradio's table of the same rows, {len(COLUMNS)} of their values each and no pictures")
        print(f"  {said(theirs)}: {median(theirs) / median(ours):.1f} times as long")
        browser.close()


def made_up(folder: Path) -> Workspace:
    """A workspace with rows by formula, whose radiographs do not exist."""
    space, checkpoint = Workspace(folder), load(shipped.CHECKPOINT)
    random = np.random.default_rng(0)
    mask = space.store.keep(to_png(random.random((64, 64)) < 0.3))
    numbers = random.random((CASES, 5))
    predictions = Predictions(space, checkpoint.sha256)
    with transaction(space.database) as db:
        for i in range(CASES):
            label, source = checkpoint.classes[i % 4], ("nih", "kermany", "covid")[i % 3]
            facts = {"patient": f"p{i // 2}", "source": source, "split": "test", "label": label}
            case = {"id": i + 1, "key": f"{i:064x}", "image": f"chest-{i:05d}.png", **facts}
            insert(db, "cases", case | {"sex": "F", "age": "50", "view": "PA"})
            drawing = {"case_id": i + 1, "reader": "Dr. A", "version": 1, "kind": "pixel", "mask": mask}
            who = {"removed": False, "author": "import", "time": "2026-01-01T00:00:00Z"}
            insert(db, "drawings", drawing | who)
        for i, (a, b, c, d, e) in enumerate(numbers.tolist()):
            key = {"case_id": i + 1, "checkpoint": predictions.checkpoint}
            predicted = {"predicted": checkpoint.classes[int(4 * a)], "probability": b, "evidence": c}
            insert(db, "readings", key | predicted | {"warnings": "[]", "problem": ""})
            insert(db, "agreements", key | {"mask": mask, "hit": float(d < 0.6), "iou": e, "dice": 2 * e / (1 + e)})
    return space


@contextmanager
def served(workspace: Path) -> Iterator[str]:
    """The address of `python app.py` in its own process, with this work list."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    variables = {**environ, "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": port}
    command = [sys.executable, "app.py", "--device", "cpu", "--workspace", str(workspace)]
    process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert "is at" in line, f"app.py did not print its address but: {line!r}"
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.communicate()


def opened(page: Page, address: str, script: str) -> float:
    """Milliseconds of one opening in a new page."""
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    if script is OPENED:
        page.wait_for_function("document.querySelector('.viewer')?.dataset.shown && window.deepPneumonia.review")
    else:
        page.locator("button.open").wait_for()
    page.wait_for_timeout(2000)
    took: float = page.evaluate(script)
    page.close()
    return took


def answers(page: Page, address: str) -> None:
    """Filter, search and sort, each several times, from the event to the frame that shows the answer."""
    page.goto(f"{address}#review")
    page.locator(".work-list .row").first.wait_for()
    page.wait_for_timeout(2000)
    for name, question in QUESTIONS.items():
        times = [page.evaluate(ANSWERED, [*question]) for _ in range(TIMES)]
        print(f"  {name:16} {said(times)}; target {FILTER_TARGET} ms: {verdict(times, FILTER_TARGET)}")
    page.close()


@contextmanager
def peer(found: list[Row]) -> Iterator[str]:
    """The usual Gradio way: a table that a click fills."""
    values = [[row[name] for name in COLUMNS] for row in found]
    with gr.Blocks(analytics_enabled=False) as blocks:
        button = gr.Button("Open", elem_classes="open")
        table = gr.Dataframe(headers=[*COLUMNS], interactive=False, show_search="filter")
        button.click(lambda: values, None, table)
    _, address, _ = blocks.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, share=False)
    try:
        yield address
    finally:
        blocks.close(verbose=False)


def said(times: list[float]) -> str:
    """Median and range in words."""
    return f"{median(times):.0f} ms (median of {len(times)}; {min(times):.0f} to {max(times):.0f})"


def verdict(times: list[float], target: float) -> str:
    """Whether the median meets a target, in milliseconds."""
    return "met" if median(times) <= target else f"missed by {median(times) - target:.0f} ms"


if __name__ == "__main__":
    main()
