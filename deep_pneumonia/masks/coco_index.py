"""Which image of a COCO file is a radiograph, which annotations belong to it, and which of these mark lesions.

Exports differ in how they name images and number them. Every rule here finds the one right answer or raises an error:
an annotation that cannot be matched must not turn into an empty mask.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.masks.lesion_names import chosen, is_normal
from deep_pneumonia.masks.untrusted import items
from deep_pneumonia.names import base, shown, stem

Entry = dict[str, Any]
Grade = tuple[int, int]  # how well a name matches; the smallest is the best

WHOLE_NUMBER = re.compile(r"(-?\d{1,30})(\.0*)?")
LABEL_STUDIO_HASH = re.compile(r"[0-9a-f]{8}-(?=.)")


class CocoIndex:
    """The images, annotations and categories of a COCO file, indexed once for all radiographs.

    has_annotations: whether the file annotates any image. lost: how many annotations belong to no image.

    name: the file's name, which errors quote. wanted: the categories of the lesion; if none is given, the rule of
    `lesion_names.chosen` finds it.

    Raises:
        AnnotationError: the images or annotations are not lists of objects.
    """

    def __init__(self, document: Entry, name: str, wanted: Sequence[str] = ()) -> None:
        self.name, self._wanted = shown(name), wanted
        self.images = items(document.get("images"), "images", self.name)
        self._ids = Counter(_identity(image.get("id")) for image in self.images)
        self._entries: dict[str | None, list[Entry]] = defaultdict(list)
        for entry in items(document.get("annotations"), "annotations", self.name):
            self._entries[_identity(entry.get("image_id"))].append(entry)
        self._names: dict[tuple[Grade, str], list[Entry]] = defaultdict(list)
        for image in self.images:
            for key in _names(image):
                self._names[key].append(image)
        self._categories, self._doubled = _categories(document.get("categories"))
        self._declared = set(self._categories.values())
        self.lost = sum(len(entries) for key, entries in self._entries.items() if key not in self._ids)
        self._used = sorted({self._category(entry) for entries in self._entries.values() for entry in entries})
        self.has_annotations = bool(self._used)

    def find(self, radiograph: str, here: str = "") -> tuple[Entry, Grade] | None:
        """The image that is named like a radiograph, and how well the names match; None if there is none.

        The best match decides: the path from the file's folder, then the most folders in common, then the name, then
        the name without its ending. After the name as it stands, each is tried with URL-encoding resolved, with
        Roboflow's original name, and without the hash that Label Studio prepends.

        radiograph: its path or name.
        here: its path from the folder of the COCO file, if known.

        Raises:
            AnnotationError: several images match equally well.
        """
        path = _plain(radiograph)
        parts = [part for part in path.split("/") if part]
        tails = ["/".join(parts[-length:]) for length in range(len(parts), 1, -1)]
        wanted = [(0, name) for name in (_plain(here), *tails) if name] + [(1, base(path)), (2, stem(path))]
        for tier in range(4):
            for level, name in wanted:
                found = self._names.get(((tier, level), name), []) if name else []
                if len(found) == 1:
                    return found[0], (tier, level)
                if found:
                    raise AnnotationError(
                        f"{self.name} has {len(found)} images named {shown(radiograph)}; name the radiograph as the "
                        "file does, or export its annotations alone."
                    )
        return None

    def entries(self, image: Entry) -> list[Entry]:
        """The annotations of an image, in file order.

        Raises:
            AnnotationError: annotations cannot be matched with this image or another.
        """
        key = _identity(image.get("id"))
        found = self._entries.get(key, [])
        if self._ids[key] > 1 and (found or (key is None and self.has_annotations)):
            raise AnnotationError(
                f"{self.name} has {self._ids[key]} images {'without an id' if key is None else f'with the id {key}'}, "
                "so it is unclear whose annotations are whose; give each image its own id."
            )
        if not found and self.lost:
            raise AnnotationError(
                f"{self.name} has no annotations of this radiograph, but {self.lost} whose image_id is the id of no "
                "image; correct the ids."
            )
        return found

    def is_annotated(self, image: Entry) -> bool:
        """Whether any annotation has the id of this image."""
        return bool(self._entries.get(_identity(image.get("id"))))

    def lesions(self, image: Entry) -> list[Entry]:
        """The annotations of an image that mark lesions.

        Raises:
            AnnotationError: annotations cannot be matched with this image or another, or it is unclear which of
                several categories is the lesion.
        """
        names = self.lesion_categories() if (found := self.entries(image)) else set()
        return [entry for entry in found if self._category(entry) in names]

    def normals(self, image: Entry) -> list[Entry]:
        """The annotations of an image that state, by their category, that it was read as normal."""
        return [entry for entry in self.entries(image) if is_normal(self._category(entry))]

    def lesion_categories(self) -> set[str]:
        """The categories that mark lesions.

        Raises:
            AnnotationError: it is unclear which of several categories is the lesion, or none is.
        """
        if not self._wanted and (unclear := sorted(self._doubled & set(self._used))):
            raise AnnotationError(
                f"{self.name} has several categories with one id ({shown(unclear[0])}); give each its own id, or "
                "choose with --category."
            )
        return chosen(self._used, self._wanted, self.name, declared=self._declared)

    def _category(self, entry: Entry) -> str:
        key = _identity(entry.get("category_id"))
        return self._categories.get(key, "no category" if key is None else f"category {key[:20]}")


def _identity(value: object) -> str | None:
    """An id as text, so that 1, 1.0 and "1" are the same; None if there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = unicodedata.normalize("NFC", str(value).strip())
    number = WHOLE_NUMBER.fullmatch(text)
    return str(int(number[1])) if number else text or None


def _plain(name: str) -> str:
    """A path in Unicode's composed form, which macOS does not use, with slashes and without a leading "./"."""
    return unicodedata.normalize("NFC", name.replace("\\", "/")).removeprefix("./").lstrip("/")


def _names(image: Entry) -> Iterator[tuple[Grade, str]]:
    """Every name under which an image can be found, each once."""
    given, extra = image.get("file_name"), image.get("extra")
    original = extra.get("name") if isinstance(extra, dict) else None
    name = _plain(given) if isinstance(given, str) else ""
    decoded = _plain(unquote(name.rpartition("?d=")[2]))  # Label Studio's local files are ?d=FOLDER%2FNAME
    hashless = LABEL_STUDIO_HASH.sub("", base(decoded), count=1) if LABEL_STUDIO_HASH.match(base(decoded)) else ""
    for tier, text in enumerate((name, decoded, _plain(original) if isinstance(original, str) else "", hashless)):
        for level, key in enumerate((text, base(text), stem(text))):
            if key:
                yield (tier, level), key


def _categories(given: object) -> tuple[dict[str | None, str], set[str]]:
    """The names of categories by their ids, and which of them join several; a damaged list names none."""
    listed = (
        [c for c in given if isinstance(c, dict) and isinstance(c.get("name"), str)] if isinstance(given, list) else []
    )
    names: dict[str | None, list[str]] = {}
    for category in listed:
        found, name = names.setdefault(_identity(category.get("id")), []), category["name"].strip()
        if name not in found:
            found.append(name)
    joined = {key: " or ".join(found) for key, found in names.items()}
    return joined, {joined[key] for key, found in names.items() if len(found) > 1}
