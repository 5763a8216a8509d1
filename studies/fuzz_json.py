"""JSON documents for `studies.fuzz`: right ones from a grammar of each format, changed at any place, oddly written."""

from __future__ import annotations

import base64
import copy
import json
from random import Random
from typing import Any

import numpy as np

from studies.fuzz_bytes import NUMBERS, TEXTS, cut, havoc
from studies.fuzz_pictures import picture, saved

SIZE = (24, 32)  # (H, W) of the radiograph that all documents are about
RADIOGRAPH = "chest.png"
DIGESTS = ("0" * 64, "ab" * 32)
TOKEN = "0123456789abcdef" * 2
ODD_NUMBERS = (*NUMBERS, -1, 0.5, -0.5, 1e-9, 1e30, 1e308, float("nan"), float("inf"), -0.0, 10**400, 2**63, -(2**63))


def odd(random: Random) -> Any:
    """A value that a place does not expect."""
    text = random.choice((*TEXTS, "\ud800", "e" * 5000))
    number = random.choice(ODD_NUMBERS)
    return random.choice((None, True, False, number, number, text, text, [], {}, [number], {"a": text}, [[text]] * 3))


def changed(random: Random, document: Any, changes: int = 3) -> Any:
    """A copy of the document with no to `changes` places changed, removed, doubled or moved."""
    document = copy.deepcopy(document)
    for _ in range(random.randint(0, changes)):
        places = list(_places(document))
        if not places:
            return odd(random)
        parent, key = random.choice(places)
        match random.randrange(6):
            case 0:
                del parent[key]
            case 1 if isinstance(parent, list):
                parent.insert(key, copy.deepcopy(parent[key]))
            case 2 if isinstance(parent, dict):
                parent[random.choice((str(key).upper(), str(key) + " ", "x"))] = parent.pop(key)
            case 3:
                other, at = random.choice(places)
                parent[key] = copy.deepcopy(other[at])
            case 4 if isinstance(parent[key], int | float):
                parent[key] = random.choice((str(parent[key]), float(parent[key]), -parent[key], parent[key] + 1))
            case _:
                parent[key] = odd(random)
    return document


def _places(document: Any) -> Any:
    keys = document if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    for key in list(keys):
        yield document, key
        yield from _places(document[key])


def encoded(random: Random, document: Any) -> bytes:
    """The bytes of a document, some with a byte order mark, in UTF-16, with a key twice, nested or damaged."""
    text = json.dumps(document, ensure_ascii=random.random() < 0.5, indent=random.choice((None, 1)))
    if random.random() < 0.03:
        text = text.replace('"', random.choice(("'", "\u201c")), 2)
    if random.random() < 0.03 and text.startswith("{") and len(text) > 2:
        text = "{" + random.choice(('"images": [], ', '"shapes": [], ', '"format": 1, ', '"cases": [], ')) + text[1:]
    if random.random() < 0.03:
        depth = random.choice((10, 1000, 100_000))
        text = text.replace("[]", "[" * depth + "]" * depth, 1)
    encoding = random.choice(("utf-8",) * 18 + ("utf-8-sig", "utf-16"))
    data = text.encode(encoding, "surrogatepass")
    return random.choice((cut, havoc))(random, data) if random.random() < 0.05 else data


def _polygon(random: Random) -> list[float]:
    x, y, r = random.uniform(4, 26), random.uniform(4, 18), random.uniform(1, 7)
    angles = np.linspace(0, 6.28, random.choice((3, 4, 5, 40)), endpoint=False)
    return [round(float(v), 2) for a in angles for v in (x + r * np.cos(a), y + r * np.sin(a))]


def _box(random: Random) -> list[float]:
    x, y = random.uniform(0, 20), random.uniform(0, 12)
    return [round(x, 1), round(y, 1), round(random.uniform(0.5, 11), 1), round(random.uniform(0.5, 11), 1)]


def _runs(random: Random) -> list[int]:
    total, runs = SIZE[0] * SIZE[1], []
    while total:
        runs.append(min(total, random.choice((0, 1, 3, 40, 200, 768))))
        total -= runs[-1]
    return runs


def _compressed(runs: list[int]) -> str:
    """Run lengths as COCO's string; the same as `rleToString` of maskApi.c."""
    text = ""
    for i, run in enumerate(runs):
        number, more = run - (runs[i - 2] if i > 2 else 0), True
        while more:
            group = number & 31
            number >>= 5
            more = number != (-1 if group & 16 else 0)
            text += chr((group | 32 if more else group) + 48)
    return text


def _segmentation(random: Random) -> Any:
    runs = _runs(random)
    counts = random.choice((runs, _compressed(runs)))
    return random.choice(
        ([_polygon(random)], [_polygon(random), _polygon(random)], [], {"size": [*SIZE], "counts": counts})
    )


