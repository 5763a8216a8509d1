"""A COCO document with one small image, as tests of its annotations need it."""

from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.masks.coco import read_coco

SIZE = (4, 5)
SQUARE = [1.0, 1.0, 3.0, 1.0, 3.0, 3.0, 1.0, 3.0]
NAME = "dr_a.json"


def document(*annotations: dict, **image: object) -> dict:
    images = [{"id": 7, "file_name": "x.png", "height": 4, "width": 5, **image}]
    return {"images": images, "annotations": [{"image_id": 7, **a} for a in annotations], "categories": []}


def read(*annotations: dict, **image: object) -> list[Annotation]:
    return read_coco(document(*annotations, **image), SIZE, name=NAME)
