"""Who may speak to the page: only this machine, by a name of this machine, and only pages of its own origin.

A browser can be made to send requests by any site that its user visits. The Host check stops a foreign name that was
pointed at 127.0.0.1 (DNS rebinding); the Origin check stops a foreign page that posts to us (cross-site forgery).
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from factory.errors import FactoryError
from factory.web.errors import BodyTooLarge, RequestRefused, refusal

NAMES = ("127.0.0.1", "localhost", "[::1]")
READING = ("GET", "HEAD")
MOST_BYTES = 64_000_000  # of a request's body: the largest table, written as JSON
SECURITY = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with `no-referrer` browsers send `Origin: null` on a plain form's POST
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """ASGI middleware: refuses foreign requests and writes security headers on every answer."""

    def __init__(self, app: ASGIApp, *, port: int) -> None:
        self._app = app
        self._hosts = frozenset(f"{name}:{port}" for name in NAMES) | (frozenset(NAMES) if port == 80 else frozenset())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            try:
                self._check(scope["method"], Headers(scope=scope))
            except FactoryError as error:
                await refusal(error)(scope, receive, _secured(send))
            else:
                await self._app(scope, receive, _secured(send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _check(self, method: str, headers: Headers) -> None:
        hosts = headers.getlist("host")
        host = hosts[0].lower() if len(hosts) == 1 else ""
        if host not in self._hosts:
            raise RequestRefused(
                f"the request is for the host {', '.join(hosts)[:200]!r}",
                next_step=f"open the page at http://{min(self._hosts)}/",
            )
        origin = headers.get("origin")
        if (origin is None and method not in READING) or (origin is not None and origin.lower() != f"http://{host}"):
            raise RequestRefused(
                f"the request comes from {origin[:200]!r}" if origin else f"{method} came without an Origin",
                next_step=f"send it from the page itself, or with the header Origin: http://{host}",
            )
        if method not in READING:
            _check_size(headers)


def _check_size(headers: Headers) -> None:
    """A body must say its length, so that an endless one is refused before it is read."""
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not length.isascii() or not length.isdigit() or int(length) > MOST_BYTES:
        raise BodyTooLarge(
            f"the body has {length[:20]} bytes or does not say how many; {MOST_BYTES} are allowed",
            next_step="send less, with a Content-Length",
        )


def _secured(send: Send) -> Send:
    async def send_secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-cache")
        await send(message)

    return send_secured
