"""Masks of a folder are found by their names, folders and references, or listed with the reason why not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.uid import UID

from deep_pneumonia.masks.annotation import Annotation, write_mask
from deep_pneumonia.masks.dicom_seg_write import to_seg
from deep_pneumonia.masks.mask_names import folder_role, mask_names
from deep_pneumonia.worklist.collect import cases_from
from deep_pneumonia.worklist.listing import Listing
from tests.dicom_objects import data_set, written
from tests.phantom import draw, save_png

SIZE = (40, 60)
ROWS, COLUMNS = np.mgrid[: SIZE[0], : SIZE[1]]
LESION = (ROWS - 20) ** 2 + (COLUMNS - 30) ** 2 < 12**2


def chest(path: Path, kind: str = "PNG") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((draw(1, SIZE)[0] * 255).astype(np.uint8)).save(path, kind)


def lesion(path: Path, kind: str = "PNG") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(LESION * np.uint8(255)).save(path, kind)


def collected(root: Path) -> tuple[dict[str, list[int]], str]:
    """The pixels of each radiograph's masks, and the list of what was found."""
    listing, masks = Listing(), {}
    for case in cases_from(root, listing=listing):
        sizes = [int(a.mask.sum()) for a in case.annotations(SIZE)]
        masks[case.image.relative_to(root).as_posix()] = sizes
    return masks, "\n".join(listing.lines())


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("a.png", "a-mask.png"), ("a.png", "a_MASK.tif"), ("a.png", "mask_a.jpg"), ("a.jpg", "a.mask.png"),
        ("a.png", "A_Mask_Ana.png"), ("a.png", "a_gt.png"), ("a.png", "a_infection_mask.png"),
        ("Images/a.png", "Ground-truths/mask_a.png"), ("Train/images/a.png", "Train/infection masks/a.png"),
        ("images/val/a.png", "annotations/val/a.png"), ("ward/a.png", "masks/ward/a.tif"),
        ("ward/a.png", "masks/a.jpg"), ("images/old/ward/a.png", "labels/ward/a.png"),
        ("JPEGImages/a.jpg", "SegmentationClass/a.png"), ("a.jfif", "masks/a.bmp"), ("u\u0308.png", "masks/\u00fc.png"),
    ],
)  # fmt: skip
def test_a_mask_is_found_by_its_name_and_folder(tmp_path: Path, image: str, mask: str) -> None:
    kinds = {".jpg": "JPEG", ".jfif": "JPEG", ".tif": "TIFF", ".bmp": "BMP"}
    chest(tmp_path / image, kinds.get(Path(image).suffix, "PNG"))
    lesion(tmp_path / mask, kinds.get(Path(mask).suffix, "PNG"))
    (found,), said = collected(tmp_path)
    masks = collected(tmp_path)[0][found]
    assert found == image
    assert len(masks) == 1
    assert abs(masks[0] - LESION.sum()) < 20
    assert said == f"1 radiograph with masks: {image} ({mask.removeprefix(image.rpartition('/')[0] + '/')})"


@pytest.mark.parametrize(
    "mask",
    ["lung masks/a.png", "lungmask/a.png", "ManualMask/leftMask/a.png", "a_lung_mask.png", "a-mask-heart.png",
     "lung_mask_a.png", "masks/a_lungs_mask.png", "lungs.png"],
)  # fmt: skip
def test_a_mask_of_the_lungs_is_no_mask_of_lesions(tmp_path: Path, mask: str) -> None:
    chest(tmp_path / "a.png")
    lesion(tmp_path / mask)
    masks, said = collected(tmp_path)
    assert masks == {"a.png": []}
    assert f"Left out because it marks lungs or something else by its name, not lesions of pneumonia: {mask}" in said


def test_masks_that_fit_no_radiograph_or_several_are_listed(tmp_path: Path) -> None:
    for image in ("x/a.png", "x/b.png", "y/b.png"):
        chest(tmp_path / image)
    for mask in ("masks/b.png", "masks/none.png", "z/masks/a.png", "x/stray.png"):
        lesion(tmp_path / mask)
    masks, said = collected(tmp_path)
    assert masks == {"x/a.png": [], "x/b.png": [], "y/b.png": []}
    assert "Left out because it is a mask, but several radiographs have its name: masks/b.png\n" in said
    unnamed = "masks/none.png, z/masks/a.png, x/stray.png"
    assert f"Left out because it is a mask, but no radiograph has its name: {unnamed}" in said


