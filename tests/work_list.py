"""Rows of a work list, as `worklist.row` gives them, for tests of what is made of them."""

from typing import Any

from hypothesis import strategies as st

from deep_pneumonia.worklist.records import VERDICTS

LABELS = ("", "Normal", "Opacity")
UNIT = st.floats(0, 1)


def drawn(reader: str, iou: float | None, hit: bool | None = None, kind: str = "pixel") -> dict[str, Any]:
    return {"reader": reader, "kind": kind, "hit": hit, "iou": iou, "dice": iou}


def row(number: int, *agreement: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A case that is read as "Opacity"; verdicts are given as {reviewer: verdict}."""
    means = {}
    for key in ("iou", "hit"):
        known = [a[key] for a in agreement if a[key] is not None]
        means[key] = sum(known) / len(known) if known else None
    made = {
        "id": number,
        "key": f"{number:064x}",
        "name": f"chest-{number}.png",
        "source": "nih",
        "patient": f"p{number}",
        "split": "test",
        "label": "Opacity",
        "predicted": "Opacity",
        "probability": 0.8,
        "evidence": 0.9,
        "warnings": [],
        "problem": "",
        "agreement": list(agreement),
        **means,
        "disagreement": None if means["iou"] is None else 1 - means["iou"],
        "verdicts": {},
    } | changes
    made["verdicts"] = {
        name: {"verdict": v, "comment": "", "time": "2026-11-25T10:00:00Z", "version": 1}
        for name, v in made["verdicts"].items()
    }
    return made


def pending(number: int, *readers: str, **changes: Any) -> dict[str, Any]:
    """A case that the model has not read yet."""
    nothing = {"predicted": None, "probability": None, "evidence": None}
    return row(number, *(drawn(r, None) for r in readers), **nothing, **changes)


@st.composite
def lists(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Work lists of up to 12 cases of few patients, some not read, some with nothing drawn."""
    found = []
    for number in range(draw(st.integers(0, 12))):
        verdicts = draw(st.dictionaries(st.sampled_from(["Ana", "Ben", "Eva"]), st.sampled_from(VERDICTS)))
        head = {"label": draw(st.sampled_from(LABELS)), "verdicts": verdicts, "patient": draw(st.sampled_from("abc"))}
        readers = draw(st.lists(st.sampled_from(["Dr. A", "Dr. B"]), unique=True))
        if draw(st.booleans()):
            found.append(pending(100 + number, *readers, **head))
            continue
        known = [drawn(r, *draw(st.one_of(st.tuples(UNIT, st.booleans()), st.just((None, None))))) for r in readers]
        found.append(row(100 + number, *known, predicted=draw(st.sampled_from(LABELS[1:])), **head))
    return found
