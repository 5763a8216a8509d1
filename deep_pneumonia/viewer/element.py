"""Elements of the page that a JavaScript module of static/ draws and fills."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr

SCRIPTS = Path(__file__).parent / "static"


def scripted(template: str, script: str, mounting: str, *, elem_id: str, **options: Any) -> gr.HTML:
    """An HTML element whose content belongs to a script.

    template: the HTML that the script finds. script: its path under static/. mounting: JavaScript that runs once the
    script is loaded, with its `mount` and with Gradio's `element`, `props`, `trigger` and `watch`; every event that
    Python listens to stands in it in quotes. options: more of `gr.HTML`, and properties for `props`.
    """
    return gr.HTML(
        None,
        html_template=template,
        js_on_load='import((window.gradio_config?.root ?? "") + props.script).then(({ mount }) => {' + mounting + "});",
        apply_default_css=False,
        elem_id=elem_id,
        script=f"/gradio_api/file={quote(str(SCRIPTS / script))}",
        **options,
    )
