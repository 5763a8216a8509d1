"""What the names of categories, labels, segments, files and folders mean: lesions of pneumonia, normal, or else.

A drawing is a mask of lesions only if its name does not say otherwise: a mask of the lungs is none.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from deep_pneumonia.errors import AnnotationError
from deep_pneumonia.names import shown

# The names of categories that mark the lesions of pneumonia. Other names could mean anything in a given project.
LESIONS = {
    "lesion", "lesions", "opacity", "opacities", "lung opacity", "lung opacities", "lung lesion", "lung lesions",
    "airspace opacity", "airspace opacities", "pneumonia", "consolidation", "consolidations", "infiltrate",
    "infiltrates", "infiltration", "infection", "infections", "ground glass opacity", "ground glass opacities",
}  # fmt: skip
NORMALS = {"normal", "no finding", "no findings", "no lesion", "no lesions", "healthy"}
LESION_WORDS = {word for name in LESIONS for word in name.split()} - {"lung", "airspace", "ground", "glass"} | {"ggo"}
# Anatomy, devices and findings that are no pneumonia.
OTHER_WORDS = {
    "lung", "lungs", "lobe", "lobes", "left", "right", "heart", "mediastinum", "clavicle", "clavicles", "rib", "ribs",
    "bone", "bones", "spine", "trachea", "diaphragm", "thorax", "body", "pleura", "airway", "airways", "vessel",
    "vessels", "device", "devices", "tube", "tubes", "catheter", "catheters", "pacemaker", "pacemakers", "effusion",
    "effusions", "pneumothorax", "nodule", "nodules", "mass", "masses", "cardiomegaly", "fracture", "fractures",
    "atelectasis", "hernia", "edema", "emphysema", "fibrosis", "calcification", "calcifications",
}  # fmt: skip
MAX_LISTED = 8  # names in a message


def words(name: str) -> list[str]:
    """The words of a name in lower case: "leftMask" and "Left_mask" are "left" and "mask"."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFC", name))
    return re.sub(r"[\W_]+", " ", spaced).casefold().split()


def is_normal(name: str) -> bool:
    """Whether a name states that the radiograph was read as normal."""
    return " ".join(words(name)) in NORMALS


def is_other(name: str) -> bool:
    """Whether a name tells of something that is no lesion of pneumonia, such as the lungs."""
    found = set(words(name))
    return bool(found & OTHER_WORDS) and not found & LESION_WORDS


def chosen(used: Iterable[str], wanted: Sequence[str], file: str, *, declared: Iterable[str] = ()) -> set[str]:
    """Which of the names that a file uses mark the lesion: the wanted ones, the only lesion's, or the only name.

    used: names of drawings; those that state "normal" are left aside. declared: other names that the file knows.

    Raises:
        AnnotationError: it is unclear which name is the lesion's, or the file knows none of the wanted ones.
    """
    names = sorted({name for name in used if not is_normal(name)})
    if wanted:
        keys = {" ".join(words(name)) for name in wanted}
        known = {*names, *declared}
        if not any(" ".join(words(name)) in keys for name in known):
            raise AnnotationError(
                f"{file} has no category {' or '.join(map(shown, wanted))}; it has {_listed(sorted(known))}."
            )
        return {name for name in names if " ".join(words(name)) in keys}
    lesions = [name for name in names if " ".join(words(name)) in LESIONS]
    if len(lesions) == 1:
        return set(lesions)
    if len(names) <= 1 and not any(is_other(name) for name in names):
        return set(names)
    if len(names) == 1:
        raise AnnotationError(
            f"{file} annotates only {shown(names[0])!r}, which is no lesion of pneumonia; choose it with --category "
            "if it is, or leave the file out."
        )
    raise AnnotationError(
        f"{file} has annotations of {len(names)} categories ({_listed(names)}) and the lesion's is unclear; "
        "choose with --category, or export one category."
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(shown(name) for name in names[:MAX_LISTED]) + (", ..." if len(names) > MAX_LISTED else "")
