"""Bounds: memory and CPU time that hostile files, requests and the largest accepted ones take.

python -m studies.bombs [--only WORD]

Makes each file by hand in a temporary folder, and gives it to the reading code of the package in a fresh process.
Prints a table: the file's size, the peak of memory above that after the imports, CPU time, and what the answer was.
Targets: 200 MB and 2 s for a refused input, 700 MB for an accepted one. Processes that the reading starts are counted.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studies import bomb_depths
from studies import bomb_masks as masks
from studies import bomb_pictures as pictures
from studies.bomb_pictures import SIDE, flat

MAX_REFUSED_MB, MAX_REFUSED_SECONDS, MAX_ACCEPTED_MB = 200, 2, 700
MAX_BYTES = 8 * 2**30  # of the reading process, to spare the machine
MAX_SECONDS = 120  # of a run; without bounds some never end
GREY, RED = 9, (200, 10, 10)
Made = Callable[[], bytes]

RADIOGRAPHS: dict[str, Made] = {
    "PNG, grey": flat("L", GREY, "PNG"),
    "PNG, RGB": flat("RGB", RED, "PNG"),
    "PNG, RGBA": flat("RGBA", (*RED, 99), "PNG"),
    "PNG, palette with transparency": flat("P", 3, "PNG", transparency=3),
    "PNG, 16-bit grey": flat("I;16", 900, "PNG"),
    "PNG, 16-bit RGB": pictures.deep_png(2, 3),
    "PNG, 16-bit RGBA": pictures.deep_png(6, 4),
    "PNG, RGB, cut short": lambda: flat("RGB", RED, "PNG")()[:-100],
    "JPEG, grey": flat("L", GREY, "JPEG"),
    "JPEG, RGB": flat("RGB", RED, "JPEG"),
    "JPEG, RGB, progressive": flat("RGB", RED, "JPEG", progressive=True, subsampling=0),
    "JPEG, CMYK": flat("CMYK", (*RED, 7), "JPEG"),
    "WebP": flat("RGB", RED, "WEBP"),
    "WebP, lossless with alpha": flat("RGBA", (*RED, 99), "WEBP", lossless=True),
    "TIFF, deflated RGB": flat("RGB", RED, "TIFF", compression="tiff_adobe_deflate"),
    "TIFF, deflated 32-bit": flat("I", 900, "TIFF", compression="tiff_adobe_deflate"),
    "TIFF, deflated float": flat("F", 9.5, "TIFF", compression="tiff_adobe_deflate"),
    "BMP, RGB": flat("RGB", RED, "BMP", side=4700),
    "DICOM, uncompressed": pictures.native,
    "DICOM, JPEG 2000": pictures.j2k(SIDE),
    "DICOM, RLE": pictures.rle,
    **{f"{form}, claims up to 60000 x 60000": pictures.claimed(form) for form in ("PNG", "JPEG", "WEBP", "BMP", "GIF")},
    "DICOM, JPEG 2000 claims 60000 x 60000": pictures.j2k(64, 60000),
    "PNG, five million texts": pictures.many_chunks,
    "JPEG, ten thousand scans": pictures.repeated_scans,
    "JPEG, ten million comments": pictures.many_segments,
    "JPEG, EXIF refers to itself": pictures.exif_block,
    "TIFF, tags that share 8 MB": pictures.repeated_tags,
    "TIFF, half a million pages": pictures.many_pages,
    "TIFF, a tile of 40000 x 40000": pictures.huge_tile,
    "DICOM, sequences nested 600 times": pictures.in_front(pictures.NESTED),
    "DICOM, seven million items": pictures.in_front(pictures.MANY_ITEMS),
    "DICOM, seven million elements": pictures.in_front(pictures.MANY_ELEMENTS),
    "DICOM, inflates to 2 GB": pictures.inflating,
    "DICOM, inflates to a million items": pictures.inflating_items,
    "DICOM, ten million window centres": pictures.long_window,
    "DICOM, a lookup table of 60 MB": pictures.long_table,
    **bomb_depths.RADIOGRAPHS,
}
MASKS: dict[str, Made] = {
    "mask, PNG, RGBA": masks.mask_rgba,
    "mask, PNG, 16-bit RGBA": pictures.deep_png(6, 4),
    "mask, COCO, 8 readers' run lengths": masks.coco(8, masks.RUNS),
    "mask, COCO, a polygon of the whole picture": masks.coco(1, masks.SQUARE),
    "mask, COCO, 8 polygons": masks.coco(8, masks.SQUARE),
    "mask, SEG, 8 frames": masks.seg(8, SIDE),
    "mask, COCO, 8 readers, the last damaged": masks.coco(8, masks.RUNS, last=masks.DAMAGED_RUNS),
    "mask, COCO, 64 readers": masks.coco(64, masks.RUNS),
    "mask, COCO, 20,000 points": masks.star(20_000),
    "mask, COCO, run lengths of 30 MB": masks.long_runs,
    "mask, SEG, 14 frames": masks.seg(14, SIDE),
    "mask, JSON, 30 million numbers": masks.values("1", 30_000_000),
    "mask, JSON, 15 million objects": masks.values("{}", 15_000_000),
    "mask, JSON, nested ten million times": masks.deep,
    "mask, JSON, wide text cut short": masks.wide_text,
    "mask, CSV, 15 million rows": masks.table("a,,,,,0", 8_000_000),
    "mask, CSV, 30 million columns": masks.table("a,,,,,0", 1, "patientId" + "," * 30_000_000),
    "mask, CSV, a line of 60 MB": masks.table("a" * 60_000_000, 1),
    **bomb_depths.MASKS,
}
EXPORTS: dict[str, Made] = {
    "export, three million empty cases": masks.many_cases,
    "export, a million copies": masks.many_copies,
}
DRAWINGS = {"request, 8 drawings": 8, "request, 40 drawings": 40}


@dataclass(frozen=True)
class Result:
    """What one input took: its bytes, megabytes of memory and seconds of CPU; `problem` is empty if it was accepted."""

    name: str
    size: int
    megabytes: float
    seconds: float
    problem: str

    @property
    def within(self) -> bool:
        """Whether it stays within the targets."""
        if self.problem:
            return self.megabytes <= MAX_REFUSED_MB and self.seconds <= MAX_REFUSED_SECONDS
        return self.megabytes <= MAX_ACCEPTED_MB


def used() -> float:
    """Seconds of CPU of this process and its children."""
    return sum(
        u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def memory(process: int | str = "self", line: str = "VmHWM") -> float:
    """Megabytes that a process has used at most, or uses now ("VmRSS"); 0 if it has ended. Linux only."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
        return float(status.split(line + ":")[1].split()[0]) / 1000
    except (OSError, IndexError):
        return 0.0


