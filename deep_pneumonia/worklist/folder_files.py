"""What each file of a folder is, by its content: a radiograph or a mask, an annotation file, or neither."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.limits import MAX_FILE_BYTES
from deep_pneumonia.masks.dicom_references import referenced_images
from deep_pneumonia.masks.mask_names import bare
from deep_pneumonia.masks.mask_picture import PICTURE_STARTS
from deep_pneumonia.radiographs import dicom
from deep_pneumonia.radiographs.silence import SILENCE
from deep_pneumonia.radiographs.sop_classes import SEGMENTATIONS, other_object

Kind = Literal["picture", "dicom", "seg", "json", "table", "other"]
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".bmp", ".dib")
BMP_ENDINGS = (".bmp", ".dib")
DICOM_ENDINGS = (".dcm", ".dicom", ".dic", ".ima")
TABLE_ENDINGS = (".csv", ".tsv")
HEAD_BYTES = 4096
ADVICE = {
    ".nii": "NIfTI is not read (save masks as PNG or DICOM SEG)",
    ".gz": "it is packed (unpack it; save NIfTI masks as PNG or DICOM SEG)",
    ".nrrd": "NRRD is not read (save masks as PNG or DICOM SEG)",
    ".mha": "MetaImage is not read (save masks as PNG or DICOM SEG)",
    ".npy": "NumPy arrays are not read (save masks as PNG)",
    ".xml": "XML is not read (export annotations as COCO JSON)",
    ".txt": "text is not read (export annotations as COCO JSON)",
    ".zip": "it is an archive (unpack it, or import it if it is an export)",
    ".xlsx": "it is a workbook (save it as CSV)",
    ".xls": "it is a workbook (save it as CSV)",
    ".gif": "GIF is not read (save it as PNG)",
}
NEITHER = "it is neither a radiograph nor a mask that can be read"


@dataclass(frozen=True)
class FolderFile:
    """A file and what it is.

    why: the reason to leave it out, if it is something else. uid: the SOP Instance UID of a DICOM radiograph. refers:
    the UIDs of the images that a segmentation was drawn on.
    """

    path: Path
    kind: Kind
    why: str = ""
    uid: str = ""
    refers: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The name without its ending, in Unicode's composed form."""
        return bare(self.path)


def files_below(root: Path) -> Iterator[FolderFile]:
    """The files of a folder and its subfolders, sorted; hidden ones are left aside."""
    for path in sorted(p for p in root.rglob("*") if p.is_file() and not _hidden(p.relative_to(root))):
        yield _recognized(path)


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)


def _recognized(path: Path) -> FolderFile:
    ending = path.suffix.lower()
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError:
        return FolderFile(path, "other", "it cannot be read")
    if head[128:132] == b"DICM" or (_may_be_dicom(ending) and dicom.may_be(head)):
        return _dicom(path)
    if _is_picture(head) or (ending in BMP_ENDINGS and head.startswith(b"BM")):
        return FolderFile(path, "picture")
    if head and (ending in PICTURE_ENDINGS or ending in DICOM_ENDINGS):
        return FolderFile(path, "other", "it is not what its ending says, or is damaged")
    if ending == ".json":
        return FolderFile(path, "json")
    if ending in TABLE_ENDINGS:
        return FolderFile(path, "table")
    return FolderFile(path, "other", ADVICE.get(ending, NEITHER) if head else "it is empty")


def _is_picture(head: bytes) -> bool:
    """Whether a file of any ending is a picture; two letters alone, as BMP has, do not tell."""
    starts = tuple(start for start in PICTURE_STARTS if len(start) > 2)
    return head.startswith(starts) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def _may_be_dicom(ending: str) -> bool:
    return ending in DICOM_ENDINGS or not ending or ending[1:].isdigit()  # named by UIDs, or without ending


def _dicom(path: Path) -> FolderFile:
    if path.stat().st_size > MAX_FILE_BYTES:
        return FolderFile(path, "dicom")  # decoding it gives the reason
    data = path.read_bytes()
    with SILENCE:
        try:
            header = dicom.elements(data, path.name, ["SOPClassUID", "SOPInstanceUID"], limit=4 * MAX_FILE_BYTES)
        except DeepPneumoniaError:
            return FolderFile(path, "dicom")
        except Exception:  # pydicom raises many types on damaged bytes
            return FolderFile(path, "dicom")
    classes = (str(header.get("SOPClassUID") or ""), str(header.file_meta.get("MediaStorageSOPClassUID") or ""))
    if any(uid in SEGMENTATIONS for uid in classes):
        return FolderFile(path, "seg", refers=referenced_images(data, path.name))
    if other := other_object(classes):
        return FolderFile(path, "other", f"it holds {other[0]}")
    return FolderFile(path, "dicom", uid=str(header.get("SOPInstanceUID") or ""))
