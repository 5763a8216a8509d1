"""Start the viewer from a checkout: `python app.py` or `make app`. Hugging Face Spaces runs this file too."""

import sys

from deep_pneumonia.app import main

if __name__ == "__main__":
    sys.exit(main())