def children(process: int) -> list[int]:
    """The processes that a process has started and that still run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            if f"\nPPid:\t{process}\n" in status.read_text(encoding="utf-8"):
                found.append(int(status.parent.name))
    return found


def watched(command: list[str]) -> tuple[str, int, float]:
    """Run a command: what it printed, its exit status, and the most memory of a process that it started.

    Raises:
        subprocess.TimeoutExpired: it takes too long.
    """
    highest, until = 0.0, time.monotonic() + MAX_SECONDS
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        while process.poll() is None:
            highest = max([highest, *map(memory, children(process.pid))])
            if time.monotonic() > until:
                process.kill()
                raise subprocess.TimeoutExpired(command, MAX_SECONDS)
            time.sleep(0.02)
        assert process.stdout
        return process.stdout.read(), process.returncode, highest


def one(name: str, folder: Path) -> None:
    """Read one input in this process, and print a Result as JSON."""
    from deep_pneumonia.errors import DeepPneumoniaError

    read, file = reading(name, folder)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    problem = ""
    before, start = memory(line="VmRSS"), used()
    try:
        read()
    except DeepPneumoniaError as error:
        problem = str(error)
    except Exception as error:  # a fault of the package, which the table shows
        problem = f"{type(error).__name__}!"
    print(json.dumps([name, file.stat().st_size, max(0.0, memory() - before), used() - start, problem]))


def reading(name: str, folder: Path) -> tuple[Callable[[], Any], Path]:
    """The call that reads an input, and the file."""
    from deep_pneumonia.masks.any_format import read_annotations
    from deep_pneumonia.radiographs.radiograph import decode

    file = folder / "input"
    if name in RADIOGRAPHS:
        return lambda: decode(file), file
    if name in MASKS:
        return lambda: read_annotations(file, (SIDE, SIDE), name="R.json", radiograph="chest.png"), file
    if name in DRAWINGS:
        from deep_pneumonia.viewer.opened_case import opened

        return lambda: opened(str(file), (), json.loads((folder / "drawings").read_text())), file
    from deep_pneumonia.exchange.merge import import_into
    from deep_pneumonia.worklist.workspace import Workspace

    workspace = Workspace(folder / "list")
    return lambda: import_into(workspace, file, local=False), file


def measure(name: str) -> Result:
    """Make an input and read it in a fresh process."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make = RADIOGRAPHS.get(name) or MASKS.get(name) or EXPORTS.get(name) or flat("L", GREY, "PNG")
        (folder / "input").write_bytes(make())
        if name in DRAWINGS:
            (folder / "drawings").write_text(json.dumps(masks.drawings(DRAWINGS[name])))
        command = [sys.executable, "-m", "studies.bombs", "--one", name, "--folder", scratch]
        start = time.monotonic()
        try:
            printed, status, more = watched(command)
        except subprocess.TimeoutExpired:
            return Result(name, (folder / "input").stat().st_size, 0, time.monotonic() - start, "no answer!")
        if status:
            return Result(name, (folder / "input").stat().st_size, 0, 0, f"ended with {status}!")
        name, size, megabytes, seconds, problem = json.loads(printed)
        return Result(name, size, megabytes + more, seconds, problem)


def table(results: list[Result]) -> str:
    """The results as a table in Markdown."""
    lines = ["| input | file | memory | CPU | answer |", "|---|---|---|---|---|"]
    for r in results:
        size = f"{r.size / 1e6:.1f} MB" if r.size >= 1e5 else f"{r.size / 1e3:.1f} kB"
        answer = "refused" if r.problem else "accepted"
        answer += " (a fault)" if r.problem.endswith("!") else "" if r.within else " (over the target)"
        lines.append(f"| {r.name} | {size} | {r.megabytes:.0f} MB | {r.seconds:.1f} s | {answer} |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default="", metavar="WORD", help="inputs whose names hold this word")
    p.add_argument("--one", help=argparse.SUPPRESS)
    p.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = p.parse_args()
    if arguments.one:
        return one(arguments.one, arguments.folder)
    results = []
    for name in (name for name in [*RADIOGRAPHS, *MASKS, *DRAWINGS, *EXPORTS] if arguments.only in name):
        results.append(measure(name))
        print(f"{name}: {results[-1]}", file=sys.stderr, flush=True)
    print(table(results))
    return None


if __name__ == "__main__":
    main()
