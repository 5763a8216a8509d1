"""What the screen says of one case, as HTML: every text that is not ours is escaped."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import cycle

import numpy as np

from deep_pneumonia.agreement import Agreement
from deep_pneumonia.annotation import Annotation
from deep_pneumonia.figures import READER_COLOURS, overlay
from deep_pneumonia.reader import Reading

START = """<section class="start"><h2>Choose a radiograph to begin</h2>
<ol><li>Drop a frontal chest radiograph into the first box, or click it to choose a file.</li>
<li>If a doctor drew where the lesion is, add the mask in the second box; several doctors are welcome.</li>
<li>See the predicted class, the model's attention over the radiograph, and how well it agrees with each mask.</li></ol>
</section>"""
FILE_HINT = '<p class="hint">PNG, JPEG, TIFF, WebP, BMP or DICOM; frontal, uncropped.</p>'
MASKS_HINT = """<p class="hint">PNG of the same size, lesion white on black; the file's name stands for the doctor.</p>
<p class="hint">Uploads are deleted within the hour. Do not upload a picture that names a patient.</p>"""
FIGURES = {
    "hit": ("Hit", "the highest point lies in the mask; for the random map, how often it does"),
    "iou": ("IoU", "intersection over union of the mask and the map at or above the checkpoint's threshold"),
    "dice": ("Dice", "twice that intersection over the sum of both areas"),
    "share_inside": ("Share inside", "share of the whole map that lies in the mask"),
    "average_precision": ("Average precision", "how well the map ranks the mask's pixels first"),
}
COLUMNS = ("Attention", "Random map", "Lung centres")
# The colour scale as it looks over a middle grey, from 0 to 1.
RAMP = ", ".join(f"#{bytes(c).hex()}" for c in overlay(np.full((1, 17), 0.4), np.linspace(0, 1, 17)[None])[0])


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


def legend(masks: Sequence[Annotation], shows_map: bool) -> str:
    """The attention's fixed scale, and whose contour has which colour."""
    if shows_map:
        scale = f'<span class="ramp" style="background: linear-gradient(to right, {RAMP})"></span>'
        first = f'<div class="scale">Attention, fixed scale <b>0</b>{scale}<b>1</b></div>'
    else:
        first = '<div class="scale">No attention map is shown: its evidence is too weak.</div>'
    items = (
        f"<li>{swatch(colour)} {escape(m.reader)}{' (nothing drawn)' if m.is_empty else ''}</li>"
        for m, colour in zip(masks, cycle(READER_COLOURS))
    )
    return f'<div class="legend">{first}{_listed("ul", items, "Contours of masks by reader")}</div>'


def swatch(colour: str) -> str:
    """A sample of a reader's colour."""
    return f'<i class="swatch" style="background: {colour}"></i>'


def _listed(tag: str, items: Iterable[str], label: str) -> str:
    content = "".join(items)
    return f'<{tag} aria-label="{label}">{content}</{tag}>' if content else ""


def summary(name: str, reading: Reading) -> str:
    """Warnings, then the predicted class with the probabilities of all, and what these mean."""
    warnings = (f"<li>{escape(w.message)}</li>" for w in reading.warnings)
    p = reading.probabilities[reading.predicted]
    many = "nearly all" if p > 0.99 else f"about {round(100 * p)}"
    return (
        f'<section class="summary"><p class="file">{escape(name)}</p>{_listed("ul", warnings, "Warnings")}'
        f"<h2>{escape(reading.predicted)} <span>{percent(p)}</span></h2>{_bars(reading)}"
        f'<p class="hint">Calibrated on validation images: of 100 like them that get this probability, '
        f"{many} are {escape(reading.predicted)}. Highest attention: {reading.evidence:.2f} on a scale from 0 to 1."
        "</p></section>"
    )


def _bars(reading: Reading) -> str:
    ranked = sorted(reading.probabilities.items(), key=lambda item: -item[1])
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="bar"><i style="--share: {p:.1%}"></i></td>'
        f"<td>{percent(p)}</td></tr>"
        for name, p in ranked
    )
    return f'<table class="bars"><caption>Calibrated probability of each class</caption>{rows}</table>'


def agreement(reading: Reading) -> str:
    """Agreement with each mask, the same figures of two blind maps beside it, and what the lesion changes."""
    if not reading.agreement:
        return '<p class="hint">Add a doctor\'s mask to see how well the attention agrees with it.</p>'
    tables = "".join(_table(a, colour) for a, colour in zip(reading.agreement, cycle(READER_COLOURS)))
    hints = "".join(f"<dt>{name}</dt><dd>{hint}.</dd>" for name, hint in FIGURES.values())
    return (
        f'<section class="agreement"><h3>Agreement with masks</h3>{tables}{_what_if(reading)}<details><summary>What '
        f"these figures mean</summary><p>Two maps that know nothing of the lesion stand beside the attention, because "
        f"a large lesion is hit by chance: the attention's own values in random order, and a fixed map of the lungs' "
        f"centres. Each figure goes from 0 to 1.</p><dl>{hints}</dl></details></section>"
    )


def _table(one: Agreement, colour: str) -> str:
    title = f"{swatch(colour)} {escape(one.reader)}"
    if one.area_fraction == 0:
        return f'<p class="nothing">{title}: nothing is drawn, so there is nothing to agree with.</p>'
    found = one.to_json()
    maps = (found, found["controls"]["random"], found["controls"]["centre"])
    heads = "".join(f'<th scope="col">{c}</th>' for c in COLUMNS)
    rows = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell(m[key])}</td>" for m in maps)}</tr>'
        for key, (name, _) in FIGURES.items()
    )
    return (
        f"<table><caption>{title} <span>covers {one.area_fraction:.1%} of the picture</span></caption>"
        f"<tr><td></td>{heads}</tr>{rows}</table>"
    )


def cell(value: float | bool | None) -> str:
    """A figure as text; one without meaning is a dash."""
    if value is None:
        return "\u2013"
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:.2f}"


def _what_if(reading: Reading) -> str:
    if reading.what_if is None:
        return ""
    whole, removed, only = (
        percent(probabilities[reading.predicted])
        for probabilities in (reading.probabilities, reading.what_if["lesion_removed"], reading.what_if["lesion_only"])
    )
    return (
        f'<p class="what-if">{escape(reading.predicted)}: <b>{whole}</b> as it is, <b>{removed}</b> with the lesion '
        f"removed, <b>{only}</b> with only the lesion kept.</p>"
    )
