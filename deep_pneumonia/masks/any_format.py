"""Doctors' annotations in any supported format, which is detected by content and never by name.

Pictures (`label_picture`), COCO JSON (`coco`), LabelMe JSON (`labelme`), DICOM SEG (`dicom_seg`) and RSNA's CSV
(`rsna_csv`).
"""

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.files import read_bytes
from deep_pneumonia.limits import MAX_FILE_BYTES, MAX_FILE_READERS, MAX_PIXELS
from deep_pneumonia.masks.annotation import Annotation, Size, read_mask
from deep_pneumonia.masks.coco import is_coco, read_coco
from deep_pneumonia.masks.dicom_seg import is_seg, read_seg
from deep_pneumonia.masks.label_picture import lesion_pixels
from deep_pneumonia.masks.labelme import is_labelme, read_labelme
from deep_pneumonia.masks.mask_picture import FORMATS, is_picture, open_picture
from deep_pneumonia.masks.rsna_csv import read_rsna
from deep_pneumonia.masks.table import SEPARATORS, decoded
from deep_pneumonia.masks.untrusted import parse_json
from deep_pneumonia.names import reader_name, shown, stem
from deep_pneumonia.radiographs import dicom
from deep_pneumonia.radiographs.picture_bounds import PNG_START, check_picture
from deep_pneumonia.radiographs.silence import SILENCE

HEAD_BYTES = 4096  # enough to distinguish JSON, CSV and DICOM from a radiograph
PNG_HEAD_BYTES = 2**16  # the first rows of a PNG, which may show more than two colours
BOM = b"\xef\xbb\xbf"
JPEG_REDUCTION = 8  # a JPEG stores the mean of each square of 8 x 8 pixels
MAX_DARK = 48  # of 255
MAX_EDGE_SHARE = 0.5  # of the squares of a small mask that its edge crosses


def read_annotations(
    file: str | Path | bytes,
    size: Size,
    *,
    name: str,
    radiograph: str = "",
    category: Sequence[str] = (),
    readers: int = MAX_FILE_READERS,
) -> list[Annotation]:
    """Read the masks of one radiograph of `size` (H, W), one for each reader, from a file or its bytes.

    name: the file's name as the user knows it. Errors quote it, and its stem names the reader if the file does not.
    radiograph: the radiograph's file name, which selects its annotations in a file with several radiographs.
    category: the names of the lesion's categories in COCO and LabelMe files, if the names themselves do not tell.
    readers: how many masks the file may hold of the radiograph; they are counted before any is built.

    Raises:
        UnknownMaskError: the file does not say whether anybody looked at the radiograph.
        MaskSizeError: the annotations are for an image of another size.
        AnnotationError: the file holds more masks, is unreadable, empty, over 64 MiB, damaged, in an unknown format, or
            without annotations of this radiograph.
    """
    called = shown(name)
    data = read_bytes(file, called, error=AnnotationError)
    if is_picture(data):
        with SILENCE:
            return [read_mask(data, size, reader=reader_name(None, stem(name)), name=called)]
    if data[128:132] == b"DICM" or dicom.may_be(data):
        return read_seg(data, size, name=name, readers=readers)
    if not _like_json(data[:HEAD_BYTES]):
        return read_rsna(data, size, name=name, radiograph=radiograph)
    document = parse_json(data, called)
    if is_coco(document):
        return read_coco(document, size, name=name, radiograph=radiograph, category=category, readers=readers)
    if is_labelme(document):
        return read_labelme(document, size, name=name, category=category)
    raise AnnotationError(
        f"{called} is JSON but neither COCO (images, annotations) nor LabelMe (shapes); export it as one of these."
    )


def looks_like_annotation(file: str | Path | bytes) -> bool:
    """Whether a file is an annotation rather than a radiograph; False for other and for unreadable files.

    Annotations are JSON, CSV, DICOM segmentations, pictures of at most two colours, one of them black or transparent,
    and JPEG files that follow the rule of `label_picture`. Only `read_annotations` checks whether the file can be read
    in full.
    """
    with SILENCE:
        try:
            if isinstance(file, bytes):
                return _looks(io.BytesIO(file))
            with Path(file).open("rb") as stream:
                return _looks(stream)
        except Exception:  # decoders raise many types on damaged bytes
            return False


def _looks(stream: BinaryIO) -> bool:
    head = stream.read(HEAD_BYTES)
    if is_picture(head):
        start = head + stream.read(PNG_HEAD_BYTES - HEAD_BYTES)
        if head.startswith(PNG_START) and _many_values(start):
            return False
        data = start + stream.read(MAX_FILE_BYTES)
        check_picture(data, "")
        image = Image.open(whole := io.BytesIO(data), formats=FORMATS)
        return _is_jpeg_mask(image, whole) if image.format in ("JPEG", "MPO") else _is_mask(image)
    return is_seg(head) or _like_json(head) or _like_csv(head)


def _is_jpeg_mask(image: Image.Image, stream: BinaryIO) -> bool:
    """Whether a JPEG is a mask. A copy at an eighth of its size, which costs little, shows most radiographs to be none.

    In such a copy only the squares that an edge crosses are neither dark nor bright.
    """
    if image.width * image.height > MAX_PIXELS:
        return False
    image.draft("L", (image.width // JPEG_REDUCTION, image.height // JPEG_REDUCTION))
    grey = np.asarray(image.convert("L"))
    if np.mean((grey > MAX_DARK) & (grey < 255 - MAX_DARK)) > MAX_EDGE_SHARE:
        return False
    stream.seek(0)
    try:
        lesion_pixels(open_picture(stream.read(MAX_FILE_BYTES), "The mask"), "The mask")
    except AnnotationError:
        return False
    return True


def _many_values(png: bytes) -> bool:
    """Whether the first rows show more than two colours, so that a radiograph need not be decoded in full.

    The bytes of a row are differences between neighbours (PNG specification, 9.2). Two colours give at most 13
    differences in each byte of at most four channels, and five more values name the filter: 57 with 8 bits a channel.
    """
    bits, at, packed = png[24], 8, b""
    while at + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        if kind == b"IDAT":
            packed += png[at + 8 : at + 8 + length]
        at += length + 12
    rows = zlib.decompressobj().decompress(packed, PNG_HEAD_BYTES)
    return bits >= 8 and len(set(rows)) > 13 * 4 * bits // 8 + 5


def _is_mask(image: Image.Image) -> bool:
    if image.width * image.height > MAX_PIXELS:
        return False
    if image.mode == "P":
        image = image.convert("RGBA")
    elif image.mode.startswith("I"):
        image = image.convert("I")
    colours = image.getcolors(2)  # None if there are more
    if colours is None:
        return False
    return len(colours) == 1 or any(_is_background(colour, image.mode) for _, colour in colours)


def _is_background(colour: float | tuple[int, ...], mode: str) -> bool:
    """Whether a pixel is black or transparent."""
    if not isinstance(colour, tuple):
        return colour == 0
    ink = colour[:-1] if mode in ("LA", "RGBA") else colour
    return not any(ink) or (ink != colour and colour[-1] == 0)


def _like_json(head: bytes) -> bool:
    return head.removeprefix(BOM).lstrip()[:1] in (b"{", b"[")


def _like_csv(head: bytes) -> bool:
    """Whether the first line is printable text with a separator of tables."""
    line = decoded(head).splitlines()[0]
    return line.replace("\t", "").isprintable() and "\ufffd" not in line and any(s in line for s in SEPARATORS)
