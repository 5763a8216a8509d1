"""The comparison with dcmtk: verdicts worked by hand, plain tables, and a sentence where a tool is missing."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

from studies import dicom_peers
from studies.dicom_peers import Row, compared, display_options, main, objects, ours, table
from tests.dicom_objects import RAMP, data_set, written

GREY = np.arange(64, dtype=np.uint8).reshape(8, 8)


def test_verdicts_by_hand() -> None:
    assert compared("a", GREY, "", GREY + 1) == Row("a", "alike", 1.0, pytest.approx(1))
    assert compared("b", GREY, "", 63 - GREY) == Row("b", "different", 32.0, pytest.approx(-1))
    assert compared("c", GREY, "", GREY * 0) == Row("c", "different", 31.5, None)
    assert compared("d", GREY, "", GREY[1:]).note == "(8, 8) and (7, 8)"
    assert compared("e", None, "e is a report.", GREY) == Row("e", "only dcmtk", note="e is a report.")
    assert [compared("f", *pair).verdict for pair in ((GREY, "", None), (None, "no", None))] == ["only ours", "neither"]


def test_the_table_counts_all_and_lists_what_differs() -> None:
    rows = [Row("same", "alike", 0.4, 1.0), Row("odd", "different", 12.5, 0.25), Row("report", "neither", note="why")]
    lines = table(rows).split("\n")
    assert lines[0] == "3 objects: 1 alike, 1 different, 1 neither"
    assert lines[1] == "largest mean difference of those alike: 0.40 of 255"
    assert [line.split() for line in lines[2:]] == [["different", "odd", "12.50", "r", "0.2500"]]
    assert len(table(rows, whole=True).split("\n")) == 5


def test_an_object_is_shown_as_it_asks() -> None:
    header = data_set(RAMP)
    assert display_options(header) == ["--min-max-window"]
    header.WindowCenter, header.WindowWidth = 1, 2
    assert display_options(header) == ["--use-window", "1"]
    header.VOILUTSequence = [Dataset()]
    assert display_options(header) == ["--use-window", "1"]
    header.VOILUTSequence[0].LUTData = b"\0\1"
    assert display_options(header) == ["--use-voi-lut", "1"]
    header.SamplesPerPixel = 3
    assert display_options(header) == []


def test_objects_are_found_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "no ending").write_bytes(written(data_set(RAMP)))
    (tmp_path / "README.dcm").write_text("no object")
    assert list(objects([tmp_path])) == [tmp_path / "a" / "no ending"]
    picture, reason = ours(tmp_path / "a" / "no ending")
    assert picture is not None
    assert (picture.min(), picture.max(), reason) == (0, 255, "")
    assert ours(tmp_path / "README.dcm")[1].startswith("README.dcm is not")


def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(dicom_peers.shutil, "which", lambda _: None)
    assert main([]) == 2
    assert "dcmj2pnm is not installed; install the Debian package dcmtk." in capsys.readouterr().err
