"""What a visitor adds to a work list, and takes along of it: only uploads, only copies without identity."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from deep_pneumonia.errors import DeepPneumoniaError, WorkspaceError
from deep_pneumonia.masks.annotation import write_mask
from deep_pneumonia.prediction.checkpoint import load
from deep_pneumonia.viewer.review import uploads as uploading
from deep_pneumonia.viewer.review.downloads import write_download
from deep_pneumonia.viewer.review.requests import AddRequest, DownloadRequest, checked
from deep_pneumonia.viewer.review.workspaces import WorkList
from deep_pneumonia.worklist.predictions import Predictions
from deep_pneumonia.worklist.workspace import Workspace
from tests.dicom_objects import data_set, written
from tests.phantom import draw, save_png

SIZE = (96, 80)


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where Gradio puts what a visitor uploads."""
    folder = tmp_path / "gradio"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "space")


def added(space: Workspace, files: Any) -> str:
    return uploading.add(space, checked(AddRequest, {"what": "add", "files": files}).files)


def sent(*files: Path, folder: str = "") -> list[dict[str, str]]:
    return [{"path": str(f), "name": f"{folder}{f.name}"} for f in files]


def test_radiographs_come_with_the_masks_that_are_named_after_them(uploads: Path, space: Workspace) -> None:
    pixels, mask = draw(1, SIZE, lesion=True)
    save_png(pixels, uploads / "chest.png")
    write_mask(mask, uploads / "chest-mask-Dr B.png")
    said = added(space, sent(uploads / "chest.png", uploads / "chest-mask-Dr B.png", folder="ward/"))
    assert said == "1 new case.\n1 radiograph with masks: ward/chest.png (chest-mask-Dr B.png)"
    item = space.items()[0]
    assert (item.case.source, item.case.patient) == ("ward", "chest")
    assert item.case.image.is_relative_to(space.folder), "the upload itself is deleted"
    assert [d.reader for d in space.drawings(item.id)] == ["Dr B"]
    np.testing.assert_array_equal(space.drawings(item.id)[0].annotation(SIZE).mask, mask)


def test_every_file_is_accounted_for(uploads: Path, space: Workspace) -> None:
    pixels, mask = draw(1, SIZE, lesion=True)
    save_png(pixels, uploads / "chest.png")
    write_mask(mask[1:], uploads / "chest-mask.png")
    write_mask(mask, uploads / "lung mask.png")
    (uploads / "notes.txt").write_text("x")
    for again in range(2):
        names = ("chest.png", "chest-mask.png", "lung mask.png", "notes.txt")
        said = added(space, sent(*(uploads / name for name in names))).splitlines()
        known = "0 new cases. 1 was in the list already and stays as it is: no mask was added."
        assert said[0] == (known if again else "1 new case.")
        assert said[1] == "1 radiograph without a mask, so unknown: chest.png"
        assert said[2] == "Left out because text is not read (export annotations as COCO JSON): notes.txt"
        assert said[3].endswith("not lesions of pneumonia: lung mask.png")
        assert said[4].startswith("Left out: The mask chest-mask.png has 95 x 80 pixels (rows x columns)")
        assert len(said) == 5


def test_no_name_of_a_person_is_kept(uploads: Path, space: Workspace) -> None:
    pixels, _ = draw(2, SIZE)
    grey = np.rint(pixels * 4095).astype(np.uint16)
    (uploads / "scan.dcm").write_bytes(written(data_set(grey, PatientName="Doe^Jane")))
    words = PngImagePlugin.PngInfo()
    words.add_text("Patient", "Jane Doe")
    Image.fromarray((pixels * 255).astype(np.uint8)).save(uploads / "film.png", pnginfo=words)
    assert added(space, sent(uploads / "scan.dcm", uploads / "film.png")).startswith("2 new cases.\n")
    for path in space.folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert b"Jane" not in data, path


@pytest.mark.parametrize(
    "name", ["../../chest.png", "/etc/chest.png", "..\\chest.png", "a/../../chest.png", "C:\\x\\chest.png"]
)
def test_a_name_leads_nowhere_else(uploads: Path, space: Workspace, tmp_path: Path, name: str) -> None:
    save_png(draw(3, SIZE)[0], uploads / "chest.png")
    before = {p for p in tmp_path.rglob("*") if space.folder not in p.parents}
    added(space, [{"path": str(uploads / "chest.png"), "name": name}])
    assert {p for p in tmp_path.rglob("*") if space.folder not in p.parents} == before
    assert space.items()[0].case.image.name == "chest.png"


def test_only_uploads_are_taken(uploads: Path, space: Workspace, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    save_png(draw(4, SIZE)[0], secret)
    (uploads / "link.png").symlink_to(secret)
    manifest = uploads / "manifest.csv"
    head = "image,patient,source,split,label,mask,mask_kind,reader\n"
    manifest.write_text(head + f"{secret},p,own,test,,,,\n")
    for files in (sent(secret), sent(uploads / "link.png"), sent(manifest), [{"path": 3}], ["x"], [], None, {}):
        with pytest.raises(DeepPneumoniaError):
            added(space, files)
    assert space.items() == []


def test_an_export_is_taken_along_and_comes_in_again(
    uploads: Path, space: Workspace, tmp_path: Path, trained: Path
) -> None:
    save_png(draw(5, SIZE)[0], uploads / "chest.png")
    added(space, sent(uploads / "chest.png"))
    space.judge(1, "Ana", "unsure", "grainy", version=0)
    checkpoint = load(trained / "checkpoint")
    work_list = WorkList("own", space, Predictions(space, checkpoint.key), shared=False)
    made = write_download(work_list, DownloadRequest(what="export"), tmp_path, checkpoint)
    with zipfile.ZipFile(made) as archive:
        assert str(tmp_path) not in archive.read("state.json").decode(), "where files lie here is nobody's business"
        assert json.loads(archive.read("state.json"))
    sent_back = uploads / "work-list.zip"
    sent_back.write_bytes(made.read_bytes())
    other = Workspace(tmp_path / "other")
    assert added(other, sent(sent_back)).startswith("Imported 1 cases, 0 masks and 1 verdicts")
    assert other.verdicts()[1]["Ana"].comment == "grainy"
    assert (
        write_download(work_list, DownloadRequest(what="report"), tmp_path, checkpoint).read_bytes().startswith(b"%PDF")
    )


@pytest.mark.parametrize("request_", [{"what": "export"}, {"what": "report"}, {"what": "all"}, {}])
def test_of_an_empty_list_there_is_nothing_to_take(
    space: Workspace, tmp_path: Path, trained: Path, request_: dict[str, Any]
) -> None:
    checkpoint = load(trained / "checkpoint")
    work_list = WorkList("own", space, Predictions(space, checkpoint.key), shared=False)
    with pytest.raises((WorkspaceError, DeepPneumoniaError)):
        write_download(work_list, checked(DownloadRequest, request_), tmp_path, checkpoint)
    assert not list(tmp_path.glob("work-list.*"))
