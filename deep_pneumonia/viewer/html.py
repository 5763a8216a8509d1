"""HTML of one case: its prediction, agreement with masks, and the comparison of two explanations.

HTML is made with markupsafe alone: a literal template in `Markup(...)`, filled by `format` or joined by `join`, both of
which escape every value that is not HTML already. A test forbids f-strings with tags in the viewer.
"""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from deep_pneumonia.drawing.pictures import READER_COLOURS
from deep_pneumonia.prediction.agreement import Agreement
from deep_pneumonia.prediction.predictor import Prediction
from deep_pneumonia.prediction.scores import SCORE_BY_KEY, SCORES, score_text

START = Markup("""<section class="start"><h2>Choose a radiograph to begin</h2>
<ol><li>Drop a frontal chest radiograph into the first box, or click the box to choose a file.</li>
<li>If a doctor has marked the lesion, add the mask in the second box. Several doctors are welcome.</li>
<li>The model predicts a class and shows where its attention lies, and how well that agrees with each mask.</li></ol>
</section>""")
FILE_HINT = Markup(
    '<p class="hint">PNG, JPEG, TIFF, WebP, BMP or DICOM; frontal and uncropped. You can drop masks here too.</p>'
)
MASKS_HINT = Markup("""<p class="hint">PNG, JPEG or TIFF of the same size (lesion white on black), COCO or LabelMe
JSON, RSNA boxes (CSV), DICOM SEG.</p>
<p class="hint">Uploads are deleted within an hour. Do not upload images that identify a patient.</p>""")
HOW_TO_DRAW = Markup("""<h3>Mark the lesion</h3>
<p class="hint">Choose a tool and draw on the radiograph: you begin as a new reader. Each reader has a separate mask,
and loaded masks are locked: to correct one, press its Lock button. Undo takes back every change, a removed reader
too.</p>
<p class="hint">The model's attention stays hidden until you switch it on, so that it does not bias you. Scroll or pinch
to zoom, drag with the right button to change the window and with the middle button to move. Hold Alt while drawing to
erase.</p>
<p class="hint">Drawings are kept in this browser until you remove their reader. Agreement is shown below.</p>""")
COMPARE = Markup("""<h3>Compare two explanations</h3>
<p class="hint">Both use the same scale from 0 to 1 and the same scores. Each has its own threshold, the dashed
line.</p>""")
UNGUIDED = Markup(
    '<p class="hint">B was trained on the same images as A, but was never shown where doctors drew lesions.</p>'
)
WHAT_IF = ("as it is", "lesion removed", "only the lesion")
MAP_NAMES = ("Attention", "Random map", "Lung centres")
CALIBRATED = Markup(
    '<p class="hint">The probability is calibrated on validation images from all training collections: of 100 images '
    "given this probability, {many} are labelled {name}. It is not this person's chance of disease. Highest attention: "
    "{evidence:.2f} on a scale from 0 to 1.</p>"
)
CONTROLS = Markup(
    "<p>A large lesion is easily hit by chance, so two maps that know nothing of the lesion are scored beside the "
    "attention: a random map with the attention's own values in random order, and a fixed map of the lung centres. "
    "Every score goes from 0 to 1.</p>"
)


def joined(parts: Iterable[str]) -> Markup:
    """HTML parts one after the other; parts that are plain text are escaped."""
    return Markup("").join(parts)


def percent(share: float) -> str:
    """A share in [0, 1] as whole percent; values close to 0 or 1 are given as "<1%" or ">99%"."""
    if share < 0.01:
        return "<1%"
    return ">99%" if share > 0.99 else f"{share:.0%}"


def refusal(sentence: str) -> Markup:
    """Why something was not done, as an alert that a screen reader announces."""
    return Markup(
        '<div class="refusal" role="alert"><strong>That did not work.</strong> {sentence} '
        "<span>Nothing else on the screen has changed.</span></div>"
    ).format(sentence=sentence)


def swatch(place: int) -> Markup:
    """A sample of the colour of the reader at `place`, which the viewer may change."""
    return Markup('<i class="swatch" style="background: var(--reader-{place}, {colour})"></i>').format(
        place=place, colour=READER_COLOURS[place % len(READER_COLOURS)]
    )


def summary(name: str, prediction: Prediction, notes: Sequence[str] = ()) -> Markup:
    """Warnings, the predicted class with the probability of every class, and what the probability means.

    notes: what was found in each file of masks.
    """
    head = Markup('<p class="file">{name}</p>{notes}{warnings}').format(
        name=name, notes=joined(Markup('<p class="hint">{}</p>').format(n) for n in notes),
        warnings=_warnings(prediction),
    )  # fmt: skip
    if prediction.is_refused:  # the probabilities can be looked up, but nobody should take them for an answer
        body = Markup(
            "<h2>Image rejected: no prediction</h2><details><summary>What the model would have predicted</summary>"
            "{bars}</details>"
        ).format(bars=bars(prediction))
    else:
        p = prediction.probabilities[prediction.predicted]
        many = "nearly all" if p > 0.99 else f"about {round(100 * p)}"
        body = Markup("<h2>{name} <span>{share}</span></h2>{bars}{hint}").format(
            name=prediction.predicted,
            share=percent(p),
            bars=bars(prediction),
            hint=CALIBRATED.format(many=many, name=prediction.predicted, evidence=prediction.evidence),
        )
    return Markup('<section class="summary">{head}{body}</section>').format(head=head, body=body)


