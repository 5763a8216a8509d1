"""The text of the lesson's steps as HTML. Every figure in it comes from a measurement; none is typed here."""

from markupsafe import Markup

from deep_pneumonia.estimate import Estimate
from deep_pneumonia.viewer.html import joined
from deep_pneumonia.viewer.teach.lesson_facts import Facts

TITLES = (
    "How a radiograph is made and read",
    "What attention is, and what it is not",
    "What the doctor's mask adds",
    "When one class is rare",
    "How a model cheats",
    'Calibration, and the right to say "I do not know"',
)
SOURCE_NAMES = {
    "nih": "NIH (adults)", "kermany": "Guangzhou (children)", "covid": "the COVID-19 collection (adults)",
}  # fmt: skip


def paragraphs(*templates: Markup, **values: object) -> Markup:
    """Each template in a paragraph of its own, filled with the escaped values."""
    return joined(Markup("<p>{}</p>").format(template.format(**values)) for template in templates)


def task(text: Markup) -> Markup:
    """What the learner is asked to do."""
    return Markup('<p class="teach-task"><b>Try it.</b> {}</p>').format(text)


def making() -> Markup:
    """Step 1, before its figures."""
    return paragraphs(
        Markup(
            "X-rays pass through the chest onto a detector. Air lets most of them through and looks dark; bone, heart "
            "and fluid absorb them and look light. Pneumonia fills the air spaces with fluid, so dark lung turns "
            "light: an <b>opacity</b>. To read a radiograph, compare left with right, zone by zone, and follow every "
            "border."
        ),
        Markup(
            "This radiograph was computed from a real chest CT, and the pneumonia in it is <b>simulated</b>. Its true "
            "outline is therefore known, and you can see the same lung healthy and ill."
        ),
    ) + task(Markup("Move the severity slider. Find the opacity first, then switch on the true outline."))


def attention(cells: tuple[int, int]) -> Markup:
    """Step 2; `cells`: rows and columns of the map."""
    return paragraphs(
        Markup(
            "The network divides the image into {rows} \u00d7 {columns} cells and gives each a number from 0 to 1, its "
            "<b>attention</b>. Each cell's features are weighted by that number, and the class is predicted from the "
            "weighted sum alone. So the map is part of the prediction; it was not drawn afterwards."
        ),
        Markup(
            "It is <b>not proof</b>. It shows which places the prediction rests on, not that a lesion is there, nor "
            "that the prediction is right. A large lesion is hit by chance, so two maps that know nothing of the image "
            "are scored beside it: the same numbers shuffled, and the lung centres."
        ),
        rows=cells[0],
        columns=cells[1],
    ) + task(Markup("Move the threshold under the image and watch the overlap (IoU) with the true mask."))


def masks(with_masks: Facts, without: Facts) -> Markup:
    """Step 3, from the test results of both shipped checkpoints."""
    pair = (with_masks, without)
    hits = [f.estimate("localisation", "nih", "attention", "hit_rate") for f in pair]
    aurocs = [f.estimate("classification", "nih", "auroc_abnormal") for f in pair]
    return paragraphs(
        Markup(
            "Two networks of one design were trained on the same images. Only {guided} was also shown where doctors "
            "drew the lesions; {plain} saw the class labels alone."
        ),
        Markup(
            "On {number} test radiographs of adults with a marked lesion, the highest point of the map lies in the "
            "doctor's mask in {hits[0]:.0%} with masks and in {hits[1]:.0%} without: {hits_differ}."
        ),
        Markup(
            "At telling normal from ill (AUROC, 1 is perfect) they reach {aurocs[0]} and {aurocs[1]}: {aurocs_differ}. "
            "A better map is not by itself a better diagnosis. Each network was trained once."
        ),
        guided=with_masks.name,
        plain=without.name,
        number=with_masks.metrics["localisation"]["nih"]["n"],
        hits=hits,
        hits_differ=difference(*hits),
        aurocs=aurocs,
        aurocs_differ=difference(*aurocs),
    ) + task(Markup("Switch between the two cases, and try <i>Difference</i> under the image."))


