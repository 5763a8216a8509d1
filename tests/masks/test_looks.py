"""Whether a file looks like a mask: PNG and JPEG at the bounds of the rule, by their first bytes where possible."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from deep_pneumonia.errors import AnnotationError, UnknownMaskError
from deep_pneumonia.masks import any_format
from deep_pneumonia.masks.annotation import Annotation, to_png
from deep_pneumonia.masks.any_format import looks_like_annotation, read_annotations
from deep_pneumonia.masks.coco import to_coco
from deep_pneumonia.masks.dicom_seg_write import to_seg
from tests.pictures import encode, rgba

MASK = np.arange(35).reshape(5, 7) % 3 == 0


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(values: int, *, bits: int = 8, parts: int = 1) -> bytes:
    """The start of a grey PNG whose rows have `values` different bytes, the filter's 0 among them."""
    rows = zlib.compress(bytes(range(values)))
    step = -(-len(rows) // parts)
    pixels = [chunk(b"IDAT", rows[at : at + step]) for at in range(0, len(rows), step)]
    header = struct.pack(">IIBBBBB", values - 1, 1, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join([chunk(b"IHDR", header), chunk(b"tEXt", b"IDAT\0x"), *pixels])


@pytest.mark.parametrize(("bits", "allowed"), [(8, 57), (16, 109)])
@pytest.mark.parametrize("parts", [1, 4])
def test_many_values_in_the_first_rows_are_a_radiograph(bits: int, allowed: int, parts: int) -> None:
    assert not any_format._many_values(png(allowed, bits=bits, parts=parts))
    assert any_format._many_values(png(allowed + 1, bits=bits, parts=parts))
    assert any_format._many_values(png(allowed + 1, bits=bits) + b"\0" * 3)
    assert not any_format._many_values(png(200, bits=4))


def test_such_a_radiograph_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the picture was opened")

    monkeypatch.setattr(Image, "open", never)
    assert not looks_like_annotation(png(200))


def two(one: tuple[int, ...], other: tuple[int, ...], mode: str) -> bytes:
    image = Image.new(mode, (7, 5), one)
    image.paste(other, (0, 0, 3, 3))
    return encode(image)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (two((0, 0), (255, 255), "LA"), True), (two((9, 0), (9, 255), "LA"), True),
        (two((0, 255), (200, 255), "LA"), True), (two((9, 255), (200, 255), "LA"), False),
        (two((9, 8, 7, 0), (9, 8, 7, 255), "RGBA"), True), (two((9, 8, 7, 90), (9, 8, 7, 255), "RGBA"), False),
        (two((0, 0, 0, 255), (9, 8, 7, 255), "RGBA"), True),
        (two((0, 8, 7, 255), (9, 8, 7, 255), "RGBA"), False), (two((0, 0, 9), (9, 8, 0), "RGB"), False),
        (two((0, 0, 0), (0, 8, 0), "RGB"), True),
        (encode(rgba((255, 0, 0), MASK * 120)), True),
    ],
)  # fmt: skip
def test_one_of_two_colours_is_black_or_transparent(data: bytes, expected: bool) -> None:
    assert looks_like_annotation(data) is expected


def palette(*colours: tuple[int, int, int]) -> bytes:
    image = Image.fromarray((np.arange(12).reshape(3, 4) % len(colours)).astype(np.uint8))
    image.putpalette([value for colour in colours for value in colour])
    return encode(image)


def test_a_palette_is_known_by_its_colours_and_not_its_numbers() -> None:
    assert looks_like_annotation(palette((0, 0, 0), (200, 0, 0)))
    assert looks_like_annotation(palette((200, 0, 0), (0, 0, 0)))
    assert not looks_like_annotation(palette((9, 9, 9), (200, 0, 0)))
    assert not looks_like_annotation(palette((0, 0, 0), (200, 0, 0), (0, 200, 0)))


