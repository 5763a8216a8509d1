"""The About screen: which checkpoint is loaded, what was measured of it, and the model card of the shipped one."""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from deep_pneumonia import shipped
from deep_pneumonia.estimate import Estimate
from deep_pneumonia.prediction.checkpoint import Checkpoint
from deep_pneumonia.prediction.predictor import Predictor
from deep_pneumonia.prediction.scores import SCORE_BY_KEY

METRICS = "metrics.json"
PAPER = "https://arxiv.org/abs/2207.11393"
TITLES = {
    "auroc_abnormal": "AUROC, any finding against normal",
    "accuracy": "Accuracy",
    "macro_f1": "Macro F1",
    "ece": "Calibration error (lower is better)",
}
MAPS = {
    "attention": "the attention", "grad_cam": "Grad-CAM of the same network", "random": "a random map",
    "centre": "a map of the lungs' centres",
}  # fmt: skip
LOCALISATION = (SCORE_BY_KEY["hit"], SCORE_BY_KEY["iou"])


class About:
    """A document, laid out inside the current Blocks."""

    def __init__(self, predictor: Predictor, other: Predictor | None) -> None:
        readers = [predictor] if other is None else [predictor, other]
        gr.HTML(about([r.checkpoint for r in readers]), elem_id="about")
        if shipped.MODEL_CARD.is_file():
            gr.Markdown(card(shipped.MODEL_CARD), elem_id="card")


def about(checkpoints: Iterable[Checkpoint]) -> str:
    """Each loaded checkpoint with its figures per source, as HTML."""
    parts = "".join(_checkpoint(c, letter) for c, letter in zip(checkpoints, "AB", strict=False))
    return (
        '<article class="about"><h2>About</h2><p><b>Research and teaching only. Not a medical device</b>, and not for '
        "any decision about a person. Every figure below is of test patients who decided nothing, per source, with its "
        "95% bootstrap interval over patients; a figure of the attention stands beside those of maps that know "
        f"nothing.</p>{parts}<p>The method is that of <a href='{PAPER}' rel='noreferrer'>arXiv 2207.11393</a>: "
        "contrastive pre-training, mask-guided hard attention, contrastive regulation and class-balanced loss. "
        "Cite it and say that you used this implementation.</p></article>"
    )


def _checkpoint(checkpoint: Checkpoint, letter: str) -> str:
    head = (
        f"<h3>Checkpoint {letter}: {escape(checkpoint.name)}</h3><p class='hint'>SHA-256 of its weights "
        f"<code>{escape(checkpoint.sha256[:12])}</code>; classes {escape(', '.join(checkpoint.classes))}.</p>"
    )
    metrics = metrics_of(checkpoint.sha256)
    if metrics is None:
        return head + (
            "<p>No figures of it are known here; <code>python -m deep_pneumonia.evaluate</code> measures them.</p>"
        )
    sources = sorted({*metrics["classification"], *metrics["localisation"]})
    return head + '<div class="sources">' + "".join(_source(s, metrics) for s in sources) + "</div>"


def metrics_of(sha256: str) -> Mapping[str, Any] | None:
    """What `evaluate` wrote of a shipped checkpoint with this digest; None for any other."""
    for folder in (shipped.CHECKPOINT, shipped.PLAIN_CHECKPOINT):
        path = folder / METRICS
        if path.is_file():
            metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if metrics["checkpoint"]["sha256"] == sha256:
                return metrics
    return None


def _source(source: str, metrics: Mapping[str, Any]) -> str:
    named = metrics["classification"].get(source)
    drawn = metrics["localisation"].get(source)
    rows = [_row(title, named[key]) for key, title in TITLES.items()] if named else []
    counts = [f"{named['n']} labelled images of {named['patients']} patients"] if named else []
    if drawn:
        counts.append(f"{drawn['n']} with a drawn lesion, of {drawn['patients']} patients")
        for score in LOCALISATION:
            found = {name: (drawn[key][score.key_of_mean], key != "attention") for key, name in MAPS.items()}
            rows += [_row(f"{score.name} of {name}", *one) for name, one in found.items()]
    caption = f"<b>{escape(source)}</b>: {'; '.join(counts)}"
    return f'<table class="figures"><caption>{caption}</caption>{"".join(rows)}</table>'


def _row(title: str, estimate: Mapping[str, float | None], control: bool = False) -> str:
    """One figure in [0, 1] as text, and as a point with its interval on a scale from 0 to 1."""
    found = Estimate.from_json(estimate)
    value, interval = found.parts(".3f")
    kind = ' class="control"' if control else ""
    if found.value is None:
        return f"<tr{kind}><th scope='row'>{title}</th><td>{value}</td><td></td></tr>"
    low, high = (found.value if v is None else v for v in (found.low, found.high))
    scale = f"--low: {low:.3f}; --high: {high:.3f}; --value: {found.value:.3f}"
    return (
        f"<tr{kind}><th scope='row'>{title}</th><td>{value} <span>{interval}</span></td>"
        f"<td><i class='interval' style='{scale}' aria-hidden='true'></i></td></tr>"
    )


def card(path: Path) -> str:
    """The model card as Markdown that needs no other file: pictures stand in it, links to files are their names."""
    text = path.read_text(encoding="utf-8")

    def picture(found: re.Match[str]) -> str:
        file = path.parent / found[2]
        return f"![{found[1]}](data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()})"

    text = re.sub(r"!\[([^\]]*)\]\(([^):]+\.png)\)", picture, text)
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]+\)", r"\1", text)
