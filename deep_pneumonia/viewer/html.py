"""What the screen says of one case, as HTML: every text that is not ours is escaped."""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deep_pneumonia.drawing.pictures import READER_COLOURS
from deep_pneumonia.prediction.agreement import Agreement
from deep_pneumonia.prediction.predictor import Prediction
from deep_pneumonia.prediction.scores import SCORE_BY_KEY, SCORES

START = """<section class="start"><h2>Choose a radiograph to begin</h2>
<ol><li>Drop a frontal chest radiograph into the first box, or click it to choose a file.</li>
<li>If a doctor drew where the lesion is, add the mask in the second box; several doctors are welcome.</li>
<li>See the predicted class, the model's attention over the radiograph, and how well it agrees with each mask.</li></ol>
</section>"""
FILE_HINT = (
    """<p class="hint">PNG, JPEG, TIFF, WebP, BMP or DICOM; frontal, uncropped. Masks may be dropped with it.</p>"""
)
MASKS_HINT = """<p class="hint">PNG of the same size (lesion white on black), COCO or LabelMe JSON, RSNA boxes (CSV),
DICOM SEG.</p>
<p class="hint">Uploads are deleted within the hour. Do not upload a picture that names a patient.</p>"""
HOW_TO_DRAW = """<h3>Draw where the lesion is</h3>
<p class="hint">Choose a tool and draw on the radiograph; each reader has a mask of their own. The model's attention is
hidden until you switch it on, so that it does not lead you. Wheel or pinch zooms, the right mouse button windows, the
middle one moves; Alt while drawing takes away.</p>
<p class="hint">Drawings are kept in this browser until you remove their reader; agreement is below.</p>"""
COMPARE = """<h3>Compare two explanations</h3>
<p class="hint">Both have the same scale from 0 to 1 and are measured in the same way, each at its own threshold, the
dashed line.</p>"""
UNGUIDED = '<p class="hint">B learned from the same images as A, but was never shown where doctors drew lesions.</p>'
WHAT_IF = ("as it is", "lesion removed", "only the lesion")
COLUMNS = ("Attention", "Random map", "Lung centres")


def percent(share: float) -> str:
    """A share as whole percent; what is only nearly none or all does not read as such."""
    if share < 0.01:
        return "&lt;1%"
    return "&gt;99%" if share > 0.99 else f"{share:.0%}"


def refusal(sentence: str) -> str:
    """Why files were not read; said aloud by a screen reader."""
    return (
        f'<div class="refusal" role="alert"><strong>Not read.</strong> {escape(sentence)} '
        "<span>Nothing else on the screen has changed.</span></div>"
    )


def swatch(place: int) -> str:
    """A sample of a reader's colour, which the viewer may change."""
    colour = READER_COLOURS[place % len(READER_COLOURS)]
    return f'<i class="swatch" style="background: var(--reader-{place}, {colour})"></i>'


def _listed(tag: str, items: Iterable[str], label: str) -> str:
    content = "".join(items)
    return f'<{tag} aria-label="{label}">{content}</{tag}>' if content else ""


def summary(name: str, prediction: Prediction) -> str:
    """Warnings, then the predicted class with the probabilities of all, and what these mean."""
    warnings = (f"<li>{escape(w.message)}</li>" for w in prediction.warnings)
    p = prediction.probabilities[prediction.predicted]
    many = "nearly all" if p > 0.99 else f"about {round(100 * p)}"
    head = f'<section class="summary"><p class="file">{escape(name)}</p>{_listed("ul", warnings, "Warnings")}'
    if prediction.is_refused:  # what the model made of it can be looked up, but nobody should take it for an answer
        hidden = f"<details><summary>What it would have said</summary>{bars(prediction)}</details>"
        return f"{head}<h2>No reading</h2>{hidden}</section>"
    return (
        f"{head}<h2>{escape(prediction.predicted)} <span>{percent(p)}</span></h2>{bars(prediction)}"
        f'<p class="hint">Calibrated on validation images of all the collections that it learned from: of 100 that get '
        f"this probability, {many} bear the label {escape(prediction.predicted)}. It is not this person's chance of "
        f"disease. Highest attention: {prediction.evidence:.2f} on a scale from 0 to 1.</p></section>"
    )


def bars(prediction: Prediction) -> str:
    """The calibrated probability of each class, the likeliest first."""
    ranked = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="bar"><i style="--share: {p:.1%}"></i></td>'
        f"<td>{percent(p)}</td></tr>"
        for name, p in ranked
    )
    return f'<table class="bars"><caption>Calibrated probability of each class</caption>{rows}</table>'


