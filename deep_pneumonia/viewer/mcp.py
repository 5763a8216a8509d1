"""The named endpoints as tools of a language model (MCP): repairs to Gradio's MCP server.

As of Gradio 6.31 its schemas for lists of files and for plain JSON are invalid, so calls with either are rejected. It
also answers in Python's notation instead of JSON, and never deletes a file that came with a call.
"""

import json
from copy import deepcopy
from typing import Any

import gradio as gr

URL_FORMAT = "an http or https URL of a file, or a data URL with the file in base64"
# What a language model may send, by parameter.
SCHEMAS: dict[str, dict[str, Any]] = {
    "file": {"type": "string", "format": URL_FORMAT},
    "masks": {"type": "array", "items": {"type": "string", "format": URL_FORMAT}},
    "drawings": {"type": "array", "items": {"type": "object"}},
}


def mend(blocks: gr.Blocks) -> None:
    """Make the MCP server of launched `blocks` accept lists of files and drawings, answer in JSON and keep no file."""
    server = blocks.mcp_server_obj
    server.api_info = deepcopy(server.api_info)  # the API page describes files as gradio_client sends them
    for endpoint in server.api_info["named_endpoints"].values():
        for parameter in endpoint["parameters"]:
            parameter["type"] = SCHEMAS.get(parameter["parameter_name"], parameter["type"])
    one_file = server.convert_strings_to_filedata

    def file(url: str) -> dict[str, Any]:
        found: dict[str, Any] = one_file({"file": url}, [["file"]])["file"]
        if url.startswith("data:"):
            blocks.upload_file_set.add(found["path"])  # deleted with the uploads
        return found

    def files(arguments: dict[str, Any], _: Any) -> dict[str, Any]:
        given = dict(arguments)
        if "file" in given:
            given["file"] = file(given["file"])
        if "masks" in given:
            given["masks"] = [file(url) for url in given["masks"]]
        return given

    def answer(data: list[Any], _: str) -> list[Any]:
        return [server.types.TextContent(type="text", text=json.dumps(part)) for part in data]

    server.convert_strings_to_filedata, server.postprocess_output_data = files, answer
