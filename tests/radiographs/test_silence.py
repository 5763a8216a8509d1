"""Libraries of decoders write nothing about a damaged file, since their lines may quote tags."""

import logging
from random import Random

import pytest

from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.radiographs.radiograph import decode
from deep_pneumonia.radiographs.silence import SILENCE
from studies import fuzz_tiff


def test_damaged_tiff_files_leave_no_line_in_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    refused = 0
    for seed in range(120):  # one in seven of them made libtiff write a line
        try:
            decode(fuzz_tiff.any_tiff(Random(f"silence {seed}")))
        except DeepPneumoniaError:
            refused += 1
    assert refused > 30
    assert capfd.readouterr() == ("", "")


def test_pillow_and_pydicom_log_no_errors(caplog: pytest.LogCaptureFixture) -> None:
    with SILENCE:
        for name in ("PIL.TiffImagePlugin", "pydicom"):
            logging.getLogger(name).error("a tag of the file")
    assert caplog.records == []
