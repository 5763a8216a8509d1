"""How long does it take from a file to its full prediction on screen, and how long does a slider's frame take?

Serves `app.py` with the shipped checkpoint and drives it in headless Chromium. The prediction is compared with the bare
forward pass of the same network, a slider with the usual Gradio way: drawn on the server and sent as a picture.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from timeit import repeat

import gradio as gr
import numpy as np
import torch
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from serving import chromium, served, served_blocks, summary, verdict

from deep_pneumonia import shipped
from deep_pneumonia.datasets.teaching_cases import load_cases
from deep_pneumonia.drawing.pictures import overlay
from deep_pneumonia.files import sha256
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.radiographs.radiograph import decode

SIDE, OPENING_COUNT, FORWARD_COUNT, CHANGE_COUNT = 1024, 9, 10, 9
FORWARD_FACTOR, GRACE_MS = 2, 300  # the target: at most so many forward passes and so many milliseconds
SLIDERS = ("Attention", "Threshold", "Centre", "Width")
TIMEOUT_MS, SETTLING_MS = 60_000, 2000  # for a step, and after a page has opened

# The page itself takes the times: from the input's change event to the first frame in which all of it is there.
OPENED_AFTER = """([key, name]) => {
  window.opened = new Promise((done) => addEventListener("change", () => {
    const start = performance.now();
    const [viewer, summary] = [".viewer", "#summary"].map((place) => document.querySelector(place));
    const look = () => viewer.dataset.shown === key && summary.textContent.includes(name)
      ? done(performance.now() - start) : requestAnimationFrame(look);
    look();
  }, { capture: true, once: true }));
}"""
# A new value each frame; the viewer draws the one before. Times to the frame's end count figures and controls, too.
SWEEP = """(slider) => new Promise((done) => {
  const stage = window.deepPneumonia.stage;
  const [values, frames, after] = [[...Array(101).keys()].filter((v) => v >= slider.min), [], []];
  let asked = null;
  if (!window.heard) stage.on("frame", () => window.heard());
  window.heard = () => asked !== null && after.push(performance.now() - asked);
  stage.renderer.timings.length = 0;
  const next = (now) => {
    frames.push(now);
    if (!values.length) return done({ drawn: stage.renderer.timings.slice(), frames, after });
    slider.value = values.shift();
    asked = performance.now();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
})"""
# The same in the peer: until the picture that the server sent is loaded.
LOADED_AFTER = """(slider, value) => new Promise((done) => {
  document.addEventListener("load", () => done(performance.now() - start), { capture: true, once: true });
  const start = performance.now();
  Object.assign(slider, { value }).dispatchEvent(new Event("input", { bubbles: true }));
})"""


def main() -> None:
    """Print the times of opening, of drawing and of the peer, and whether the target is met."""
    predictor = Predictor.load(device="cpu")
    with served() as address, sync_playwright() as playwright:
        browser = chromium(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(address)
        page.wait_for_function("document.querySelector('.viewer')?.dataset.shown")
        page.wait_for_timeout(SETTLING_MS)
        medians = sweeps(page)
        opening(page, predictor)
        page.close()
        with peer(predictor) as other:
            against(medians, browser.new_page(), other)
        browser.close()


def radiograph(seed: int) -> Image.Image:
    """A body, two lungs and noise by formula; each seed another picture."""
    random = np.random.default_rng(seed)
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE
    body = 0.75 * np.exp(-(((x - 0.5) / 0.55) ** 4) - ((y - 0.5) / 0.65) ** 4)
    lungs = sum(np.exp(-(((x - c) / 0.14) ** 2) - ((y - 0.48) / 0.27) ** 2) for c in (0.3, 0.7))
    lesion = np.exp(-(((x - random.uniform(0.25, 0.75)) / 0.1) ** 2) - ((y - random.uniform(0.35, 0.65)) / 0.1) ** 2)
    pixels = body - 0.55 * lungs + 0.45 * lesion + random.normal(0, 0.02, (SIDE, SIDE))
    return Image.fromarray((np.clip(pixels, 0, 1) * 255).round().astype(np.uint8))


def opening(page: Page, predictor: Predictor) -> None:
    """From the file to the full prediction, another radiograph each time, against the bare forward pass."""
    durations = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(OPENING_COUNT + 1):
            radiograph(seed).save(file := Path(folder) / f"drawn-{seed}.png")
            key = sha256(file)
            page.evaluate(OPENED_AFTER, [key, file.name])
            with page.expect_file_chooser() as chooser:
                page.get_by_role("button", name="Choose another radiograph").click()
            chooser.value.set_files(file)
            durations.append(page.evaluate("window.opened"))
        size = file.stat().st_size / 1e6
        images = predictor.model_input(decode(file))
    forward = 1000 * median(repeat(lambda: predictor.forward(images), number=1, repeat=FORWARD_COUNT + 2)[2:])
    target = FORWARD_FACTOR * forward + GRACE_MS
    print(f"A PNG of {SIDE} x {SIDE} pixels and {size:.1f} MB, from the file to the full prediction on screen")
    del durations[0]  # the first warms up
    print(f"  {summary(durations)}")
    print(
        f"  the bare forward pass takes {forward:.0f} ms ({torch.get_num_threads()} threads, median of {FORWARD_COUNT})"
    )
    print(f"  target {FORWARD_FACTOR} x {forward:.0f} + {GRACE_MS} = {target:.0f} ms: {verdict(durations, target)}")


def sweeps(page: Page) -> tuple[float, float]:
    """Each slider over its whole range on the first teaching case; medians of drawing and from event to frame."""
    case = load_cases(shipped.CASES)[0]
    *size, masks = page.evaluate("(({ size, layers }) => [...size, layers.length])(window.deepPneumonia.stage)")
    requests = list[str]()
    page.on("request", lambda request: requests.append(request.url))
    print(f"A slider over {case.image.name} of {size[0]} x {size[1]} pixels with {masks} masks, a value a frame")
    drawings, waits = list[float](), list[float]()
    for name in SLIDERS:
        said = page.get_by_role("slider", name=name, exact=True).evaluate(SWEEP)
        drawn, between = said["drawn"], np.diff(said["frames"])
        drawings, waits = drawings + drawn, waits + said["after"]
        print(
            f"  {name:9} drawing {median(drawn):5.1f} ms, longest {max(drawn):5.1f}; from event to frame "
            f"{median(said['after']):5.1f} ms; {median(between):5.1f} ms between frames, longest {max(between):5.1f}"
        )
    print(f"  {len(requests)} requests meanwhile ({len(drawings)} frames); target 0")
    return median(drawings), median(waits)


@contextmanager
def peer(predictor: Predictor) -> Iterator[str]:
    """The usual Gradio way: with each change of a slider the server draws the picture again."""
    case = decode(load_cases(shipped.CASES)[0].image)
    attention = predictor.predict(case).attention
    with gr.Blocks(analytics_enabled=False) as blocks:
        slider = gr.Slider(0, 100, 100, step=1, label="Attention")
        picture = gr.Image(overlay(case.pixels, attention), label="Picture")
        slider.change(lambda value: overlay(case.pixels, attention * (value / 100)), slider, picture)
    with served_blocks(blocks) as address:
        yield address


def against(medians: tuple[float, float], page: Page, address: str) -> None:
    """The same change of a slider in the peer, as a ratio."""
    page.goto(address)
    page.locator("img").first.wait_for()
    page.wait_for_timeout(SETTLING_MS)
    slider = page.get_by_role("slider").first
    durations = [slider.evaluate(LOADED_AFTER, value) for value in range(100 - 7 * CHANGE_COUNT, 100, 7)]
    print("The usual Gradio way, the picture drawn by the server at each change of a slider")
    print(f"  {median(durations):.0f} ms from event to picture (median of {CHANGE_COUNT})")
    drawing, wait = (median(durations) / each for each in medians)
    print(f"  {wait:.1f} times as long as from event to frame in the viewer, which waits for the display's next frame,")
    print(f"  and {drawing:.0f} times as long as drawing takes")


if __name__ == "__main__":
    main()
