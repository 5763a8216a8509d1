"""The About screen: the loaded checkpoints, their results on test patients, and the shipped model card."""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from deep_pneumonia import shipped
from deep_pneumonia.estimate import Estimate
from deep_pneumonia.prediction.checkpoint import Checkpoint
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.prediction.scores import SCORE_BY_KEY
from deep_pneumonia.viewer.html import joined

METRICS_FILE = "metrics.json"
PAPER_URL = "https://arxiv.org/abs/2207.11393"
CLASSIFICATION_TITLES = {
    "auroc_abnormal": "AUROC, any finding against normal",
    "accuracy": "Accuracy",
    "macro_f1": "Macro F1",
    "ece": "Calibration error (lower is better)",
}
LOCALISATION_SCORES = (SCORE_BY_KEY["hit"], SCORE_BY_KEY["iou"])
MAP_NAMES = {
    "attention": "the attention", "grad_cam": "Grad-CAM of the same network", "random": "a random map",
    "centre": "a map of the lung centres",
}  # fmt: skip
ARTICLE = Markup(
    '<article class="about"><h2>About</h2><p><b>Research and teaching only. Not a medical device</b>, and not for any '
    "decision about a patient. All results below come from test patients who were not used to make any choice. They "
    "are given per source, with a 95% bootstrap interval over patients. The scores of the attention stand beside those "
    "of maps that know nothing of the lesion.</p>{checkpoints}<p>The method is that of "
    "<a href='{paper}' rel='noreferrer'>arXiv 2207.11393</a>: contrastive pre-training, mask-guided hard attention, "
    "contrastive regulation and class-balanced loss. Please cite the paper and mention this implementation.</p>"
    "</article>"
)
UNMEASURED = Markup(
    "<p>No results are known for this checkpoint; measure it with <code>deep-pneumonia evaluate</code>.</p>"
)


class About:
    """The results as a document and the model card below it, laid out inside the current Blocks."""

    def __init__(self, predictor: Predictor, other: Predictor | None) -> None:
        predictors = [predictor] if other is None else [predictor, other]
        gr.HTML(about([p.checkpoint for p in predictors]), elem_id="about")
        if shipped.MODEL_CARD.is_file():
            gr.Markdown(card(shipped.MODEL_CARD), elem_id="card")


def about(checkpoints: Iterable[Checkpoint]) -> Markup:
    """Each loaded checkpoint with its results per source."""
    parts = (_checkpoint(c, letter) for c, letter in zip(checkpoints, "AB", strict=False))
    return ARTICLE.format(checkpoints=joined(parts), paper=PAPER_URL)


def _checkpoint(checkpoint: Checkpoint, letter: str) -> Markup:
    head = Markup(
        "<h3>Checkpoint {letter}: {name}</h3><p class='hint'>SHA-256 of the weights: <code>{digest}</code>. "
        "Classes: {classes}.</p>"
    ).format(letter=letter, name=checkpoint.name, digest=checkpoint.sha256[:12], classes=", ".join(checkpoint.classes))
    metrics = metrics_of(checkpoint.sha256)
    if metrics is None:
        return head + UNMEASURED
    sources = sorted({*metrics["classification"], *metrics["localisation"]})
    return head + Markup('<div class="sources">{}</div>').format(joined(_source(s, metrics) for s in sources))


def metrics_of(sha256: str) -> Mapping[str, Any] | None:
    """What `evaluate` wrote about the shipped checkpoint with this digest; None for any other checkpoint."""
    for folder in (shipped.CHECKPOINT, shipped.PLAIN_CHECKPOINT):
        path = folder / METRICS_FILE
        if path.is_file():
            metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if metrics["checkpoint"]["sha256"] == sha256:
                return metrics
    return None


def _source(source: str, metrics: Mapping[str, Any]) -> Markup:
    classified, localised = (metrics[part].get(source) for part in ("classification", "localisation"))
    rows, counts = [], []
    if classified:
        counts.append(f"{classified['n']} labelled images of {classified['patients']} patients")
        rows += [_row(title, classified[key]) for key, title in CLASSIFICATION_TITLES.items()]
    if localised:
        counts.append(f"{localised['n']} with a marked lesion, of {localised['patients']} patients")
        rows += [
            _row(f"{score.name} of {name}", localised[key][score.key_of_mean], control=key != "attention")
            for score in LOCALISATION_SCORES
            for key, name in MAP_NAMES.items()
        ]
    return Markup('<table class="figures"><caption><b>{source}</b>: {counts}</caption>{rows}</table>').format(
        source=source, counts="; ".join(counts), rows=joined(rows)
    )


def _row(title: str, fields: Mapping[str, float | None], *, control: bool = False) -> Markup:
    """An estimate in [0, 1] as text, and as a point with its interval on a scale from 0 to 1."""
    estimate = Estimate.from_json(fields)
    value, interval = estimate.parts(".3f")
    return Markup("<tr{kind}><th scope='row'>{title}</th><td>{value} {interval}</td><td>{point}</td></tr>").format(
        kind=Markup(' class="control"') if control else "",
        title=title,
        value=value,
        interval=Markup("<span>{}</span>").format(interval) if interval else "",
        point=_point(estimate),
    )


def _point(estimate: Estimate) -> Markup:
    if estimate.value is None:
        return Markup("")
    low, high = (estimate.value if end is None else end for end in (estimate.low, estimate.high))
    return Markup(
        "<i class='interval' style='--low: {low:.3f}; --high: {high:.3f}; --value: {value:.3f}' aria-hidden='true'></i>"
    ).format(low=low, high=high, value=estimate.value)


def card(path: Path) -> str:
    """The model card as Markdown that needs no other file: pictures are embedded, links to files become plain text."""
    text = path.read_text(encoding="utf-8")

    def embedded(found: re.Match[str]) -> str:
        file = path.parent / found[2]
        return f"![{found[1]}](data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()})"

    text = re.sub(r"!\[([^\]]*)\]\(([^):]+\.png)\)", embedded, text)
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]+\)", r"\1", text)