def test_masks_that_cannot_be_read_leave_their_radiograph_unknown(tmp_path: Path) -> None:
    for name in "abcd":
        chest(tmp_path / f"{name}.png")
    (tmp_path / "a-mask.png").write_bytes(b"no mask")
    write_mask(LESION[:-1], tmp_path / "b-mask.png")
    write_mask(LESION & False, tmp_path / "c-mask.png")
    chest(tmp_path / "masks" / "d.png")
    masks, said = collected(tmp_path)
    assert masks == {"a.png": [], "b.png": [], "c.png": [], "d.png": []}
    for line in (
        "4 radiographs without a mask, so unknown: a.png, b.png, c.png, d.png",
        "Left out because it is an empty mask, which does not say whether anybody looked: c-mask.png",
        "Left out because it is not what its ending says, or is damaged: a-mask.png",
        "Left out: The mask b-mask.png has 39 x 60 pixels",
        "Left out: masks/d.png: The mask d.png has grey levels",
    ):
        assert line in said


def dicom(path: Path, uid: str, **elements: object) -> bytes:
    grey = np.rint(draw(1, SIZE)[0] * 4095).astype(np.uint16)
    header = data_set(grey, SOPInstanceUID=UID(uid), StudyInstanceUID="1.5", SeriesInstanceUID="1.6", **elements)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written(header))
    return path.read_bytes()


def test_a_segmentation_is_matched_by_the_image_it_refers_to(tmp_path: Path) -> None:
    pixels = draw(1, SIZE)[0].astype(np.float32)
    first = dicom(tmp_path / "IM0001", "1.2.31")
    dicom(tmp_path / "IM0002", "1.2.32")
    seg = to_seg([Annotation(LESION, "Ana", "pixel")], first, pixels).segmentation
    (tmp_path / "SEG1.dcm").write_bytes(seg)
    masks, said = collected(tmp_path)
    assert masks == {"IM0001": [LESION.sum()], "IM0002": []}
    assert "1 radiograph with masks: IM0001 (SEG1.dcm)" in said
    (tmp_path / "IM0001").unlink()
    masks, said = collected(tmp_path)
    assert masks == {"IM0002": []}
    assert "Left out because it is a segmentation of an image that is not here: SEG1.dcm" in said


def test_a_segmentation_without_a_reference_is_matched_by_its_name_or_beside_one_radiograph(tmp_path: Path) -> None:
    pixels = draw(1, SIZE)[0].astype(np.float32)
    seg = to_seg([Annotation(LESION, "Ana", "pixel")], None, pixels).segmentation
    for name, mask in (("one/a.png", "one/any.dcm"), ("two/a.png", "two/a-mask.dcm"), ("two/b.png", "two/any.dcm")):
        chest(tmp_path / name)
        (tmp_path / mask).write_bytes(seg)
    masks, said = collected(tmp_path)
    assert masks == {"one/a.png": [LESION.sum()], "two/a.png": [LESION.sum()], "two/b.png": []}
    assert said.endswith("image that is not here: two/any.dcm")


def test_other_dicom_objects_and_files_are_named(tmp_path: Path) -> None:
    dicom(tmp_path / "a.dicom", "1.2.3")
    dicom(tmp_path / "report", "1.2.4", SOPClassUID=UID("1.2.840.10008.5.1.4.1.1.88.33"))
    (tmp_path / "README.TXT").write_text("x")
    (tmp_path / "mask.nii").write_text("x")
    (tmp_path / "empty.bin").write_bytes(b"")
    masks, said = collected(tmp_path)
    assert masks == {"a.dicom": []}
    assert dcmread(tmp_path / "report").SOPClassUID.name.endswith("SR Storage")
    for line in (
        "it holds a structured report: report", "text is not read (export annotations as COCO JSON): README.TXT",
        "NIfTI is not read (save masks as PNG or DICOM SEG): mask.nii", "it is empty: empty.bin",
    ):  # fmt: skip
        assert f"Left out because {line}" in said


@pytest.mark.parametrize(
    ("name", "role"),
    [("Masks", "mask"), ("ground truth", "mask"), ("lung opacity masks", "mask"), ("rightMask", "other"),
     ("Lung Segmentation Data", ""), ("cxr", "image"), ("mask_images", "mask"), ("COVID-19", "")],
)  # fmt: skip
def test_roles_of_folders(name: str, role: str) -> None:
    assert folder_role(name) == role


def test_every_way_to_read_a_name_is_tried() -> None:
    assert [(n.of, n.reader, n.other) for n in mask_names("p1_lung_mask_Dr B")] == [
        ("p1_lung", "Dr B", False), ("p1", "Dr B", True),
    ]  # fmt: skip
    assert list(mask_names("chest")) == []


def test_a_picture_beside_its_namesake_is_a_radiograph_unless_its_name_is_clear_or_it_looks_like_a_mask(
    tmp_path: Path,
) -> None:
    for name in ("a.png", "a_label.png"):
        save_png(draw(1, SIZE)[0], tmp_path / name)
    assert set(collected(tmp_path)[0]) == {"a.png", "a_label.png"}
    lesion(tmp_path / "a_label.png")
    assert collected(tmp_path)[0] == {"a.png": [LESION.sum()]}
