"""Where the shipped files lie: checkpoints, teaching cases, the lesson's pictures and the model card.

A checkout keeps `assets/` and `MODEL_CARD.md` beside the package; an installed wheel carries them inside it. No other
module knows either place.
"""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_HOME = _PACKAGE if (_PACKAGE / "assets").is_dir() else _PACKAGE.parent

ASSETS = _HOME / "assets"
CHECKPOINT = ASSETS / "checkpoint"
PLAIN_CHECKPOINT = ASSETS / "checkpoint-plain"  # trained without doctors' masks, for comparison
CASES = ASSETS / "cases"
LESSON = ASSETS / "lesson"
MODEL_CARD = _HOME / "MODEL_CARD.md"  # links to pictures by their place in a checkout