def coco(random: Random) -> Any:
    """COCO JSON of one to three images and some categories."""
    names = [RADIOGRAPH, "other.png", "a/chest.png"][: random.randint(1, 3)]
    height, width = SIZE
    images = [{"id": i, "file_name": n, "height": height, "width": width} for i, n in enumerate(names, 1)]
    entries = []
    for number in range(random.randint(0, 4)):
        entry = {"id": number, "image_id": random.randint(1, len(names)), "category_id": random.choice((1, 1, 1, 2))}
        entry |= {"segmentation": _segmentation(random), "bbox": _box(random), "area": 4, "iscrowd": 0}
        if random.random() < 0.3:
            entry["attributes"] = {"reader": random.choice(("Ana", "Ben")), "rotation": random.choice((0, 30, 90.0))}
        entries.append(entry)
    categories = [{"id": 1, "name": random.choice(("lesion", "disc"))}, {"id": 2, "name": "pneumonia"}]
    return {"images": images, "annotations": entries, "categories": categories[: random.randint(0, 2)]}


def labelme(random: Random) -> Any:
    """LabelMe JSON with up to three shapes of any type."""
    shapes = []
    for _ in range(random.randint(0, 3)):
        x, y, w, h = _box(random)
        points = {
            "polygon": np.reshape(_polygon(random), (-1, 2)).tolist(),
            "rectangle": [[x, y], [x + w, y + h]],
            "circle": [[x + 1, y + 1], [x + w, y + h]],
            "oriented_rectangle": [[x, y], [x + w, y], [x + w, y + h], [x, y + h]],
            "mask": [[2, 3], [9, 8]],
            "point": [[x, y]],
        }
        kind = random.choice(tuple(points))
        shape: dict[str, Any] = {"label": "lesion", "shape_type": kind, "points": points[kind], "flags": {}}
        if kind == "mask":
            crop = picture(random, (6, 8), "1")
            shape["mask"] = base64.b64encode(saved(crop, "PNG")).decode()
        shapes.append(shape)
    return {
        "version": "5.5.0",
        "shapes": shapes,
        "imagePath": RADIOGRAPH,
        "imageHeight": SIZE[0],
        "imageWidth": SIZE[1],
    }


def annotations(random: Random) -> bytes:
    """An annotation file in JSON."""
    made = coco(random) if random.random() < 0.7 else labelme(random)
    return encoded(random, changed(random, made))


def state(random: Random) -> Any:
    """state.json of an export with one or two cases."""
    time = "2026-01-31T09:30:00Z"
    cases = []
    for digest in DIGESTS[: random.randint(1, 2)]:
        drawn = [
            {
                "reader": "Ana",
                "version": v,
                "kind": "pixel",
                "mask": digest,
                "removed": False,
                "author": "x",
                "time": time,
            }
            for v in range(1, random.randint(1, 4))
        ]
        verdict = {"reviewer": "Eva", "version": 1, "verdict": "agree", "comment": "", "time": time}
        facts = {"patient": "p", "source": "own", "split": "test", "label": "", "sex": "F", "age": "5", "view": "PA"}
        cases.append({
            "key": digest, "image": f"radiographs/{digest[:8]}.png", "name": "chest.png", **facts, "drawings": drawn,
            "verdicts": [verdict] * random.randint(0, 1),
        })  # fmt: skip
    return {"format": 1, "cases": cases, "copies": {} if random.random() < 0.7 else {DIGESTS[0]: DIGESTS[1]}}


def any_state(random: Random) -> bytes:
    """A state.json."""
    return encoded(random, changed(random, state(random)))


def request(random: Random) -> Any:
    """A request of the Review page; the work list has one case, of SIZE."""
    what = random.choice(("list", "predict", "retry", "judge", "draw", "tally", "add", "judge", "draw", "add"))
    version = random.choice((0, 0, 1))
    change = {
        "version": version,
        "reader": "Ana",
        "removed": False,
        "kind": "pixel",
        "counts": _runs(random),
        "size": None,
    }
    upload = {"path": "/nowhere/chest.png", "name": "folder/chest.png"}
    facts = {
        "judge": {"id": 1, "version": version, "reviewer": "Eva", "verdict": random.choice(("agree", "unsure", "no"))},
        "draw": {"id": 1, "author": "Ana", "changes": [change] * random.choice((0, 1, 1, 2))},
        "add": {"files": [upload] * random.choice((0, 1, 2))},
    }
    return {"what": what, "token": TOKEN, **facts.get(what, {})}


def any_request(random: Random) -> bytes:
    """A request of the Review page, as JSON."""
    return json.dumps(changed(random, request(random), 2)).encode()


def drawings(random: Random) -> bytes:
    """Drawings as a program sends them to an endpoint, as JSON."""
    kinds = ("pixel", "polygon", "normal", "box")
    made = [{"reader": n, "kind": random.choice(kinds), "counts": _runs(random)} for n in ("Ana", "Ben", "Ana")]
    if random.random() < 0.3:
        made[0] |= {"size": [12, 16], "counts": [10, 182]}
    return json.dumps(changed(random, made[: random.randint(0, 3)])).encode()
