"""The page as it leaves: with a token for its requests, a nonce for its inline scripts, and a policy for browsers."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deep_pneumonia.viewer.guard.headers import page_policy
from deep_pneumonia.viewer.guard.tokens import Tokens

# Neither the token nor the name of the cookie has a character that HTML would need escaped.
OWN_HEAD = b'<meta name="page-token" content="%s" data-of="%s"><script>%s</script>'
SENDER = Path(__file__).parents[1] / "static" / "page-token.js"


class Page:
    """Middleware between Gradio's page and its compression. ancestors: origins that may show the page in a frame."""

    def __init__(self, app: ASGIApp, tokens: Tokens, ancestors: Sequence[str], *, embedded: bool) -> None:
        self.app, self.tokens, self.ancestors, self.embedded = app, tokens, ancestors, embedded
        self.sender = SENDER.read_text(encoding="utf-8")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Collect the body of HTML, and pass all else on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def rewritten(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_html(message):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    body = self._finish(start, body, scope)
                    await send(start)
                    await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, rewritten)

    def _finish(self, start: Message, body: bytes, scope: Scope) -> bytes:
        """Set the headers of the page, and return its HTML with the token and the nonces."""
        headers, nonce = MutableHeaders(scope=start), secrets.token_urlsafe(16)
        known = self.tokens.in_cookie(Headers(scope=scope))
        token = known if self.tokens.visitor(known) else self.tokens.new()
        if token != known:
            secure = scope.get("scheme") == "https"
            headers.append("set-cookie", self.tokens.set_cookie(token, secure=secure, embedded=self.embedded))
        headers["content-security-policy"] = page_policy(nonce, self.ancestors)
        # Gradio escapes "<" in its JSON, so that every "<script" is a script of the page.
        own = OWN_HEAD % (token.encode(), self.tokens.cookie.encode(), self.sender.encode())
        html = body.replace(b"<head>", b"<head>" + own, 1).replace(b"<script", b'<script nonce="%s"' % nonce.encode())
        if scope["method"] != "HEAD":
            headers["content-length"] = str(len(html))
        return html


def _is_html(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("text/html")
