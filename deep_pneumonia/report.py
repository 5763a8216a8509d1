"""The one-page report of a reading, the same from the command line and from the browser."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from deep_pneumonia.annotation import Annotation
from deep_pneumonia.figures import case_figure
from deep_pneumonia.radiograph import Radiograph
from deep_pneumonia.reader import Reading


def page(name: str, radiograph: Radiograph, annotations: Sequence[Annotation], reading: Reading) -> Figure:
    """The one-page figure of a reading."""
    height, width = reading.size
    title = [
        f"{name}: {reading.predicted} {reading.probabilities[reading.predicted]:.0%}",
        f"{height} x {width} pixels. Checkpoint {reading.checkpoint_name} ({reading.checkpoint_sha256[:12]}).",
    ]
    return case_figure(
        radiograph.pixels,
        reading.attention if reading.shows_map else None,
        annotations,
        title=title,
        probabilities=reading.probabilities,
        agreement=reading.agreement,
        warnings=[w.message for w in reading.warnings],
    )
