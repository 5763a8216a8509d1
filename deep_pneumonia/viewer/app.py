"""The frame of the viewer: theme, limits, privacy, and the screens in it."""

import os

import gradio as gr

from deep_pneumonia.cases import SHIPPED_CASES, load_cases
from deep_pneumonia.errors import DeepPneumoniaError
from deep_pneumonia.reader import SHIPPED, Reader
from deep_pneumonia.viewer import inspect

TITLE = "Deep Pneumonia"
HEAD = f"""<header><h1>{TITLE}</h1>
<p>A chest radiograph, what a pneumonia classifier attends to in it, and doctors' masks beside it.</p>
<p class="device">Research and teaching only. Not a medical device.</p></header>"""
STYLE = SHIPPED.parent / "viewer.css"
# The same as the decoder's limit, so that a larger file is refused before it travels.
MAX_UPLOAD = "64mb"
# Seconds: look every ten minutes for uploads older than half an hour.
DELETE_CACHE = (600, 1800)


def theme() -> gr.themes.Base:
    """A calm frame in the machine's own fonts: nothing is fetched from elsewhere."""
    return gr.themes.Base(
        primary_hue="sky",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(body_text_color_subdued="*neutral_600", body_text_color_subdued_dark="*neutral_400")


def build(reader: Reader) -> gr.Blocks:
    """The whole viewer around one reader."""
    with gr.Blocks(title=TITLE, fill_width=True, analytics_enabled=False, delete_cache=DELETE_CACHE) as blocks:
        gr.HTML(HEAD)
        screen = inspect.Screen(reader, load_cases(SHIPPED_CASES))
        if screen.examples.cases:
            blocks.load(screen.first, None, [screen.file, screen.masks], api_visibility="private")
    return blocks.queue(max_size=32)


def launch(reader: Reader) -> None:
    """Serve until stopped. GRADIO_SERVER_NAME and GRADIO_SERVER_PORT say where; the address is printed.

    Raises:
        DeepPneumoniaError: the port is taken, or the name is no address of this machine.
    """
    name, port = (os.environ.get(f"GRADIO_SERVER_{part}") for part in ("NAME", "PORT"))
    blocks = build(reader)
    try:
        _, address, _ = blocks.launch(
            # Gradio would go on to another port; who asks for one waits there.
            server_port=int(port) if port else None,
            prevent_thread_lock=True,
            quiet=True,
            allowed_paths=[str(SHIPPED_CASES)],  # wherever it was started; no upload lies there
            max_file_size=MAX_UPLOAD,
            theme=theme(),
            css_paths=STYLE,
            footer_links=["api"],
            # Nothing leaves this machine, and nothing of a visitor stays.
            share=False,
            run_history=False,
            enable_monitoring=False,
        )
    except OSError as error:
        raise DeepPneumoniaError(
            f"Nothing can listen at {name or '127.0.0.1'}, port {port or '7860 to 7959'}: taken, or no address of this "
            "machine; choose others with GRADIO_SERVER_NAME and GRADIO_SERVER_PORT."
        ) from error
    print(f"{TITLE} is at {address} - stop it with Ctrl-C.", flush=True)
    blocks.block_thread()
