"""What the lesson says, as HTML. Every figure in it is measured: none is typed here."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from deep_pneumonia.prediction.predictor import Prediction
from deep_pneumonia.viewer.html import bars, percent, table
from deep_pneumonia.viewer.teach.lesson_facts import Facts, Figure

TITLES = (
    "How a radiograph is made and read",
    "What attention is, and what it is not",
    "What the doctor's mask adds",
    "When one class is rare",
    "How a model cheats",
    'Calibration, and the right to say "I do not know"',
)
SOURCES = {"nih": "NIH (adults)", "kermany": "Guangzhou (children)", "covid": "the COVID-19 collection (adults)"}
SMALL = 0.02  # of a probability: below, a change is called small


def paragraphs(*texts: str) -> str:
    """Each text, already HTML, in a paragraph of its own."""
    return "".join(f"<p>{text}</p>" for text in texts)


def task(text: str) -> str:
    """What the reader is asked to do."""
    return f'<p class="teach-task"><b>Try it.</b> {text}</p>'


def making() -> str:
    """Step 1, before its figures."""
    return paragraphs(
        "X-rays pass through the chest on to a detector. Air lets most of them through and comes out dark; bone, heart "
        "and fluid hold them back and come out light. Pneumonia fills air with fluid, so dark lung turns light: an "
        "<b>opacity</b>. To read one, compare left with right, zone by zone, and follow every border.",
        "This radiograph was computed from one real chest CT, and the pneumonia in it is <b>simulated</b>. So its true "
        "outline is known, and the same lung can be seen well and ill.",
    ) + task("Drag the severity. Find the opacity first, then switch the true outline on.")


def rises(predictions: Sequence[Prediction]) -> str:
    """What the network makes of one pneumonia that grows, from its readings, healthy first."""
    first, last = predictions[0], predictions[-1]
    shown = next((i for i, r in enumerate(predictions) if r.shows_map), None)
    when = "at no severity" if shown is None else "at every severity" if shown == 0 else f"from severity {shown} on"
    return (
        f"The shipped network was trained on no simulated picture. From healthy to worst, the probability of a finding "
        f"goes from {percent(first.finding)} to {percent(last.finding)}, its highest attention from "
        f"{first.evidence:.2f} to {last.evidence:.2f}; a map is shown {when}."
    )


def attention(cells: tuple[int, int]) -> str:
    """Step 2; `cells`: rows and columns of the map."""
    return paragraphs(
        f"The network divides the picture into {cells[0]} \u00d7 {cells[1]} cells and gives each a number from 0 to 1, "
        "its <b>attention</b>. What it sees in a cell counts as much as that number, and the class is named from the "
        "sum alone. So the map took part in the answer; it was not drawn afterwards.",
        "It is <b>no proof</b>: it says where the class was read, not that a lesion lies there, nor that the answer is "
        "right. A large lesion is hit by chance, so two blind maps stand beside it: the same numbers shuffled, and the "
        "lungs' centres.",
    ) + task("Move the threshold under the picture and watch the overlap (IoU) with the true mask.")


def agreement(prediction: Prediction) -> str:
    """How well the map of one case agrees with the truth beside blind maps, or why no map is drawn."""
    if prediction.shows_map:
        return "".join(table(one, place) for place, one in enumerate(prediction.agreement))
    return "".join(f"<p>{escape(w.message)}</p>" for w in prediction.warnings if w.code == "unlikely_finding")


def masks(with_masks: Facts, without: Facts) -> str:
    """Step 3, from the test figures of both shipped checkpoints."""
    hits = [f.figure("localisation", "nih", "attention", "hit_rate") for f in (with_masks, without)]
    names = [f.figure("classification", "nih", "auroc_abnormal") for f in (with_masks, without)]
    number = with_masks.metrics["localisation"]["nih"]["n"]
    return paragraphs(
        f"Two networks of one build learnt from the same images. Only {escape(with_masks.name)} was also shown where "
        f"doctors drew the lesions; {escape(without.name)} got the class alone.",
        f"On {number} test radiographs of adults with a drawn lesion, the highest point of the map lies in the "
        f"doctor's mask in {whole(hits[0])} with masks and in {whole(hits[1])} without: {apart(*hits)}.",
        f"At telling normal from ill (AUROC, 1 is perfect) they reach {names[0]} and {names[1]}: {apart(*names)}. "
        "A better map is not by itself a better diagnosis. It was one run of each.",
    ) + task("Switch between the two cases; use <i>Difference</i> under the picture.")


def compared(answer: Mapping[str, Any]) -> str:
    """Two explanations of one case against the truth."""
    rows = ""
    for side in (answer["a"], answer["b"]):
        found = side["agreement"][0]
        hit = "hits" if found["hit"] else "misses"
        shown = "" if side["shows_map"] else ", but a finding is too unlikely for it to be shown"
        rows += f"<li><b>{escape(side['name'])}</b> {hit} the lesion, IoU {found['iou']:.2f}{shown}</li>"
    return f'<ul class="teach-sides">{rows}</ul>'


def whole(figure: Figure) -> str:
    """A rate as whole percent with its interval."""
    return f"{figure.value:.0%} ({figure.low:.0%} to {figure.high:.0%})"


def apart(one: Figure, other: Figure) -> str:
    """What two intervals allow to be said."""
    if one.overlaps(other):
        return "the intervals overlap, so that stays open"
    return "the intervals do not touch"


def rarity(known: Facts, rare: str) -> str:
    """Step 4; `rare`: the class with the fewest training images."""
    counts = known.counts
    common = max(counts, key=lambda name: counts[name])
    return paragraphs(
        f"The training images hold {counts[common]:,} of <i>{escape(common)}</i> and {counts[rare]:,} of "
        f"<i>{escape(rare)}</i>. A network that never names the rare class is seldom punished.",
        "So each class gets a <b>weight</b>, (1 \u2212 \u03b2) / (1 \u2212 \u03b2<sup>n</sup>) for n images: "
        "where there are many, one more adds little. With \u03b2 = 0 all weigh the same; nearer to 1 a rare one counts "
        "more. "
        f"Training used \u03b2 = {known.beta:g}.",
        f"(Here each image counts once; in training, one with a drawn lesion {known.repeats} times.)",
        "Smaller networks found the rarest class more often with weights than without: see the model card, "
        "<i>What each part does</i>.",
    ) + task("Make the class rarer, then move \u03b2, and see what share of the loss is left to it.")


def cheating(known: Facts, rare: str) -> str:
    """Step 5, before the pair of readings; `rare`: the class that one source brings."""
    source, number = known.largest_source(rare)
    named = "; ".join(
        f"{n} of {total} from {_source(one)}, where {known.labelled(one, rare) or 'none'} bear it"
        for one in sorted(known.metrics["classification"], key=lambda one: one != source)
        for n, total in [known.named(one, rare)]
    )
    return paragraphs(
        "A network learns whatever tells classes apart: also letters, tubes, a hospital's way of making pictures. "
        "That is no lesion, and it fails in the next hospital.",
        f"Ours has such a shortcut at hand: of {known.counts[rare]:,} training images of <i>{escape(rare)}</i>, "
        f"{number:,} come from {_source(source)}. In the tests it gives that name to {named}. "
        "The class follows the source.",
    ) + task("Burn letters into this healthy chest and take them away again. Does the reading move?")


def _source(name: str) -> str:
    return escape(SOURCES.get(name, name))


def moved(name: str, before: Prediction, after: Prediction) -> str:
    """How far letters move one network, from its two readings."""
    change = {key: after.probabilities[key] - p for key, p in before.probabilities.items()}
    most = max(change, key=lambda key: abs(change[key]))
    word = "hardly moves" if abs(change[most]) < SMALL else "moves"
    same = "the predicted class stays" if before.predicted == after.predicted else "the predicted class changes"
    return (
        f"{escape(name)} {word}: the largest change is that of <i>{escape(most)}</i>, {before.probabilities[most]:.1%} "
        f"to {after.probabilities[most]:.1%}; {same}, and the highest attention goes from {before.evidence:.2f} to "
        f"{after.evidence:.2f}."
    )


def lettered(prediction: Prediction, changes: Sequence[tuple[str, Prediction, Prediction]]) -> str:
    """The reading that is shown, then what letters changed: name of a network, its readings without and with them."""
    most = max(abs(b.probabilities[k] - p) for _, a, b in changes for k, p in a.probabilities.items())
    items = "".join(f"<li>{moved(*one)}</li>" for one in changes)
    return f'{bars(prediction)}<ul class="teach-sides">{items}</ul><p>{judged(most)}</p>'


def judged(most: float) -> str:
    """What one pair of pictures allows to be said of letters, given the largest change of a probability."""
    if most < SMALL:
        return "So these letters are no cheat sheet here. That is one picture and one word: it clears no other mark."
    return "So a mark that is no lesion changes what is read: look for it before you trust a probability."


def calibration(known: Facts) -> str:
    """Step 6."""
    temperature = float(known.model["temperature"])
    errors = "; ".join(
        f"{_source(source)} {known.figure('classification', source, 'ece')}"
        for source in known.metrics["classification"]
    )
    sure = "too sure of itself" if temperature > 1 else "too unsure of itself"
    return paragraphs(
        "Of 100 pictures that get 80%, about 80 should have that class. On validation images the raw network was "
        f"{sure}; one number, the <b>temperature</b> {temperature:.2f}, was fitted to mend it.",
        f"On test patients it is still off. The mean gap between probability and truth (ECE, 0 is perfect): {errors}.",
        "Probabilities always sum to 1: none means &quot;this is no chest&quot;. So the viewer refuses a picture that "
        "is unlike all training radiographs, and draws no map where a finding is unlikely. That is its &quot;I do not "
        "know&quot;, and it is not always said.",
    ) + task("Look at three pictures, and move the temperature.")


def unknown(prediction: Prediction, blank: bool) -> str:
    """What is made of one picture, `blank` or not, and whether the viewer stays silent."""
    share = percent(prediction.probabilities[prediction.predicted])
    if prediction.is_refused:
        return (
            f"<p><b>Refused.</b> {escape(prediction.warnings[0].message)} It would have said "
            f"<i>{escape(prediction.predicted)}</i>, {share}.</p>"
        )
    silent = [escape(w.message) for w in prediction.warnings if w.code == "unlikely_finding"]
    shown = f"The probability of a finding, {percent(prediction.finding)}, is enough for a map to be shown."
    warned = " There is no chest in it, and nothing here says so: a person has to." if blank and not silent else ""
    return f"<p>It says <i>{escape(prediction.predicted)}</i>, {share}. {silent[0] if silent else shown}{warned}</p>"
