"""The guard: the outermost layer of the server, which checks every request before Gradio sees it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deep_pneumonia.viewer.guard.addresses import Addresses, network_of, same_origin
from deep_pneumonia.viewer.guard.counting import Attempts, TooLong, counted
from deep_pneumonia.viewer.guard.headers import add_headers
from deep_pneumonia.viewer.guard.journal import OTHER, Journal
from deep_pneumonia.viewer.guard.routes import FILE, HEALTH, LOGIN, METRICS, READING, UPLOAD, Route, route_of
from deep_pneumonia.viewer.guard.tokens import Tokens
from deep_pneumonia.viewer.guard.visitors import VISITOR, Visitor

FORWARDING = (b"x-forwarded-", b"x-gradio-server", b"forwarded", b"x-real-ip")
OWN_PAGES = ("same-origin", "none")  # of Sec-Fetch-Site; "none" is the address bar
CALL_HELP = "The server cannot use this request; docs/api.md of Deep Pneumonia shows the form of each call."


BUSY_STATUS = 503
BUSY = "The server is busy with the requests of others; try again in a minute."


def busy(*_: object) -> Response:
    """The answer to a call that finds as many waiting as may wait."""
    return JSONResponse({"detail": BUSY}, BUSY_STATUS, {"retry-after": "60"})


def unusable(*_: object) -> Response:
    """The answer to a request that led to an error which nobody foresaw."""
    return JSONResponse({"detail": CALL_HELP}, 500)


class Refusal(Exception):  # noqa: N818 (an answer, not a fault)
    """Why a request is not served. status: of HTTP. reason: one word for the log. sentence: for whoever asked."""

    def __init__(self, status: int, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.reason, self.sentence = status, reason, sentence


@dataclass(frozen=True)
class Rules:
    """What the guard needs to know of the viewer.

    is_shipped: whether the file at a path is part of the program. may_fetch: whether a visitor (by the page's token, ""
    without one) may fetch the file at a path. health: facts for /healthz. queue_length: how many requests wait. root:
    the path under which a proxy shows the viewer. metrics: whether /metrics is served.
    """

    addresses: Addresses
    is_shipped: Callable[[str], bool]
    may_fetch: Callable[[str, str], bool]
    health: Callable[[], dict[str, Any]]
    queue_length: Callable[[], int]
    root: str = ""
    metrics: bool = False


class Guard:
    """ASGI middleware that refuses what no visitor of this viewer sends, and adds headers to every answer."""

    def __init__(self, app: ASGIApp, rules: Rules, tokens: Tokens, journal: Journal) -> None:
        self.app, self.rules, self.tokens, self.journal = app, rules, tokens, journal
        self.logins = Attempts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or refuse with one sentence; either way with one line at most in the log."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":  # the viewer has none
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        start, status = time.monotonic(), 0
        route = route_of(self._path(scope))
        private = route is FILE and not self.rules.is_shipped(_file(self._path(scope)))

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                add_headers(headers, route or HEALTH, private="etag" not in headers or private)
            await send(message)

        refusal: Refusal | None = None
        answer: Response | None = None
        try:
            await self._serve(route, scope, receive, noted)
        except Refusal as found:
            refusal = found
        except TooLong:
            refusal = _too_long(route or HEALTH)
        except ClientDisconnect:
            refusal = Refusal(0, "aborted", "")
        except Exception as error:
            self.journal.fault(error, (route or HEALTH).template)
            answer = unusable()
        facts = (status or (refusal.status if refusal else 500), time.monotonic() - start)
        name = route.template if route else OTHER
        self.journal.request(scope["method"], name, *facts, refusal.reason if refusal else "")
        if refusal and refusal.status:
            answer = JSONResponse({"detail": refusal.sentence}, refusal.status)
        if answer and not status:
            await answer(scope, receive, noted)

    async def _serve(self, route: Route | None, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        peer = (scope.get("client") or ("",))[0]
        trusted = self.rules.addresses.trusts(peer)
        address = self.rules.addresses.visitor(peer, headers.get("x-forwarded-for", ""))
        if route is HEALTH and scope["method"] in READING:
            await JSONResponse(self.rules.health())(scope, receive, send)
            return
        host = (headers.get("x-forwarded-host", "").split(",")[0].strip() if trusted else "") or headers.get("host", "")
        self._check_host(host)
        if route is None or (route is METRICS and not self.rules.metrics):
            raise Refusal(404, "unknown-path", "There is nothing at this address.")
        if scope["method"] not in route.methods:
            raise Refusal(405, "method", f"This address does not answer {scope['method']}.")
        _check_source(route, scope["method"], headers, host)
        _check_body(route, scope["method"], headers)
        token = self.tokens.visitor_of(headers, scope.get("query_string", b""))
        self._check_token(route, self._path(scope), token)
        if route is LOGIN and not self.logins.allow(network_of(address)):
            raise Refusal(429, "logins", "Too many attempts to log in; try again in a minute.")
        if route is METRICS:
            await PlainTextResponse(self.journal.metrics(self.rules.queue_length()))(scope, receive, send)
            return
        VISITOR.set(Visitor(network_of(address), token))
        kept = scope["headers"] if trusted else [h for h in scope["headers"] if not h[0].startswith(FORWARDING)]
        scheme = headers.get("x-forwarded-proto", "").split(",")[0].strip() if trusted else ""
        client = (address, (scope.get("client") or ("", 0))[1])
        own = {**scope, "headers": kept, "client": client, "scheme": scheme or scope["scheme"]}
        await self.app(own, counted(receive, route.max_bytes), send)

    def _check_host(self, host: str) -> None:
        if not self.rules.addresses.allows_host(host):
            raise Refusal(
                421,
                "host",
                "This viewer does not answer to the name in the address. If the name is right, start the viewer with "
                "--allowed-hosts and this name.",
            )

    def _check_token(self, route: Route, path: str, token: str) -> None:
        if route is FILE:
            if not (self.rules.is_shipped(_file(path)) or self.rules.may_fetch(_file(path), token)):
                raise Refusal(403, "file", "This file is not for this page; load the page again.")
        elif route.token and not token:
            raise Refusal(403, "token", "This request does not come from a page of this viewer; load the page again.")

    def _path(self, scope: Scope) -> str:
        path: str = scope["path"]
        root = self.rules.root
        return path[len(root) :] or "/" if root and path.startswith(f"{root}/") else path


def _file(path: str) -> str:
    """The path of the file that a request names."""
    return path.partition("file=")[2]


def _check_source(route: Route, method: str, headers: Headers, host: str) -> None:
    """Refuse pages of other sites. Programs send neither header; browsers send `Origin` with all that writes."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    foreign = (origin is not None and not same_origin(origin, host)) or (site is not None and site not in OWN_PAGES)
    link = route.page and method in READING and headers.get("sec-fetch-mode") == "navigate" and origin is None
    if foreign and not link:
        raise Refusal(403, "origin", "Pages of other sites may not use this viewer.")


def _check_body(route: Route, method: str, headers: Headers) -> None:
    """Refuse bodies of another type than the route takes, and those that announce too many bytes."""
    if method in READING or method == "DELETE":
        return
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in route.types:
        raise Refusal(415, "type", f"Send {' or '.join(route.types)}, not {'another type' if kind else 'no type'}.")
    length = headers.get("content-length", "")
    if route is UPLOAD and not length.isdecimal():
        raise Refusal(411, "length", "Send an upload with its Content-Length.")
    if length.isdecimal() and int(length) > route.max_bytes:
        raise _too_long(route)


def _too_long(route: Route) -> Refusal:
    return Refusal(413, "too-long", f"A request to this address may have {route.max_bytes:,} bytes; send less.")
