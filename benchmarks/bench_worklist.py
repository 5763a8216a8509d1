"""How long does a work list of 10,000 cases take to open, and a filter, a search and a sort to answer?

Serves `app.py` on a made-up workspace with so many rows and drives it in headless Chromium; no radiograph is needed.
The peer is Gradio's own table of the same rows, `gr.Dataframe`, also opened by a click.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import gradio as gr
import numpy as np
from playwright.sync_api import Page, sync_playwright
from serving import chromium, served, served_blocks, summary, verdict

from deep_pneumonia import shipped
from deep_pneumonia.masks.annotation import to_png
from deep_pneumonia.prediction.checkpoint import load
from deep_pneumonia.worklist.database import insert, transaction
from deep_pneumonia.worklist.predictions import Predictions
from deep_pneumonia.worklist.rows import Row, rows
from deep_pneumonia.worklist.workspace import Workspace

CASE_COUNT, REPEAT_COUNT = 10_000, 7
OPEN_TARGET_MS, FILTER_TARGET_MS, TIMEOUT_MS = 2000, 300, 120_000
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
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        space = made_up(Path(folder) / "space")
        browser = chromium(playwright)
        found = rows(space, Predictions(space, load(shipped.CHECKPOINT).sha256))
        with served("--workspace", str(space.folder)) as address:
            ours = [opened(browser.new_page(), address, OPENED) for _ in range(REPEAT_COUNT)]
            print(f"A work list of {CASE_COUNT:,} cases, from the click to its first rows on screen")
            print(f"  {summary(ours)}; target {OPEN_TARGET_MS} ms: {verdict(ours, OPEN_TARGET_MS)}")
            answers(browser.new_page(), address)
        with peer(found) as address:
            theirs = [opened(browser.new_page(), address, PEER_OPENED) for _ in range(REPEAT_COUNT)]
        print(f"Gradio's table of the same rows, {len(COLUMNS)} of their values each and no pictures")
        print(f"  {summary(theirs)}: {median(theirs) / median(ours):.1f} times as long")
        browser.close()


def made_up(folder: Path) -> Workspace:
    """A workspace with rows by formula, whose radiographs do not exist."""
    space, checkpoint = Workspace(folder), load(shipped.CHECKPOINT)
    random = np.random.default_rng(0)
    mask = space.store.keep(to_png(random.random((64, 64)) < 0.3))
    numbers = random.random((CASE_COUNT, 5))
    predictions = Predictions(space, checkpoint.sha256)
    with transaction(space.database) as db:
        for i in range(CASE_COUNT):
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


def opened(page: Page, address: str, script: str) -> float:
    """Milliseconds of one opening in a new page."""
    page.set_default_timeout(TIMEOUT_MS)
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
        times = [page.evaluate(ANSWERED, [*question]) for _ in range(REPEAT_COUNT)]
        print(f"  {name:16} {summary(times)}; target {FILTER_TARGET_MS} ms: {verdict(times, FILTER_TARGET_MS)}")
    page.close()


@contextmanager
def peer(found: list[Row]) -> Iterator[str]:
    """The usual Gradio way: a table filled by a click."""
    values = [[row[name] for name in COLUMNS] for row in found]
    with gr.Blocks(analytics_enabled=False) as blocks:
        button = gr.Button("Open", elem_classes="open")
        table = gr.Dataframe(headers=[*COLUMNS], interactive=False, show_search="filter")
        button.click(lambda: values, None, table)
    with served_blocks(blocks) as address:
        yield address


if __name__ == "__main__":
    main()
