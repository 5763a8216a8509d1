"""What an import refuses: states that cannot be, hostile archives, changed files; nothing is written then."""

import hashlib
import json
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deep_pneumonia.datasets.manifest import Case
from deep_pneumonia.errors import AnnotationError, DeepPneumoniaError, ExchangeError
from deep_pneumonia.exchange import archive, merge
from deep_pneumonia.exchange.export import export
from deep_pneumonia.exchange.merge import Imported, import_into
from deep_pneumonia.worklist.workspace import Workspace
from tests.work_lists import annotation, full_state, small_workspace


def changed(document: dict[str, Any], path: str, value: object) -> None:
    at: Any = document
    *steps, last = [int(s) if s.isdigit() else s for s in path.split(".")]
    for step in steps:
        at = at[step]
    at[last] = value


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("format", 2, "has format 2, expected 1"),
        ("format", True, "not that of a work list"),
        ("cases", {}, "cases is {}, expected a list"),
        ("cases.0.key", "../../x", r"cases\[0\]\.key is '\.\./\.\./x', expected a SHA-256"),
        ("cases.1.key", "SAME", "has a case twice"),
        ("cases.0.split", "evil", "split is 'evil'"),
        ("cases.0.patient", 7, "patient is 7, expected text"),
        ("cases.0.label", "\ud800", "is not JSON"),
        ("cases.0.sex", "x" * 100_001, "at most 100000"),
        ("cases.0.image", "radiographs/../../secret.png", "outside its folder|no file"),
        ("cases.0.image", "radiographs/none.png", "has no file radiographs/none.png"),
        ("cases.0.drawings.0.mask", "/etc/passwd", "mask is '/etc/passwd', expected a SHA-256"),
        ("cases.0.drawings.0.mask", None, "null for kind normal alone"),
        ("cases.0.drawings.0.mask", "0" * 64, "has no file state/masks/0000"),
        ("cases.0.drawings.0.kind", "evil", "kind is 'evil', expected 'pixel'"),
        ("cases.0.drawings.0.removed", 0, "removed is 0, expected true or false"),
        ("cases.0.drawings.0.version", 2, "version is 2, expected 1, the next of 'Ana'"),
        ("cases.0.drawings.0.version", True, "version is True"),
        ("cases.0.drawings.0.time", "now", "time is 'now', expected a time in UTC"),
        ("cases.0.drawings.0.author", None, "author is None, expected text"),
        ("cases.0.verdicts.0.verdict", "evil", "one of agree"),
        ("cases.0.verdicts.0.comment", [], r"comment is \[\]"),
        ("cases.0.verdicts", [1], r"verdicts\[0\] is 1, expected an object"),
        ("copies", {"x": "y"}, "copies is"),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_a_state_that_cannot_be_is_refused_by_name_and_nothing_is_written(
    tmp_path: Path, path: str, value: object, words: str, packed: bool
) -> None:
    source = exported(tmp_path)
    document = json.loads((source / "state.json").read_text())
    changed(document, path, document["cases"][0]["key"] if value == "SAME" else value)
    (source / "state.json").write_text(json.dumps(document))
    refused(tmp_path, zipped(source) if packed else source, words)


def exported(tmp_path: Path) -> Path:
    """An export of two cases with a mask and a verdict, and its radiographs."""
    space = small_workspace(tmp_path)
    space.draw(1, annotation(1), version=0, author="Ana")
    space.judge(1, "Ana", "agree", version=0)
    export(space, tmp_path / "out", radiographs=True)
    return tmp_path / "out"


def zipped(source: Path) -> Path:
    return Path(shutil.make_archive(str(source), "zip", source))


