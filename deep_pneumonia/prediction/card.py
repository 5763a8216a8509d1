"""The README.md of a checkpoint folder: a model card as the Hugging Face Hub reads it.

Its front matter (https://huggingface.co/docs/hub/model-cards) and its text are made from model.json and metrics.json
alone, so the card says nothing that the files beside it do not.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from deep_pneumonia.estimate import Estimate

Facts = Mapping[str, Any]

# Of the weights that this package ships; the training images keep their publishers' terms.
LICENSE = "apache-2.0"
# The published data sets by their source in a manifest: what people call them, and their paper or home.
PUBLISHED = {
    "nih": ("NIH ChestX-ray14", "https://arxiv.org/abs/1705.02315"),
    "kermany": ("Chest X-rays of children, Guangzhou", "https://doi.org/10.17632/rscbjbr9sj.3"),
    "covid": ("COVID-19 image data collection", "https://github.com/ieee8023/covid-chestxray-dataset"),
}
# Scores of metrics.json with the type and the name that the Hub gives them.
CLASSIFICATION = {
    "accuracy": ("accuracy", "Accuracy"),
    "macro_f1": ("f1", "Macro F1"),
    "auroc_abnormal": ("roc_auc", "AUROC, any finding"),
}
# A score says little where fewer images are normal, or fewer are not: it is left out of the card.
MIN_IMAGES = 10

TEXT = """\
---
{front}---
# {name}

Pneumonia in frontal chest radiographs: a probability for each of {count} classes, and an attention map that shows what
the network pools its features from. The input is one greyscale radiograph, fitted into {size} x {size} pixels; the
backbone is {backbone}. The classes: {classes}.

**For research and teaching only. Not a medical device: do not use it for decisions about a person.**

## Use
Install the package `deep-pneumonia`, then
```python
from deep_pneumonia import Predictor, decode

prediction = Predictor.from_pretrained("OWNER/{name}").predict(decode("chest.png"))
print(prediction.predicted, prediction.probabilities, prediction.attention.shape)
```
where `OWNER/{name}` is this repository, or the folder that holds its files. The weights are safetensors, never pickles;
model.json holds the classes, the input recipe, the thresholds and how the network was trained.

## Training data
{data}
## Evaluation
{scores}
## Limits
- It only knows the classes above. It says nothing about other diseases, and a low probability excludes nothing.
- Class and data set go together: the classes come from different hospitals, ages and machines.
- The probabilities are calibrated on validation images of the same data sets, not on yours.
- {gate}
"""
WITH_GATE = "Inputs that are no frontal chest radiograph are rejected by the gate, which can err in both directions."
WITHOUT_GATE = "It has no gate: an input that is no chest radiograph gets probabilities too."


def card(facts: Facts, metrics: Facts | None) -> str:
    """The text of README.md.

    facts: what model.json holds. metrics: what metrics.json holds, None where the checkpoint was not evaluated.
    """
    sources = sorted({source for split in _counts(facts).values() for source in split})
    front = {
        "license": LICENSE,
        "library_name": facts["package"],
        "pipeline_tag": "image-classification",
        "tags": ["medical-imaging", "radiology", "chest-x-ray", "pneumonia", "explainability"],
        **({"datasets": [_name(source) for source in sources]} if sources else {}),
        **({"metrics": [kind for kind, _ in CLASSIFICATION.values()]} if metrics else {}),
        **(
            {"model-index": [{"name": facts["name"], "results": results}]}
            if (results := _results(metrics, facts["normal"]))
            else {}
        ),
    }
    return TEXT.format(
        front=yaml.safe_dump(front, sort_keys=False, allow_unicode=True),
        name=facts["name"],
        count=len(facts["classes"]),
        classes=", ".join(f"*{name}*" for name in facts["classes"]),
        size=facts["recipe"]["size"],
        backbone=facts["architecture"]["backbone"],
        data=_data(facts),
        scores=_scores(metrics, facts["normal"]),
        gate=WITH_GATE if facts.get("gate") else WITHOUT_GATE,
    )


def _counts(facts: Facts) -> dict[str, dict[str, dict[str, int]]]:
    """Images by split, source and class; empty where the training facts state none."""
    counts = facts["training"].get("counts")
    if not isinstance(counts, Mapping):
        return {}
    splits = {
        split: {source: dict(found) for source, found in sources.items() if isinstance(found, Mapping)}
        for split, sources in counts.items()
        if isinstance(sources, Mapping)
    }
    return {split: sources for split, sources in splits.items() if sources}


def _name(source: str) -> str:
    return PUBLISHED[source][0] if source in PUBLISHED else source


def _data(facts: Facts) -> str:
    counts, classes = _counts(facts), facts["classes"]
    if not counts:
        return "Not stated.\n"
    rows = [["split", "data set", *classes, "lesion drawn"]]
    for split, sources in counts.items():
        for source, found in sources.items():
            named = f"[{_name(source)}]({PUBLISHED[source][1]})" if source in PUBLISHED else source
            rows.append([split, named, *(str(found.get(key, 0)) for key in (*classes, "lesion drawn"))])
    return (
        _table(rows) + "\nImages with a drawn lesion teach the attention map. The data keep their publishers' terms.\n"
    )


def _scores(metrics: Facts | None, normal: str) -> str:
    if not metrics:
        return "Not evaluated.\n"
    rows = [["data set", "images", "score", "value (95% interval)"]]
    for source, found in metrics["classification"].items():
        for key, (_, title) in CLASSIFICATION.items():
            if _says_something(found, key, normal):
                rows.append([_name(source), str(found["n"]), title, f"{Estimate.from_json(found[key]):.3f}"])
    for source, found in metrics["localisation"].items():
        for key, title in (("hit_rate", "Hit rate of the attention map"), ("iou", "IoU of the attention map")):
            score = Estimate.from_json(found["attention"][key])
            rows.append([_name(source), str(found["n"]), title, f"{score:.3f}"])
    return (
        f"{_table(rows)}\nIntervals are bootstrapped over patients. A map hits where its highest value lies inside "
        "what a reader drew.\nmetrics.json holds every score, with controls and subgroups.\n"
    )


def _results(metrics: Facts | None, normal: str) -> list[dict[str, Any]]:
    """The results of a model-index: one entry a data set."""
    return [
        {
            "task": {"type": "image-classification", "name": "Pneumonia in chest radiographs"},
            "dataset": {"type": source, "name": _name(source)},
            "metrics": list(_metrics(found, normal)),
        }
        for source, found in (metrics or {}).get("classification", {}).items()
    ]


def _metrics(found: Facts, normal: str) -> Iterator[dict[str, Any]]:
    for key, (kind, title) in CLASSIFICATION.items():
        if _says_something(found, key, normal):
            yield {"type": kind, "name": title, "value": round(found[key]["value"], 3)}


def _says_something(found: Facts, key: str, normal: str) -> bool:
    """Whether the score has a value, and AUROC enough images on both sides of the class `normal`."""
    if not found.get(key) or found[key]["value"] is None:
        return False
    counts = found["counts"]
    return key != "auroc_abnormal" or min(counts[normal], sum(counts.values()) - counts[normal]) >= MIN_IMAGES


def _table(rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(row)} |\n" for row in rows]
    return "".join([lines[0], "|---" * len(rows[0]) + "|\n", *lines[1:]])
