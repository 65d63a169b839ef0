"""Where a job's time goes, across processes: spans of OpenTelemetry, sent by OTLP over HTTP.

A door turns them on (FACTORY_TRACES); until then nothing is imported and a span costs a function call. An order's trace
is written into its row (`traceparent` of W3C Trace Context): whoever rings its bell or works on it, in any process and
any attempt, goes on with it. Spans are sent beside the work, in batches; a collector that is away loses them, no more.
"""

from __future__ import annotations

import atexit
import contextlib
import contextvars
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar, cast

from factory.errors import WrongUsage

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from opentelemetry.trace import Tracer

log = logging.getLogger(__name__)

SEND_WITHIN: Final = 2.0  # seconds for a batch; a process that ends waits about as long for a collector, once
NOTHING: Final[AbstractContextManager[None]] = contextlib.nullcontext()

Attribute = str | int | float | Sequence[str]
P = ParamSpec("P")
R = TypeVar("R")


class TracesUnusable(WrongUsage):
    code = "traces-unusable"


# --- what a process sends --------------------------------------------------------------------------------------------


class _Sending:
    """What this process has turned on."""

    provider: TracerProvider | None = None
    tracer: Tracer | None = None
    ending = False


def turn_on(endpoint: str) -> None:
    """Send the spans of this process to an OTLP address, as `http://collector:4318/v1/traces`; empty: none.

    Headers, as keys of a hosted collector, come from OTEL_EXPORTER_OTLP_HEADERS. Raises TracesUnusable.
    """
    if not endpoint:
        return
    if not endpoint.startswith(("http://", "https://")):
        raise TracesUnusable("FACTORY_TRACES is no http address", next_step="write http://collector:4318/v1/traces")
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  when on
    except ImportError as error:
        raise TracesUnusable(
            "FACTORY_TRACES is set, and OpenTelemetry's SDK or its OTLP exporter is not installed",
            next_step="install AutoReel with its extra: pip install 'autoreel[traces]'",
        ) from error
    quiet = logging.getLogger("opentelemetry.exporter")
    quiet.setLevel(logging.CRITICAL)  # it tells of every batch that is lost; _Telling tells once
    send_to(OTLPSpanExporter(endpoint=endpoint, timeout=SEND_WITHIN))


def send_to(exporter: SpanExporter) -> None:
    """Give the spans of this process to an exporter, beside the work. What was turned on before is turned off."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  when on
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  when on
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  when on

    turn_off()
    who: dict[str, str | int] = {
        "service.name": "autoreel",
        "host.name": socket.gethostname(),
        "process.pid": os.getpid(),
    }
    provider = TracerProvider(resource=Resource(who), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(cast("SpanExporter", _Telling(exporter))))
    _Sending.provider, _Sending.tracer, _Sending.ending = provider, provider.get_tracer("autoreel"), False
    atexit.register(turn_off)


def turn_off() -> None:
    """Send what waits, and stop; where a batch of it is not taken, the rest is dropped."""
    provider, _Sending.provider, _Sending.tracer, _Sending.ending = _Sending.provider, None, None, True
    if provider is not None:
        atexit.unregister(turn_off)
        provider.shutdown()


class _Telling:
    """An exporter that says once when spans stop arriving, and once when they do again."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self._lost = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415  when on

        if self._lost and _Sending.ending:
            return SpanExportResult.FAILURE
        lost = self._inner.export(spans) is SpanExportResult.FAILURE
        if lost and not self._lost:
            log.warning("the collector of FACTORY_TRACES takes no spans: they are lost until it does")
        elif self._lost and not lost:
            log.info("the collector of FACTORY_TRACES takes spans again")
        self._lost = lost
        return SpanExportResult.FAILURE if lost else SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


# --- what is told ----------------------------------------------------------------------------------------------------


def on() -> bool:
    return _Sending.tracer is not None


def span(
    name: str, *, parent: str | None = None, since: int | None = None, **attributes: Attribute
) -> AbstractContextManager[None]:
    """Let the block be a span within the current one, or of the trace that `parent` names (a traceparent).

    `since` is when it really began, in nanoseconds of the epoch. An exception marks it as failed and goes on.
    """
    if _Sending.tracer is None:
        return NOTHING
    return _span(_Sending.tracer, name, parent, since, attributes)


def mark(name: str, *, parent: str | None = None, since: int | None = None, **attributes: Attribute) -> str | None:
    """Write down a span that ends now; return it as a traceparent, None where spans are off."""
    with span(name, parent=parent, since=since, **attributes):
        return traceparent()


def note(**attributes: Attribute) -> None:
    """Say more of the current span."""
    if _Sending.tracer is not None:
        from opentelemetry.trace import get_current_span  # noqa: PLC0415  when on

        get_current_span().set_attributes(attributes)


def traceparent() -> str | None:
    """Return the current span as W3C Trace Context, or None."""
    return _current()[0] if _Sending.tracer is not None else None


def trace_id() -> str | None:
    """Return the id of the current trace as 32 hex digits, or None."""
    return _current()[1] if _Sending.tracer is not None else None


def carried(do: Callable[P, R]) -> Callable[P, R]:
    """Return `do` for another thread, where it belongs to the span that is current here."""
    return partial(contextvars.copy_context().run, do) if _Sending.tracer is not None else do


@contextlib.contextmanager
def _span(
    tracer: Tracer, name: str, parent: str | None, since: int | None, attributes: dict[str, Attribute]
) -> Iterator[None]:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415  when on

    context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent is not None else None
    start = since if since is not None else time.time_ns()
    with tracer.start_as_current_span(
        name, context=context, attributes=attributes, start_time=start, record_exception=False
    ):
        yield


def _current() -> tuple[str | None, str | None]:
    from opentelemetry.trace import get_current_span  # noqa: PLC0415  when on

    here = get_current_span().get_span_context()
    if not here.is_valid:
        return None, None
    trace = f"{here.trace_id:032x}"
    return f"00-{trace}-{here.span_id:016x}-{int(here.trace_flags):02x}", trace
