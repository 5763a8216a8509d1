"""COCO files of other tools: ids, categories and names are matched as meant, or the file is rejected."""

import unicodedata

import pytest

from deep_pneumonia.errors import AnnotationError, UnknownMaskError
from deep_pneumonia.masks.coco import read_coco
from deep_pneumonia.masks.coco_index import CocoIndex

SIZE = (4, 5)


def image(number: object, file_name: object = "x.png", **keys: object) -> dict:
    return {"id": number, "file_name": file_name, "height": 4, "width": 5, **keys}


def box(number: object, width: int = 2, category: object = 1) -> dict:
    """An annotation of `width` pixels."""
    return {"image_id": number, "category_id": category, "bbox": [0, 0, width, 1], "segmentation": []}


def area(images: list, annotations: list, radiograph: str = "x.png", names: tuple[str, ...] = (), **options) -> int:
    categories = [{"id": i, "name": name} for i, name in enumerate(names, 1)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (found,) = read_coco(document, SIZE, name="/secret/a.json", radiograph=radiograph, **options)
    return int(found.mask.sum())


@pytest.mark.parametrize(("number", "other"), [(1, "1"), ("1", 1), (1, 1.0), (" 1.0", 1), ("x", "x "), (0, "0")])
def test_an_id_as_text_is_the_number(number, other):
    assert area([image(number), image("other", "y.png")], [box(other)]) == 2


def test_images_that_share_an_id_are_rejected_where_annotations_use_it():
    images = [image(13, "x.png"), image(13, "y.png"), image(14, "z.png")]
    for radiograph in ("x.png", "y.png"):
        with pytest.raises(AnnotationError, match=r"^a\.json has 2 images with the id 13, .* its own id"):
            area(images, [box(13), box("14", 3)], radiograph)
    assert area(images, [box(13), box("14", 3)], "z.png") == 3
    with pytest.raises(UnknownMaskError, match="has no annotation for this radiograph"):
        area(images, [box(14)], "x.png")


@pytest.mark.parametrize("number", [2, "x", None, True, [1]])
def test_annotations_that_belong_to_no_image_are_no_empty_mask(number):
    with pytest.raises(AnnotationError, match=r"^a\.json has no annotations of this radiograph, but 1 whose image_id"):
        area([image(1)], [box(number)])
    assert area([image(1)], [box(number), box(1, 3)]) == 3


def test_images_without_an_id():
    assert area([image(None)], [box(None)]) == 2
    with pytest.raises(AnnotationError, match="no annotations of this radiograph"):
        area([image(None)], [box(1)])
    for number in (None, 1):
        with pytest.raises(AnnotationError, match="2 images without an id"):
            area([image(None), image(None, "y.png")], [box(number)])


@pytest.mark.parametrize("lesion", ["opacity", "Lung Opacity", " pneumonia", "Consolidation"])
def test_the_one_category_of_lesions_is_chosen(lesion):
    names = ("image border", lesion, "unused")
    assert area([image(1)], [box(1, 5, 1), box(1, 3, "2")], names=names) == 3
    with pytest.raises(UnknownMaskError, match="no annotation for this radiograph"):
        area([image(1), image(2, "y.png")], [box(1, 5, 1), box(1, 3, 2)], "y.png", names)


@pytest.mark.parametrize("names", [("opacity", "consolidation"), ("heart", "ribs"), ()])
def test_several_categories_without_one_of_lesions_are_rejected_with_their_names(names):
    with pytest.raises(AnnotationError, match=r"^a\.json has annotations of 2 categories \(.*, .*\) and the") as caught:
        area([image(1)], [box(1, 5, 1), box(1, 3, 2)], names=names)
    assert all(name in str(caught.value) for name in names)


def test_an_image_with_other_categories_only_is_no_empty_mask():
    with pytest.raises(UnknownMaskError, match=r"^a\.json has only annotations of other categories"):
        area([image(1), image(2, "y.png")], [box(1), box(2, 1, 2)], "y.png", ("opacity", "heart"))


def test_a_single_category_needs_no_known_name():
    assert area([image(1)], [box(1)], names=("my finding", "heart")) == 2


@pytest.mark.parametrize("name", ["lung", "Left Lung", "heart", "devices", "Nodule"])
def test_a_single_category_that_is_no_lesion_is_rejected_unless_it_is_chosen(name):
    with pytest.raises(AnnotationError, match=r"^a\.json annotates only '.*', which is no lesion of pneumonia"):
        area([image(1)], [box(1)], names=(name,))
    assert area([image(1)], [box(1)], names=(name,), category=[name.upper()]) == 2


def test_categories_are_chosen_by_name():
    names, entries = ("opacity", "consolidation", "Lung"), [box(1, 1, 1), box(1, 2, 2), box(1, 4, 3)]
    with pytest.raises(AnnotationError, match=r"3 categories \(.*opacity.*\) and the lesion's is unclear; choose with"):
        area([image(1)], entries, names=names)
    for category, expected in ((["Opacity"], 1), (["lung"], 4), (["opacity", "CONSOLIDATION"], 2)):
        assert area([image(1)], entries, names=names, category=category) == expected
    with pytest.raises(AnnotationError, match=r"^a\.json has no category rib; it has Lung, consolidation, opacity\."):
        area([image(1)], entries, names=names, category=["rib"])
    with pytest.raises(UnknownMaskError):  # the category is known, but nothing was drawn with it
        area([image(1)], entries[:1], names=names, category=["consolidation"])


@pytest.mark.parametrize("name", ["Normal", "No finding", "no_findings"])
def test_a_category_that_says_normal_gives_an_empty_mask(name):
    whole = {"image_id": 2, "category_id": 2}
    document = {
        "images": [image(1), image(2, "y.png")], "annotations": [box(1), whole],
        "categories": [{"id": 1, "name": "opacity"}, {"id": 2, "name": name}],
    }  # fmt: skip
    (found,) = read_coco(document, SIZE, name="a.json", radiograph="y.png")
    assert (found.kind, found.reader, found.is_empty) == ("normal", "a", True)
    assert read_coco(document, SIZE, name="a.json", radiograph="x.png")[0].mask.sum() == 2
    document["annotations"].append(box(2))
    with pytest.raises(AnnotationError, match="a read the radiograph as normal, yet marks lesion"):
        read_coco(document, SIZE, name="a.json", radiograph="y.png")
    document["annotations"][-1]["reader"] = "B"
    both = read_coco(document, SIZE, name="a.json", radiograph="y.png")
    assert [(a.reader, a.kind) for a in both] == [("B", "box"), ("a", "normal")]
    whole["reader"] = "C"
    both = read_coco(document, SIZE, name="a.json", radiograph="y.png")
    assert [(a.reader, a.kind) for a in both] == [("B", "box"), ("C", "normal")]


DIFFERENT = {
    "Label Studio": image(1, "images/1b6a7a5c-x.png"),
    "Label Studio, encoded": image(1, "/data/upload/1/1b6a7a5c-x%20%C3%BC.png"),
    "local files": image(1, "/data/local-files/?d=set%2Fx.png"),
    "macOS": image(1, unicodedata.normalize("NFD", "x ü.png")),
    "Roboflow": image(1, "x_png.rf.0123456789abcdef.jpg", extra={"name": "x.png"}),
    "Windows": image(1, "set\\x.png"),
}


@pytest.mark.parametrize("form", DIFFERENT)
def test_names_as_other_tools_write_them(form):
    images = [DIFFERENT[form], image(2, "y.png")]
    name = "x ü.png" if form in ("Label Studio, encoded", "macOS") else "x.png"
    for written in (name, unicodedata.normalize("NFD", name)):
        assert area(images, [box(1)], written) == 2


def test_the_closest_name_decides():
    images = [image(1, "1b6a7a5c-x.png"), image(2, "x.png"), image(3, "y.png")]
    annotations = [box(1, 1), box(2, 2), box(3, 3)]
    assert area(images, annotations) == 2
    assert area(images, annotations, "1b6a7a5c-x.png") == 1
    folders = [image(1, "train/x.png"), image(2, "val/x.png")]
    assert area(folders, annotations[:2], "/set/images/val/x.png") == 2
    for same in (folders, [image(1, "1b6a7a5c-x.png"), image(2, "2b6a7a5c-x.png")]):
        with pytest.raises(AnnotationError, match=r"^a\.json has 2 images named x\.png"):
            area(same, annotations[:2])


@pytest.mark.parametrize("radiograph", ["val/x.png", "images/val/x.png", "/a/set/images/val/x.png"])
@pytest.mark.parametrize("form", ["val/x.png", "/val/x.png", "./val/x.png", "val\\x.png"])
def test_as_many_folders_as_are_in_common_decide(radiograph, form):
    images = [image(1, "train/x.png"), image(2, form), image(3, "x.png.jpg")]
    assert area(images, [box(1, 1), box(2, 2), box(3, 3)], radiograph) == 2


def test_the_name_decides_before_the_name_without_its_ending():
    images = [image(1, "a/x.png"), image(2, "b/x.jpg"), image(3, "Xx.png")]
    assert area(images, [box(1, 1), box(2, 2), box(3, 3)], "x.png") == 1
    assert area(images, [box(1, 1), box(2, 2), box(3, 3)], "Xx.tif") == 3
    with pytest.raises(AnnotationError, match=r"2 images named x\.tif"):
        area(images, [box(1, 1), box(2, 2)], "x.tif")


def test_one_hash_of_label_studio_is_left_out():
    images = [image(1, "1b6a7a5c-2b6a7a5c-x.png"), image(2, "y.png")]
    assert area(images, [box(1)], "2b6a7a5c-x.png") == 2
    with pytest.raises(AnnotationError, match=r"2 images, none of them named x\.png"):
        area(images, [box(1)], "x.png")
    images[0]["file_name"] = "ab1b6a7a5c-x.png"  # a hash that is not at the start belongs to the name
    with pytest.raises(AnnotationError, match=r"2 images, none of them named abx\.png"):
        area(images, [box(1)], "abx.png")


def test_which_images_are_annotated():
    index = CocoIndex({"images": [image(1), image("2")], "annotations": [box(2)]}, "a.json")
    assert [index.is_annotated(found) for found in index.images] == [False, True]


def test_annotations_without_a_category_are_named():
    with pytest.raises(AnnotationError, match=r"of 2 categories \(category 7, no category\)"):
        area([image(1)], [box(1, category=None), box(1, category=7)])


@pytest.mark.parametrize("key", ["images", "annotations"])
def test_a_damaged_list_is_named(key):
    document = {"images": [image(1)], "annotations": [], key: 7}
    with pytest.raises(AnnotationError, match=rf"^a\.json .*{key}"):
        CocoIndex(document, "a.json")


def test_categories_that_share_an_id_are_rejected_where_annotations_use_it():
    document = {
        "images": [image(1)], "annotations": [box(1)],
        "categories": [{"id": 1, "name": "opacity"}, {"id": "1", "name": "heart"}],
    }  # fmt: skip
    with pytest.raises(AnnotationError, match=r"^a\.json has several categories with one id \(opacity or heart\)"):
        read_coco(document, SIZE, name="a.json")
    assert read_coco(document, SIZE, name="a.json", category=["opacity or heart"])[0].mask.sum() == 2
    document["categories"][1]["name"] = "opacity"
    assert read_coco(document, SIZE, name="a.json")[0].mask.sum() == 2