def refused(tmp_path: Path, source: Path, words: str, error: type[DeepPneumoniaError] = ExchangeError) -> None:
    other = Workspace(tmp_path / "other")
    outside = sorted(p for p in tmp_path.rglob("*") if not p.is_relative_to(other.folder))
    with pytest.raises(error, match=words):
        import_into(other, source)
    assert full_state(other) == []
    assert outside == sorted(p for p in tmp_path.rglob("*") if not p.is_relative_to(other.folder))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "not JSON"), (b"[" * 100_000, "not JSON"), (b"[]", "not that of a work list"),
        (b'{"format": NaN}', "not that of a work list"), (b"\xff", "not JSON"),
        (b'{"format": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)  # fmt: skip
def test_what_is_no_state_is_refused(tmp_path: Path, text: bytes, words: str) -> None:
    source = exported(tmp_path)
    (source / "state.json").write_bytes(text)
    refused(tmp_path, source, words)


def link(name: str = "radiographs/x.png") -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def twice(file: zipfile.ZipFile) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("state.json", "{}")


def many(file: zipfile.ZipFile) -> None:
    for n in range(40):
        file.writestr(f"{n}", "")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda z: z.writestr("../outside.txt", "x"), "outside its folder"),
        (lambda z: z.writestr("a/../../outside.txt", "x"), "outside its folder"),
        (lambda z: z.writestr("/etc/outside.txt", "x"), "outside its folder"),
        (lambda z: z.writestr("C:\\outside.txt", "x"), "outside its folder"),
        (lambda z: z.writestr("a\\..\\..\\outside.txt", "x"), "outside its folder"),
        (lambda z: z.writestr(link(), "/etc/passwd"), "is a link"),
        (lambda z: z.writestr("bomb", b"\0" * 20 * 2**20), "more than any export"),
        (lambda z: z.writestr("rare", "x", zipfile.ZIP_LZMA), "packed by a rare method"),
        (many, "has 5. files"),
        (twice, "two files of one name"),
    ],
)
def test_a_hostile_zip_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[zipfile.ZipFile], None], words: str
) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 30)
    monkeypatch.setattr(archive, "MIN_RATIO_BYTES", 2**20)
    source = zipped(exported(tmp_path))
    with zipfile.ZipFile(source, "a", zipfile.ZIP_DEFLATED) as file:
        spoil(file)
    refused(tmp_path, source, words)


def test_a_zip_that_lies_about_a_size_or_is_cut_short_or_is_no_zip_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = zipped(exported(tmp_path))
    whole = source.read_bytes()
    size = zipfile.ZipFile(source).getinfo("state.json").file_size
    at = whole.rindex(b"state.json") - 46 + 24  # where the list of members tells the unpacked size
    assert whole[at : at + 4] == size.to_bytes(4, "little")
    source.write_bytes(whole[:at] + (size // 2).to_bytes(4, "little") + whole[at + 4 :])
    refused(tmp_path, source, "state.json in the export is damaged")
    source.write_bytes(whole[: len(whole) // 2])
    refused(tmp_path, source, "is not a ZIP or is damaged")
    source.write_bytes(b"")
    refused(tmp_path, source, "is not a ZIP or is damaged")
    refused(tmp_path, tmp_path / "nowhere.zip", "cannot be read")
    source.write_bytes(whole)
    monkeypatch.setattr(archive, "MAX_MEMBER_LIST_BYTES", 100)
    refused(tmp_path, source, "list of members that is too long")


def test_links_in_a_folder_and_files_that_were_changed_or_are_no_masks_are_refused(tmp_path: Path) -> None:
    source = exported(tmp_path)
    radiograph = source / "radiographs" / "chest-0.png"
    radiograph.rename(tmp_path / "secret.png")
    radiograph.symlink_to(tmp_path / "secret.png")
    refused(tmp_path, source, "is a link")
    radiograph.unlink()
    radiograph.write_bytes(b"changed")
    refused(tmp_path, source, "was changed after the export")
    radiograph.unlink()
    (tmp_path / "secret.png").rename(radiograph)
    (mask,) = (source / "state" / "masks").iterdir()
    bad = b"no mask"
    digest = hashlib.sha256(bad).hexdigest()
    mask.with_name(f"{digest}.png").write_bytes(bad)
    state = source / "state.json"
    state.write_text(state.read_text().replace(mask.stem, digest))
    refused(tmp_path, source, "is not a PNG, JPEG, TIFF or BMP picture", AnnotationError)


def test_an_import_that_stops_half_way_leaves_no_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = exported(tmp_path)
    other = Workspace(tmp_path / "other")
    done: list[int] = []

    def stopping(*arguments: Any) -> Any:
        done.append(1)
        if len(done) == 4:  # the verdicts of the second case
            raise KeyboardInterrupt
        return merged(*arguments)

    merged = merge._merge_versions
    monkeypatch.setattr(merge, "_merge_versions", stopping)
    with pytest.raises(KeyboardInterrupt):
        import_into(other, source)
    assert full_state(other) == []
    monkeypatch.undo()
    assert import_into(other, source) == Imported(2, 1, 1, 0, ())


def test_a_name_from_elsewhere_becomes_a_file_inside(tmp_path: Path) -> None:
    source = exported(tmp_path)
    document = json.loads((source / "state.json").read_text())
    for case, name in zip(document["cases"], ("../../x\\y.png", "..."), strict=True):
        case["name"] = name
    (source / "state.json").write_text(json.dumps(document))
    other = Workspace(tmp_path / "other")
    import_into(other, source)
    assert [i.case.image.name for i in other.items()] == ["_.._x_y.png", "radiograph"]
    assert all(i.case.image.resolve().is_relative_to(other.folder) for i in other.items())
    assert isinstance(other.item(1).case, Case)
