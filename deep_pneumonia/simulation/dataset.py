"""Render a planned set to images, masks and a manifest, several bodies at a time; existing images are kept."""

import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deep_pneumonia.datasets.manifest import Case, MaskRef, split_of, write_manifest
from deep_pneumonia.errors import SimulationError
from deep_pneumonia.files import sha256, whole, write_json
from deep_pneumonia.masks.annotation import write_mask
from deep_pneumonia.simulation.body import draw_build, vary
from deep_pneumonia.simulation.chest_ct import ChestCT
from deep_pneumonia.simulation.plan import Planned, SetConfig, plan
from deep_pneumonia.simulation.pneumonia import NORMAL
from deep_pneumonia.simulation.scene import Simulated, draw_pose, expose, render
from deep_pneumonia.simulation.visible import HANDS

SOURCE, TRUTH = "simulated", "Truth"


class SimulatedSet:
    """The folder of a set: images/, masks/, facts/ and, at the end, manifest.csv. A run that was killed is resumed."""

    def __init__(self, out: Path, config: SetConfig) -> None:
        """Plan the set.

        Raises:
            SimulationError: the folder holds another set, or an option is invalid.
        """
        self.out, self.config, self.plan = out, config, plan(config)
        self.hands = HANDS[: config.readers]
        self._refuse_another(asdict(config))

    def _refuse_another(self, asked: dict[str, object]) -> None:
        path = self.out / "simulate.json"
        before = _read_json(path) if path.exists() else asked
        if changed := [k for k in asked if before.get(k) != asked[k]]:
            raise SimulationError(
                f"{self.out} holds a set with another {', '.join(changed)}; repeat its options to resume it, or choose "
                "another --out."
            )

    def _claim(self, ct: ChestCT) -> None:
        """Write the options and the digest of the CT, or check them against those of the folder."""
        asked = asdict(self.config) | {"ct": sha256(ct.hu.numpy().data)}
        self._refuse_another(asked)
        for name in ("images", "masks", "facts"):
            (self.out / name).mkdir(parents=True, exist_ok=True)
        write_json(asked, self.out / "simulate.json")

    def missing(self) -> list[Planned]:
        """The images that are not complete yet."""
        return [p for p in self.plan if not self._facts(p).exists()]

    def make(self, ct: ChestCT, workers: int, done: Callable[[], object]) -> None:
        """Render the missing images on `workers` threads; `done` is called after each image.

        Raises:
            SimulationError: the folder was begun with another CT, or a lesion is not visible.
        """
        self._claim(ct)
        bodies = [list(group) for _, group in groupby(self.missing(), key=lambda p: p.body)]
        stop = threading.Event()
        with ThreadPoolExecutor(workers) as pool:
            jobs = [pool.submit(self._make_body, ct, images, done, stop) for images in bodies]
            try:
                for job in jobs:
                    job.result()
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _make_body(
        self, ct: ChestCT, images: Sequence[Planned], done: Callable[[], object], stop: threading.Event
    ) -> None:
        if stop.is_set():
            return
        seed = (self.config.seed, 3, images[0].body)
        body = vary(ct, draw_build(np.random.default_rng(seed)))
        for pose, group in groupby(images, key=lambda p: p.pose):
            few = list(group)
            placed = draw_pose(body, few[0].view, np.random.default_rng((*seed, pose)))
            shadow = expose(body, placed, self.config.size)
            for planned in few:
                if stop.is_set():
                    return
                self._write(planned, render(shadow, planned.recipe, self.hands))
                done()

    def _write(self, planned: Planned, case: Simulated) -> None:
        write_png(case.pixels, self._image(planned))
        if planned.recipe.kind != NORMAL:
            for reader, mask in {TRUTH: case.mask, **case.readers}.items():
                write_mask(mask, self._mask(planned, reader))
        facts = {
            "kind": planned.recipe.kind, "severity": planned.recipe.severity, "lobes": list(case.lobes),
            "contrast": case.contrast, "area": float(case.mask.mean()), "view": planned.view,
            "confounders": list(planned.recipe.confounders),
        }  # fmt: skip
        write_json(facts, self._facts(planned))  # written last, as it marks the image as complete

    def write_manifest(self) -> list[Case]:
        """Write manifest.csv and return its cases."""
        cases = [self._case(p) for p in self.plan]
        write_manifest(cases, self.out / "manifest.csv")
        return cases

    def _case(self, planned: Planned) -> Case:
        ill = planned.recipe.kind != NORMAL
        names = [hand.name for hand in self.hands]
        if ill:
            masks = [MaskRef(self._mask(planned, TRUTH), "pixel", TRUTH)]
            masks += [MaskRef(self._mask(planned, name), "polygon", name) for name in names]
        else:
            masks = [MaskRef(None, "normal", name) for name in (TRUTH, *names)]
        patient = f"{self.config.seed}-{planned.body:05d}"
        split = split_of(patient, val=self.config.val, test=self.config.test)
        label = (self.config.label or planned.recipe.kind) if ill else NORMAL
        return Case(self._image(planned), patient, SOURCE, split, label, tuple(masks), view=planned.view)

    def _image(self, planned: Planned) -> Path:
        return self.out / "images" / f"{planned.number:06d}.png"

    def _mask(self, planned: Planned, reader: str) -> Path:
        return self.out / "masks" / f"{planned.number:06d}-{reader.replace(' ', '-')}.png"

    def _facts(self, planned: Planned) -> Path:
        return self.out / "facts" / f"{planned.number:06d}.json"


def write_png(pixels: NDArray[np.float32], path: Path) -> None:
    """Write an image (H, W) in [0, 1] as an 8-bit grey PNG, whole or not at all."""
    with whole(path) as partial:
        Image.fromarray((pixels * 255).round().astype(np.uint8)).save(partial, format="PNG", optimize=True)


def _read_json(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SimulationError(f"{path} is damaged ({error}); choose another --out.") from error
    if not isinstance(found, dict):
        raise SimulationError(f"{path} holds no options; choose another --out.")
    return found
