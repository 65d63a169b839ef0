"""A request that changes something begins a trace, or goes on with its sender's."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from factory import traces
from factory.web.guard import READING


class Traced:
    """ASGI middleware: a span for each request that does not only read, in the trace of its `traceparent` header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READING:
            await self._app(scope, receive, send)
            return
        sender = Headers(scope=scope).get("traceparent", "")  # "" is a trace of its own
        with traces.span(f"{scope['method']} {scope['path'][:200]}", parent=sender):
            await self._app(scope, receive, send)