def agreement(prediction: Prediction) -> str:
    """Agreement with each mask, the same figures of two blind maps beside it, and what the lesion changes."""
    if not prediction.agreement:
        return '<p class="hint">Add a doctor\'s mask, or draw one, to see how well the attention agrees with it.</p>'
    tables = "".join(table(a, place) for place, a in enumerate(prediction.agreement))
    hints = "".join(f"<dt>{s.name}</dt><dd>{escape(s.hint)}.</dd>" for s in SCORES)
    return (
        f'<section class="agreement"><h3>Agreement with masks</h3>{tables}{_what_if(prediction)}<details><summary>What '
        f"these figures mean</summary><p>Two maps that know nothing of the lesion stand beside the attention, because "
        f"a large lesion is hit by chance: the attention's own values in random order, and a fixed map of the lungs' "
        f"centres. Each figure goes from 0 to 1.</p><dl>{hints}</dl></details></section>"
    )


def table(one: Agreement, place: int) -> str:
    """Agreement with one mask, beside that of the two blind maps. `place`: of the reader's colour."""
    title = f"{swatch(place)} {escape(one.reader)}"
    if one.area_fraction == 0:
        return f'<p class="nothing">{title}: nothing is drawn, so there is nothing to agree with.</p>'
    found = one.to_json()
    maps = (found, found["controls"]["random"], found["controls"]["centre"])
    heads = "".join(f'<th scope="col">{c}</th>' for c in COLUMNS)
    return (
        f"<table><caption>{title} <span>covers {one.area_fraction:.1%} of the picture</span></caption>"
        f"<tr><td></td>{heads}</tr>{score_rows(maps)}</table>"
    )


def score_rows(columns: Sequence[Mapping[str, Any]]) -> str:
    """A row for each figure of agreement, a column for each map; the hint comes on hover and on focus."""
    rows = ""
    for score in SCORES:
        cells = "".join(f"<td>{cell(c[score.key])}</td>" for c in columns)
        rows += f'<tr><th scope="row" title="{escape(score.hint)}">{score.name}</th>{cells}</tr>'
    return rows


def comparison(answer: Mapping[str, Any]) -> str:
    """Figures of two explanations against each mask, side by side, and how alike the two are."""
    sides = (answer["a"], answer["b"])
    heads = "".join(f'<th scope="col">{escape(side["name"])}</th>' for side in sides)
    notes = "".join(f"<li><b>{escape(side['name'])}</b>: {escape(_about(side))}</li>" for side in sides)
    tables = "".join(
        f"<table><caption>{swatch(place)} {escape(first['reader'])}</caption><tr><td></td>{heads}</tr>"
        f"{score_rows((first, second))}</table>"
        for place, (first, second) in enumerate(zip(*(side["agreement"] for side in sides), strict=True))
    )
    if not tables:
        tables = '<p class="hint">Add a doctor\'s mask, or draw one, to see which of the two agrees better with it.</p>'
    alike = {SCORE_BY_KEY["iou"].name: "iou", SCORE_BY_KEY["dice"].name: "dice", "Correlation": "correlation"}
    values = "".join(f"<dt>{name}</dt><dd>{cell(answer['difference'][key])}</dd>" for name, key in alike.items())
    return (
        f'<section class="agreement"><ul class="sides">{notes}</ul>{tables}<h3>The two with each other</h3>'
        f'<dl class="alike">{values}</dl></section>'
    )


def _about(side: Mapping[str, Any]) -> str:
    said = [side["note"]]
    if side["predicted"] is not None:
        said.insert(0, f"predicts {side['predicted']} ({side['probabilities'][side['predicted']]:.0%})")
    if not side["shows_map"]:
        said.append("not shown, for it finds too little")
    return "; ".join(said)


def cell(value: float | bool | None) -> str:
    """A figure as text; one without meaning is a dash."""
    if value is None:
        return "\u2013"
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:.2f}"


def _what_if(prediction: Prediction) -> str:
    if prediction.what_if is None or prediction.what_if_frames is None:
        return ""
    cases = (prediction.probabilities, prediction.what_if["lesion_removed"], prediction.what_if["lesion_only"])
    strip = "".join(
        f'<figure><img src="{_picture(frame)}" alt="What the model sees: {name}" width="112" height="112">'
        f"<figcaption>{name}<b>{percent(p[prediction.predicted])}</b></figcaption></figure>"
        for frame, p, name in zip(prediction.what_if_frames, cases, WHAT_IF, strict=True)
    )
    return (
        f'<h3>What if</h3><div class="what-if">{strip}</div><p class="hint">Probability of '
        f"{escape(prediction.predicted)} when what readers drew is filled from around it, and when all else is.</p>"
    )


def _picture(frame: NDArray[np.uint8]) -> str:
    data = io.BytesIO()
    Image.fromarray(frame).save(data, format="PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"
