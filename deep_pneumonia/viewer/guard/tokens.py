"""Tokens of the page: proof that a request comes from a page that this viewer served.

The page gets a token in its HTML, which pages of other sites cannot read, and sends it in a header. Pictures and links
carry it in a cookie, or in the address where a browser blocks the cookies of embedded pages.
"""

import hashlib
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers

HEADER = "x-page-token"
QUERY = "page_token"


class Tokens:
    """Makes and checks tokens, which end with this process."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        # Cookies are shared by all ports of a host, so that two viewers on one machine need two names.
        self.cookie = f"deep-pneumonia-{secrets.token_hex(4)}"

    def new(self) -> str:
        """A token for a new visitor."""
        visitor = secrets.token_hex(16)
        return f"{visitor}.{self._signature(visitor)}"

    def visitor(self, token: str) -> str:
        """The visitor that a token was made for; "" if this process did not make it."""
        visitor, _, signature = token.partition(".")
        good = hmac.compare_digest(signature.encode(), self._signature(visitor).encode())
        return visitor if good else ""

    def visitor_of(self, headers: Headers, query: bytes = b"") -> str:
        """The visitor whose token a request brings in its header, address or cookie; "" without a valid one."""
        given = [
            headers.get(HEADER, ""),
            *parse_qs(query.decode("latin-1")).get(QUERY, [])[:1],
            self.in_cookie(headers),
        ]
        return next((visitor for token in given if token and (visitor := self.visitor(token))), "")

    def in_cookie(self, headers: Headers) -> str:
        """The token in the cookies of a request, or ""."""
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return ""
        return found.value if found else ""

    def set_cookie(self, token: str, *, secure: bool, embedded: bool) -> str:
        """The `Set-Cookie` header for a token. embedded: whether other sites may show the viewer in a frame."""
        site = "; SameSite=None; Secure; Partitioned" if embedded else "; SameSite=Lax" + "; Secure" * secure
        return f"{self.cookie}={token}; Path=/; HttpOnly{site}"

    def _signature(self, visitor: str) -> str:
        return hmac.new(self._secret, visitor.encode(), hashlib.sha256).hexdigest()
