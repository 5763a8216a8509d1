"""Headers of every answer: what a browser may do with it, who may show it in a frame, and what it may keep."""

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders

from deep_pneumonia.viewer.guard.routes import Route

SPACES_ANCESTORS = ("https://huggingface.co", "https://*.huggingface.co")
# Gradio compiles the JavaScript of its events in the browser ('unsafe-eval') and sets styles inline. Scripts of the
# page itself carry the nonce; there is no other inline script.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; media-src 'self' data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors {ancestors}"
)
# For all that is no page: scripts, pictures, files, JSON.
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
# What is the same for all visitors, and may be kept by their browsers.
SHARED = {"/assets/{path}", "/favicon.ico", "/pwa_icon"}


def page_policy(nonce: str, ancestors: Sequence[str]) -> str:
    """The Content-Security-Policy of a page whose inline scripts carry `nonce`.

    ancestors: origins of pages that may show the viewer in a frame; the viewer's own always may.
    """
    return PAGE_POLICY.format(nonce=nonce, ancestors=" ".join(["'self'", *ancestors]))


def add_headers(headers: MutableHeaders, route: Route, *, private: bool) -> None:
    """Add the security headers to those of an answer. private: whether the answer is one visitor's alone."""
    headers.setdefault("content-security-policy", DATA_POLICY)
    headers["x-content-type-options"] = "nosniff"
    headers["referrer-policy"] = "no-referrer"
    headers["cross-origin-resource-policy"] = "same-origin"
    # Gradio allows every origin to read its answers; only pages of the viewer's own get this far.
    for name in [name for name in headers if name.startswith("access-control-")]:
        del headers[name]
    if private and route.template not in SHARED:
        headers["cache-control"] = "no-store"
