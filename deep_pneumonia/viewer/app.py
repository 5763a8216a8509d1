"""The frame of the viewer: theme, limits, privacy, and the screens in it."""

import gradio as gr

from deep_pneumonia.reader import Reader
from deep_pneumonia.viewer import inspect

TITLE = "Deep Pneumonia"
HEAD = (
    "# Deep Pneumonia\n"
    "Upload a frontal chest radiograph, and a doctor's mask if there is one: see the predicted "
    "class, what the model attends to, and how well the two agree. "
    "**Research and teaching only. Not a medical device.** "
    "Uploads are deleted within the hour; do not upload pictures that name a patient."
)
MAX_UPLOAD = "64mb"
# Seconds: look every ten minutes for uploads older than half an hour.
DELETE_CACHE = (600, 1800)
CSS = "footer {display: none !important} .gradio-container {max-width: 1400px !important; margin: 0 auto !important}"


def build(reader: Reader) -> gr.Blocks:
    """The whole viewer around one reader."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=DELETE_CACHE) as blocks:
        gr.Markdown(HEAD)
        inspect.screen(reader)
    return blocks


def launch(reader: Reader) -> None:
    """Serve until stopped. GRADIO_SERVER_NAME and GRADIO_SERVER_PORT say where; the address is printed."""
    build(reader).queue(max_size=32).launch(max_file_size=MAX_UPLOAD, theme=gr.themes.Soft(), css=CSS)
