"""What the lesson says about predictions, as HTML; the text of its steps is in `lesson_text`."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from deep_pneumonia.prediction.predictor import Prediction
from deep_pneumonia.viewer.html import bars, joined, percent, table
from deep_pneumonia.viewer.teach.lesson_text import paragraphs

SMALL_CHANGE = 0.02  # of a probability: below it, the prediction "hardly moves"
UNLIKELY_FINDING = "unlikely_finding"  # code of the caution that no map is shown


def rises(predictions: Sequence[Prediction]) -> Markup:
    """How the predictions follow one growing pneumonia; the healthy picture comes first."""
    first, last = predictions[0], predictions[-1]
    shown = next((i for i, p in enumerate(predictions) if p.shows_map), None)
    when = "at no severity" if shown is None else "at every severity" if shown == 0 else f"from severity {shown} on"
    return Markup(
        "The shipped network was not trained on simulated images. From healthy to worst, the probability of a finding "
        "goes from {low} to {high} and the highest attention from {first:.2f} to {last:.2f}. A map is shown {when}."
    ).format(
        low=percent(first.finding), high=percent(last.finding), first=first.evidence, last=last.evidence, when=when
    )


def agreement(prediction: Prediction) -> Markup:
    """How well the map of one case agrees with the truth beside the controls, or why no map is shown."""
    if prediction.shows_map:
        return joined(table(one, place) for place, one in enumerate(prediction.agreement))
    return joined(paragraphs(Markup("{text}"), text=text) for text in unlikely(prediction))


def unlikely(prediction: Prediction) -> list[str]:
    """The caution that a finding is too unlikely for a map to be shown, if there is one."""
    return [w.message for w in prediction.warnings if w.code == UNLIKELY_FINDING]


def compared(answer: Mapping[str, Any]) -> Markup:
    """Two explanations of one case against the truth."""
    side = Markup("<li><b>{name}</b> {hit} the lesion, IoU {iou:.2f}{hidden}</li>")
    sides = joined(
        side.format(
            name=one["name"],
            hit="hits" if one["agreement"][0]["hit"] else "misses",
            iou=one["agreement"][0]["iou"],
            hidden="" if one["shows_map"] else "; no map is shown, because a finding is too unlikely",
        )
        for one in (answer["a"], answer["b"])
    )
    return Markup('<ul class="teach-sides">{}</ul>').format(sides)


def moved(name: str, before: Prediction, after: Prediction) -> Markup:
    """How far the letters move one network, from its predictions without and with them."""
    change = {key: after.probabilities[key] - p for key, p in before.probabilities.items()}
    largest = max(change, key=lambda key: abs(change[key]))
    return Markup(
        "{name} {moves}: the largest change is that of <i>{largest}</i>, from {p:.1%} to {q:.1%}; the predicted class "
        "{stays}, and the highest attention goes from {first:.2f} to {last:.2f}."
    ).format(
        name=name,
        moves="hardly moves" if abs(change[largest]) < SMALL_CHANGE else "moves",
        largest=largest,
        p=before.probabilities[largest],
        q=after.probabilities[largest],
        stays="stays the same" if before.predicted == after.predicted else "changes",
        first=before.evidence,
        last=after.evidence,
    )


def lettered(prediction: Prediction, changes: Sequence[tuple[str, Prediction, Prediction]]) -> Markup:
    """The shown prediction and what the letters changed.

    changes: for each network its name and its predictions without and with letters.
    """
    largest = max(abs(b.probabilities[k] - p) for _, a, b in changes for k, p in a.probabilities.items())
    items = joined(Markup("<li>{}</li>").format(moved(*one)) for one in changes)
    return Markup('{bars}<ul class="teach-sides">{items}</ul><p>{verdict}</p>').format(
        bars=bars(prediction), items=items, verdict=judged(largest)
    )


def judged(largest: float) -> str:
    """What one pair of pictures allows us to say of letters, given the largest change of a probability."""
    if largest < SMALL_CHANGE:
        return "So these letters are not a shortcut here. That is one image and one word: other marks may still be."
    return "So a mark that is not a lesion changes the prediction. Look for such marks before you trust a probability."


def unknown(prediction: Prediction, blank: bool) -> Markup:
    """What is predicted for one image, `blank` or not, and whether the viewer says that it does not know."""
    share = percent(prediction.probabilities[prediction.predicted])
    if prediction.is_refused:
        return paragraphs(
            Markup("<b>Rejected.</b> {why} The model would have predicted <i>{predicted}</i>, {share}."),
            why=prediction.warnings[0].message,
            predicted=prediction.predicted,
            share=share,
        )
    silent = unlikely(prediction)
    shown = f"The probability of a finding, {percent(prediction.finding)}, is high enough for a map to be shown."
    warned = (
        " There is no chest in this image, and nothing here says so: a person has to." if blank and not silent else ""
    )
    return paragraphs(
        Markup("Predicted: <i>{predicted}</i>, {share}. {shown}{warned}"),
        predicted=prediction.predicted,
        share=share,
        shown=silent[0] if silent else shown,
        warned=warned,
    )