def _warnings(prediction: Prediction) -> Markup:
    items = joined(Markup("<li>{}</li>").format(w.message) for w in prediction.warnings)
    return Markup('<ul aria-label="Warnings">{}</ul>').format(items) if items else items


def bars(prediction: Prediction) -> Markup:
    """The calibrated probability of each class, the likeliest first."""
    ranked = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
    row = Markup(
        '<tr><th scope="row">{name}</th><td class="bar"><i style="--share: {p:.1%}"></i></td><td>{share}</td></tr>'
    )
    rows = joined(row.format(name=name, p=p, share=percent(p)) for name, p in ranked)
    return Markup('<table class="bars"><caption>Calibrated probability of each class</caption>{rows}</table>').format(
        rows=rows
    )


def agreement(prediction: Prediction) -> Markup:
    """Agreement with each mask beside the two controls, and how the prediction depends on the lesion."""
    if not prediction.agreement:
        return Markup('<p class="hint">Add or draw a doctor\'s mask to see how well the attention agrees with it.</p>')
    return Markup(
        '<section class="agreement"><h3>Agreement with masks</h3>{tables}{what_if}<details>'
        "<summary>What these scores mean</summary>{controls}<dl>{hints}</dl></details></section>"
    ).format(
        tables=joined(table(a, place) for place, a in enumerate(prediction.agreement)),
        what_if=_what_if(prediction),
        controls=CONTROLS,
        hints=joined(Markup("<dt>{}</dt><dd>{}.</dd>").format(s.name, s.hint) for s in SCORES),
    )


def table(one: Agreement, place: int) -> Markup:
    """Agreement with one mask beside that of the two controls. `place`: of the reader's colour."""
    title = Markup("{} {}").format(swatch(place), one.reader)
    if one.area_fraction == 0:
        return Markup('<p class="nothing">{}: the mask is empty, so there is nothing to agree with.</p>').format(title)
    found = one.to_json()
    caption = Markup("{title} <span>covers {share:.1%} of the image</span>").format(
        title=title, share=one.area_fraction
    )
    return _score_table(caption, MAP_NAMES, (found, found["controls"]["random"], found["controls"]["centre"]))


def _score_table(caption: Markup, names: Sequence[str], columns: Sequence[Mapping[str, Any]]) -> Markup:
    """A row for each score, a column for each map; the hint of a score appears on hover and on focus."""
    heads = joined(Markup('<th scope="col">{}</th>').format(name) for name in names)
    rows = joined(
        Markup('<tr><th scope="row" title="{hint}">{name}</th>{cells}</tr>').format(
            hint=score.hint,
            name=score.name,
            cells=joined(Markup("<td>{}</td>").format(score_text(column[score.key])) for column in columns),
        )
        for score in SCORES
    )
    return Markup("<table><caption>{caption}</caption><tr><td></td>{heads}</tr>{rows}</table>").format(
        caption=caption, heads=heads, rows=rows
    )


def comparison(answer: Mapping[str, Any]) -> Markup:
    """Scores of two explanations against each mask, side by side, and how alike the two maps are."""
    sides = (answer["a"], answer["b"])
    names = [side["name"] for side in sides]
    tables = joined(
        _score_table(Markup("{} {}").format(swatch(place), pair[0]["reader"]), names, pair)
        for place, pair in enumerate(zip(*(side["agreement"] for side in sides), strict=True))
    )
    if not tables:
        tables = Markup(
            '<p class="hint">Add or draw a doctor\'s mask to see which of the two agrees better with it.</p>'
        )
    alike = {"iou": SCORE_BY_KEY["iou"].name, "dice": SCORE_BY_KEY["dice"].name, "correlation": "Correlation"}
    return Markup(
        '<section class="agreement"><ul class="sides">{notes}</ul>{tables}<h3>The two maps against each other</h3>'
        '<dl class="alike">{values}</dl></section>'
    ).format(
        notes=joined(Markup("<li><b>{}</b>: {}</li>").format(side["name"], _about(side)) for side in sides),
        tables=tables,
        values=joined(
            Markup("<dt>{}</dt><dd>{}</dd>").format(name, score_text(answer["difference"][key]))
            for key, name in alike.items()
        ),
    )


def _about(side: Mapping[str, Any]) -> str:
    said = [side["note"]]
    if side["predicted"] is not None:
        said.insert(0, f"predicts {side['predicted']} ({side['probabilities'][side['predicted']]:.0%})")
    if not side["shows_map"]:
        said.append("no map is shown, because a finding is too unlikely")
    return "; ".join(said)


def _what_if(prediction: Prediction) -> Markup:
    if prediction.what_if is None or prediction.what_if_frames is None:
        return Markup("")
    cases = (prediction.probabilities, prediction.what_if["lesion_removed"], prediction.what_if["lesion_only"])
    frame = Markup(
        '<figure><img src="{address}" alt="What the model sees: {name}" width="112" height="112">'
        "<figcaption>{name}<b>{share}</b></figcaption></figure>"
    )
    strip = joined(
        frame.format(address=_address(pixels), name=name, share=percent(p[prediction.predicted]))
        for pixels, p, name in zip(prediction.what_if_frames, cases, WHAT_IF, strict=True)
    )
    return Markup(
        '<h3>What if</h3><div class="what-if">{strip}</div><p class="hint">Probability of {name} when the marked '
        "lesion is painted over with its surroundings, and when everything but the lesion is.</p>"
    ).format(strip=strip, name=prediction.predicted)


def _address(frame: NDArray[np.uint8]) -> str:
    """A picture as a data URL."""
    data = io.BytesIO()
    Image.fromarray(frame).save(data, format="PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"
