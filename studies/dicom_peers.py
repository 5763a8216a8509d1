"""Does the decoder show DICOM objects as dcmtk does? Decode the test files of pydicom with both and compare.

Usage: python -m studies.dicom_peers [--folder DIR]

dcmtk's dcmj2pnm (dcml2pnm for JPEG-LS) draws each object with 8 bits, without overlays, and with what the object asks
for: its first VOI table, else its first window, else the range of its pixels. dcmtk has no JPEG 2000 decoder, so
gdcmconv decompresses those objects first. Colour becomes luma on both sides. Printed, for each object that both do not
show alike: the mean absolute difference in grey levels of 255 and the correlation, or who refuses it.

It needs the Debian packages dcmtk and libgdcm-tools. --folder adds other objects, such as the WG-04 files of NEMA.
"""

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom.data
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.uid import UID, JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes

from deep_pneumonia.cli import Help, guarded
from deep_pneumonia.errors import DeepPneumoniaError, RadiographError
from deep_pneumonia.radiographs.dicom import may_be
from deep_pneumonia.radiographs.radiograph import decode
from deep_pneumonia.radiographs.silence import SILENCE

TEST_FILES = Path(pydicom.data.__file__).parent / "test_files"
TOOLS = {"dcmj2pnm": "dcmtk", "dcml2pnm": "dcmtk", "gdcmconv": "libgdcm-tools"}  # with their Debian packages
MAX_TOOL_SECONDS = 60
MAX_MEAN_DIFFERENCE = 1.0  # grey levels of 255; two ways of rounding to 8 bits stay below
ALIKE, DIFFERENT, OTHER_SIZE = "alike", "different", "other size"
ONLY_OURS, ONLY_PEER, NEITHER = "only ours", "only dcmtk", "neither"


@dataclass(frozen=True)
class Row:
    """How both showed one object.

    difference: the mean absolute difference in grey levels of 255; None unless both gave pictures of one size.
    correlation: of the pixels; None if a picture has one grey level.
    note: the sentence of a refusal, or the sizes.
    """

    name: str
    verdict: str
    difference: float | None = None
    correlation: float | None = None
    note: str = ""


def objects(folders: Sequence[Path]) -> Iterator[Path]:
    """The files of the folders that start as DICOM objects do, in the order of their names."""
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path.is_file() and _is_object(path.read_bytes()[:132]))


def _is_object(head: bytes) -> bool:
    return head[128:] == b"DICM" or may_be(head)


def ours(path: Path) -> tuple[NDArray[np.uint8] | None, str]:
    """The picture (H, W) of our decoder, or None and the sentence of its refusal."""
    try:
        return np.rint(decode(path).pixels * 255).astype(np.uint8), ""
    except RadiographError as error:
        return None, str(error)


def peers(path: Path) -> NDArray[np.uint8] | None:
    """The picture (H, W) of dcmtk, or None if it gives none."""
    with tempfile.TemporaryDirectory() as folder, SILENCE:
        try:
            header = dcmread(path, stop_before_pixels=True, force=True)
            syntax = UID(header.get("file_meta", Dataset()).get("TransferSyntaxUID", ""))
            if syntax in JPEG2000TransferSyntaxes:
                path = _ran(["gdcmconv", "--raw", str(path)], Path(folder) / "raw.dcm")
            tool = "dcml2pnm" if syntax in JPEGLSTransferSyntaxes else "dcmj2pnm"
            picture = _ran(
                [tool, "--quiet", "--no-overlays", *display_options(header), str(path)], Path(folder) / "p.pnm"
            )
            return np.asarray(Image.open(io.BytesIO(picture.read_bytes())).convert("L"))
        except Exception:  # damaged headers, missing pictures, and whatever the tools make of them
            return None


def display_options(header: Dataset) -> list[str]:
    """The options that show what the object asks for."""
    if int(header.get("SamplesPerPixel") or 1) > 1:
        return []
    if next(iter(header.get("VOILUTSequence") or ()), Dataset()).get("LUTData"):
        return ["--use-voi-lut", "1"]
    return ["--use-window", "1"] if header.get("WindowWidth") is not None else ["--min-max-window"]


def _ran(command: list[str], written: Path) -> Path:
    subprocess.run([*command, str(written)], check=True, capture_output=True, timeout=MAX_TOOL_SECONDS)
    return written


def compared(name: str, own: NDArray[np.uint8] | None, reason: str, peer: NDArray[np.uint8] | None) -> Row:
    """The row of one object; `reason` says why `own` is None."""
    if own is None or peer is None:
        verdict = NEITHER if own is None and peer is None else ONLY_PEER if own is None else ONLY_OURS
        return Row(name, verdict, note=reason)
    if own.shape != peer.shape:
        return Row(name, OTHER_SIZE, note=f"{own.shape} and {peer.shape}")
    a, b = own.astype(np.float64), peer.astype(np.float64)
    difference = float(np.abs(a - b).mean())
    correlation = float(np.corrcoef(a.ravel(), b.ravel())[0, 1]) if np.ptp(a) and np.ptp(b) else None
    return Row(name, ALIKE if difference <= MAX_MEAN_DIFFERENCE else DIFFERENT, difference, correlation)


def table(rows: Sequence[Row], *, whole: bool = False) -> str:
    """How many objects have each verdict, then all rows that are not alike (`whole`: every row)."""
    counts = Counter(row.verdict for row in rows)
    lines = [f"{len(rows)} objects: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())]
    worst = max((row.difference for row in rows if row.verdict == ALIKE and row.difference is not None), default=0.0)
    lines.append(f"largest mean difference of those alike: {worst:.2f} of 255")
    for row in sorted(rows, key=lambda r: (r.verdict, r.name)):
        if whole or row.verdict not in (ALIKE, NEITHER):
            figures = "" if row.difference is None else f"{row.difference:6.2f}"
            figures += "" if row.correlation is None else f"  r {row.correlation:.4f}"
            lines.append(f"{row.verdict:<11} {row.name:<48} {figures}{row.note}")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: the table."""
    p = argparse.ArgumentParser(prog="python -m studies.dicom_peers", description=__doc__, formatter_class=Help)
    p.add_argument("--folder", action="append", default=[], type=Path, metavar="DIR", help="more objects; repeatable")
    p.add_argument("--all", action="store_true", help="print the objects that both show alike or refuse, too")
    a = p.parse_args(argv)

    def run() -> None:
        for tool, package in TOOLS.items():
            if not shutil.which(tool):
                raise DeepPneumoniaError(f"{tool} is not installed; install the Debian package {package}.")
        paths = objects([TEST_FILES, *a.folder])
        print(table([compared(path.name, *ours(path), peers(path)) for path in paths], whole=a.all))

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