def test_a_jpeg_looks_like_a_mask_only_if_it_is_one() -> None:
    rows, columns = np.mgrid[:64, :96]
    disc = (rows - 32) ** 2 + (columns - 40) ** 2 < 20**2
    assert looks_like_annotation(encode(disc * np.uint8(255), "JPEG"))
    assert looks_like_annotation(encode(~disc * np.uint8(255), "JPEG"))
    spot = disc * np.uint8(255)
    spot[4:12, 80:88] = 128  # too few to be seen in the small copy
    assert not looks_like_annotation(encode(spot, "JPEG"))
    assert not looks_like_annotation(encode(np.full((64, 96), 120, np.uint8), "JPEG"))
    many = {"save_all": True, "append_images": [Image.fromarray(spot[::4, ::4])]}
    assert looks_like_annotation(encode(disc * np.uint8(255), "MPO", quality=90, **many))


@pytest.mark.parametrize(("limit", "expected"), [(64 * 96, True), (64 * 96 - 1, False)])
@pytest.mark.parametrize("source", ["JPEG", "PNG"])
def test_pictures_are_bounded(limit: int, expected: bool, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(np.zeros((64, 96), np.uint8), source)
    monkeypatch.setattr(any_format, "MAX_PIXELS", limit)
    assert looks_like_annotation(data) is expected


def test_formats_that_no_mask_is_read_from_do_not_look_like_one() -> None:
    assert not looks_like_annotation(encode(MASK * np.uint8(255), "GIF"))
    assert not looks_like_annotation(encode(MASK * np.uint8(255), "WEBP"))
    assert looks_like_annotation(b" \n[")
    assert looks_like_annotation(b"\xef\xbb\xbf{")
    assert looks_like_annotation("ä,b\n".encode())
    assert not looks_like_annotation(b"\xe4,b\n")  # damaged text


def test_the_options_reach_the_format() -> None:
    masks = [Annotation(MASK, "A", "pixel"), Annotation(~MASK, "B", "pixel")]
    seg = to_seg(masks, None, np.zeros(MASK.shape, np.float32)).segmentation
    for data in (seg, to_coco(masks, "x.png")):
        assert len(read_annotations(data, MASK.shape, name="m", readers=2)) == 2
        with pytest.raises(AnnotationError, match="has 2 masks of one radiograph, expected at most 1"):
            read_annotations(data, MASK.shape, name="m", readers=1)
    table = b"patientId,x,y,width,height,Target\nx,0,0,1,1,1\ny,0,0,2,1,1\n"
    assert read_annotations(table, MASK.shape, name="m.csv", radiograph="y.png")[0].mask.sum() == 2
    images = [{"id": n, "file_name": f"{n}.png"} for n in (1, 2)]
    boxes = [{"image_id": n, "category_id": n, "bbox": [0, 0, n, 1]} for n in (1, 2)]
    names = [{"id": 1, "name": "left"}, {"id": 2, "name": "right"}]
    coco = str({"images": images, "annotations": boxes, "categories": names}).replace("'", '"').encode()
    chosen = {"radiograph": "2.png", "category": ["right"]}
    assert read_annotations(coco, MASK.shape, name="m.json", **chosen)[0].mask.sum() == 2
    with pytest.raises(UnknownMaskError):
        read_annotations(coco, MASK.shape, name="m.json", radiograph="1.png", category=["right"])
    shape = {"label": "left", "shape_type": "rectangle", "points": [[0, 0], [2, 1]]}
    labelme = str({"shapes": [shape]}).replace("'", '"').encode()
    assert read_annotations(labelme, MASK.shape, name="m.json", category=["left"])[0].mask.sum() == 2


def test_only_the_head_is_read_where_it_suffices() -> None:
    class Counting(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert size >= 0
            return super().read(size)

    assert not any_format._looks(Counting(b"\0" * 10_000))
    assert any_format._looks(Counting(to_png(MASK)))
    assert any_format._looks(Counting(encode(np.zeros((9, 9), np.uint8), "JPEG")))