def difference(one: Estimate, other: Estimate) -> str:
    """What two intervals allow us to say about a difference."""
    return "the intervals overlap, so this remains open" if one.overlaps(other) else "the intervals do not overlap"


def rarity(known: Facts, rare: str) -> Markup:
    """Step 4; `rare`: the class with the fewest training images."""
    counts = known.counts
    common = max(counts, key=lambda name: counts[name])
    return paragraphs(
        Markup(
            "There are {most:,} training images of <i>{common}</i> and {least:,} of <i>{rare}</i>. A network that "
            "never predicts the rare class is seldom punished."
        ),
        Markup(
            "So each class gets a <b>weight</b>, (1 \u2212 \u03b2) / (1 \u2212 \u03b2<sup>n</sup>) for n images: where "
            "there are many, one more adds little. With \u03b2 = 0 all classes weigh the same; nearer to 1, rare ones "
            "count more. Training used \u03b2 = {beta:g}."
        ),
        Markup("(Here each image counts once; in training, one with a marked lesion counted {repeats} times.)"),
        Markup(
            "Smaller networks found the rarest class more often with weights than without: see the model card, "
            "<i>What each part does</i>."
        ),
        most=counts[common],
        common=common,
        least=counts[rare],
        rare=rare,
        beta=known.beta,
        repeats=known.repeats,
    ) + task(Markup("Make the class rarer, then move \u03b2, and see its share of the loss."))


def cheating(known: Facts, rare: str) -> Markup:
    """Step 5, before the pair of predictions; `rare`: the class that comes mostly from one source."""
    source, number = known.largest_source(rare)
    predicted = "; ".join(
        f"{n} of {total} images from {source_name(one)}, where {known.labelled(one, rare) or 'none'} are labelled so"
        for one in sorted(known.metrics["classification"], key=lambda one: one != source)
        for n, total in [known.predicted(one, rare)]
    )
    return paragraphs(
        Markup(
            "A network learns whatever separates the classes, including letters, tubes and a hospital's way of taking "
            "images. Such a shortcut is not a lesion, and it fails in the next hospital."
        ),
        Markup(
            "Ours has one at hand: of {count:,} training images of <i>{rare}</i>, {number:,} come from {source}. In "
            "the tests it predicts that class for {predicted}. The class follows the source."
        ),
        count=known.counts[rare],
        rare=rare,
        number=number,
        source=source_name(source),
        predicted=predicted,
    ) + task(Markup("Add letters to this healthy chest and remove them again. Does the prediction move?"))


def source_name(source: str) -> str:
    """A source as the lesson calls it."""
    return SOURCE_NAMES.get(source, source)


def calibration(known: Facts) -> Markup:
    """Step 6."""
    temperature = float(known.model["temperature"])
    errors = "; ".join(
        f"{source_name(source)} {known.estimate('classification', source, 'ece')}"
        for source in known.metrics["classification"]
    )
    return paragraphs(
        Markup(
            "Of 100 images given 80% for a class, about 80 should belong to it. On validation images the raw network "
            "was too {raw}; one number, the <b>temperature</b> {temperature:.2f}, was fitted to correct this."
        ),
        Markup(
            "On test patients it is still off. The mean gap between probability and truth (ECE, 0 is perfect): "
            "{errors}."
        ),
        Markup(
            "Probabilities always sum to 1; none of them means &quot;this is not a chest&quot;. So the viewer rejects "
            "images unlike all training radiographs and shows no map where a finding is unlikely. That is its &quot;I "
            "do not know&quot;, and it sometimes fails to say so."
        ),
        raw="confident" if temperature > 1 else "unsure",
        temperature=temperature,
        errors=errors,
    ) + task(Markup("Look at three images, and move the temperature."))
