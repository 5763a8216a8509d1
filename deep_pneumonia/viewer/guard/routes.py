"""The paths that a visitor may ask for: what the page, `gradio_client` and MCP clients use, and no more.

Gradio serves more than the viewer needs, such as a proxy to other Spaces, a conversion of recordings and links that
write files. A path that is not listed here is not served.
"""

import re
from dataclasses import dataclass

from deep_pneumonia.limits import MAX_BODY_BYTES, MAX_LOGIN_BYTES, MAX_TOOL_BYTES, MAX_UPLOAD_BYTES

JSON_TYPE, FORM_TYPE, URL_TYPE = "application/json", "multipart/form-data", "application/x-www-form-urlencoded"
READING = frozenset({"GET", "HEAD"})
READING_AND_TOOLS = frozenset({"GET", "HEAD", "POST", "DELETE"})
WRITING = frozenset({"POST"})


@dataclass(frozen=True)
class Route:
    """A kind of path.

    template: its name in the log and the metrics, without what a visitor put into it. page: whether another site may
    link to it. token: whether it asks for a token of the page.
    """

    template: str
    methods: frozenset[str] = READING
    types: tuple[str, ...] = ()
    max_bytes: int = 0
    page: bool = False
    token: bool = False


API = "/gradio_api"
HEALTH = Route("/healthz", page=True)
METRICS = Route("/metrics", page=True)
FILE = Route(f"{API}/file={{path}}", token=True)
LOGIN = Route("/login", WRITING, (FORM_TYPE, URL_TYPE), MAX_LOGIN_BYTES)
UPLOAD = Route(f"{API}/upload", WRITING, (FORM_TYPE,), MAX_UPLOAD_BYTES)
ASKED = Route(f"{API}/component_server", WRITING, (JSON_TYPE,), MAX_BODY_BYTES, token=True)


def _json(template: str) -> Route:
    return Route(template, WRITING, (JSON_TYPE,), MAX_BODY_BYTES)


PATTERNS = [
    (re.compile(pattern), route)
    for pattern, route in [
        (r"/?", Route("/", page=True)),
        (r"/healthz", HEALTH),
        (r"/metrics", METRICS),
        (r"/login/?", LOGIN),
        (r"/logout", Route("/logout")),
        (r"/config/?", Route("/config")),
        (r"/(?:favicon\.ico|robots\.txt|manifest\.json|theme\.css)", Route("/favicon.ico")),
        (r"/(?:pwa_icon)(?:/.*)?", Route("/pwa_icon")),
        (r"/(?:assets|static|svelte)/.+", Route("/assets/{path}")),
        (rf"{API}/file=.+", FILE),
        (rf"{API}/upload", UPLOAD),
        (rf"{API}/component_server/?", ASKED),
        (rf"{API}/queue/join", _json(f"{API}/queue/join")),
        (rf"{API}/queue/(?:data|status)", Route(f"{API}/queue/data")),
        (rf"{API}/call/(?:v2/)?[^/]+/?", _json(f"{API}/call/{{name}}")),
        (rf"{API}/call/(?:v2/)?[^/]+/[^/]+", Route(f"{API}/call/{{name}}/{{event}}")),
        (rf"{API}/(?:cancel|reset/?)", _json(f"{API}/cancel")),
        (rf"{API}/heartbeat/[^/]+", Route(f"{API}/heartbeat/{{session}}")),
        (rf"{API}/upload_progress", Route(f"{API}/upload_progress")),
        (rf"{API}/(?:info/?|openapi\.json|app_id/?|login_check/?)", Route(f"{API}/info")),
        (rf"{API}/(?:user/?|startup-events|theme\.css)", Route(f"{API}/info")),
        (rf"{API}/mcp(?:/.*)?", Route(f"{API}/mcp", READING_AND_TOOLS, (JSON_TYPE,), MAX_TOOL_BYTES, page=True)),
    ]
]  # fmt: skip


def route_of(path: str) -> Route | None:
    """The route of a path, without the prefix under which a proxy shows the viewer; None if it is not served."""
    return next((route for pattern, route in PATTERNS if pattern.fullmatch(path)), None)
