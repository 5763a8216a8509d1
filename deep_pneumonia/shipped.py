"""Where the shipped files lie: checkpoints, teaching cases, the lesson's pictures and the model card.

A checkout keeps them in `assets/` beside the package; an installed wheel carries the same folder inside it. No other
module knows either place.
"""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_INSTALLED = _PACKAGE / "assets"

ASSETS = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "assets"
CHECKPOINT = ASSETS / "checkpoint"
PLAIN_CHECKPOINT = ASSETS / "checkpoint-plain"  # trained without doctors' masks, to compare with
CASES = ASSETS / "cases"
LESSON = ASSETS / "lesson"
MODEL_CARD = (ASSETS if ASSETS == _INSTALLED else ASSETS.parent) / "MODEL_CARD.md"
