"""A file from a public web address, for tools of language models where whoever runs the server allows it."""

import asyncio
import secrets
from pathlib import Path

import httpx
import safehttpx
from gradio_client.utils import synchronize_async

from deep_pneumonia.limits import MAX_FETCH_SECONDS, MAX_FILE_BYTES

NOT_FETCHED = "The file at this address cannot be fetched; give the address of a public file of at most 64 MiB."


def fetched(url: str, folder: str) -> str:
    """The path of a new file in `folder` with what is at `url`. Redirects are not followed.

    Raises:
        ValueError: the address is not public, or gives no file of at most `MAX_FILE_BYTES`.
    """
    try:
        content = synchronize_async(_content, url)
    except Exception as error:
        raise ValueError(NOT_FETCHED) from error
    path = Path(folder) / secrets.token_hex(16) / "file"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return str(path)


async def _content(url: str) -> bytes:
    """The bytes at an address whose name resolves to a public one; the connection goes to exactly that one."""
    verified = await safehttpx.async_validate_url(httpx.URL(url).host)
    transport = safehttpx.AsyncSecureTransport(verified)
    content = b""
    async with (
        asyncio.timeout(MAX_FETCH_SECONDS),
        httpx.AsyncClient(transport=transport, timeout=MAX_FETCH_SECONDS) as client,
        client.stream("GET", url) as answer,
    ):
        answer.raise_for_status()
        async for chunk in answer.aiter_bytes():
            content += chunk
            if len(content) > MAX_FILE_BYTES:
                raise ValueError(NOT_FETCHED)
    return content
