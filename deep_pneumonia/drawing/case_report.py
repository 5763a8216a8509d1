"""The one-page report of a reading, the same from the command line and from the browser."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from deep_pneumonia.drawing.case_page import WhatIf, case_picture
from deep_pneumonia.drawing.lettering import short
from deep_pneumonia.masks.annotation import Annotation
from deep_pneumonia.prediction.predictor import Prediction
from deep_pneumonia.radiographs.radiograph import Radiograph

LONGEST = 64  # letters of a file's name in the heading


def page(
    name: str, radiograph: Radiograph, annotations: Sequence[Annotation], prediction: Prediction, *, day: str
) -> Figure:
    """The one-page figure of a reading, written on `day` (ISO 8601).

    `name` is all that may tell whose radiograph it is: nothing of the file's own header is written.
    """
    height, width = prediction.size
    p = prediction.probabilities[prediction.predicted]
    said = f"{short(prediction.predicted, 32)} {'over 99%' if p > 0.99 else f'{p:.0%}'}"
    title = [
        f"{short(name, LONGEST)}: {'no reading' if prediction.is_refused else said}",
        f"{height} x {width} pixels. Report of {day}.",
        f"Checkpoint {short(prediction.checkpoint_name, LONGEST)}, SHA-256 {prediction.checkpoint_sha256}.",
    ]
    return case_picture(
        radiograph.pixels,
        prediction.attention if prediction.shows_map else None,
        annotations,
        title=title,
        probabilities=prediction.probabilities,
        agreement=prediction.agreement,
        what_if=what_if(prediction),
        warnings=[w.message for w in prediction.warnings],
    )


def what_if(prediction: Prediction) -> list[WhatIf]:
    """The frames that the model saw: as it is, with the lesion removed and with nothing but it; none without one."""
    if prediction.what_if is None or prediction.what_if_frames is None:
        return []
    answers = {"as it is": prediction.probabilities}
    answers |= {name.replace("_", " "): p for name, p in prediction.what_if.items()}
    frames = prediction.what_if_frames / 255.0
    return [WhatIf(name, frame, p) for (name, p), frame in zip(answers.items(), frames, strict=True)]
