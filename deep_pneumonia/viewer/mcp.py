"""The named endpoints as tools of a language model (MCP): repairs to Gradio's MCP server.

As of Gradio 6.31 its schemas for lists of files and for plain JSON are invalid, so calls with either are rejected. It
also answers in Python's notation instead of JSON, and never deletes a file that came with a call.
"""

import json
import secrets
from copy import deepcopy
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_base64_to_cache
from gradio.utils import get_upload_folder
from gradio_client import handle_file

from deep_pneumonia.viewer.guard.fetching import fetched

DATA_FORMAT = "a data URL with the file in base64"
URL_FORMAT = f"an http or https URL of a file, or {DATA_FORMAT}"


def schemas(*, allow_urls: bool) -> dict[str, dict[str, Any]]:
    """What a language model may send, by parameter."""
    file = {"type": "string", "format": URL_FORMAT if allow_urls else DATA_FORMAT}
    return {
        "file": file,
        "masks": {"type": "array", "items": file},
        "drawings": {"type": "array", "items": {"type": "object"}},
    }


def mend(blocks: gr.Blocks, *, allow_urls: bool = False) -> None:
    """Make the MCP server of launched `blocks` accept lists of files and drawings, answer in JSON and keep no file.

    allow_urls: whether it fetches files from public web addresses; otherwise it takes data URLs alone.
    """
    server, accepted = blocks.mcp_server_obj, schemas(allow_urls=allow_urls)
    server.api_info = deepcopy(server.api_info)  # the API page describes files as gradio_client sends them
    for endpoint in server.api_info["named_endpoints"].values():
        for parameter in endpoint["parameters"]:
            parameter["type"] = accepted.get(parameter["parameter_name"], parameter["type"])

    def file(url: object) -> dict[str, Any]:
        if isinstance(url, str) and url.startswith(("http://", "https://")) and allow_urls:
            path = fetched(url, get_upload_folder())
        elif isinstance(url, str) and url.startswith("data:"):
            path = saved(url)
        else:
            raise ValueError(f"A file must be given as {URL_FORMAT if allow_urls else DATA_FORMAT}.")
        blocks.upload_file_set.add(path)  # deleted with the uploads
        return dict(handle_file(path))

    def files(arguments: dict[str, Any], _: Any) -> dict[str, Any]:
        given = dict(arguments)
        if "file" in given:
            given["file"] = file(given["file"])
        if given.get("masks"):
            if not isinstance(given["masks"], list):
                raise ValueError("masks must be a list of files; send [] for none.")
            given["masks"] = [file(url) for url in given["masks"]]
        return given

    def answer(data: list[Any], _: str) -> list[Any]:
        return [server.types.TextContent(type="text", text=json.dumps(part)) for part in data]

    server.convert_strings_to_filedata, server.postprocess_output_data = files, answer


def saved(url: str) -> str:
    """The path of a new file with what a data URL holds.

    Raises:
        ValueError: it holds nothing in base64.
    """
    try:
        folder = Path(get_upload_folder()) / secrets.token_hex(16)  # Gradio names it by the file, which others may have
        return str(save_base64_to_cache(url, str(folder)))
    except (OSError, ValueError) as error:
        raise ValueError(f"A data URL must look like data:image/png;base64,..., not {url[:20]!r}.") from error
