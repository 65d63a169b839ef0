"""Logs that programs can read: one JSON object a line, with the ids of the job, asset and trace that it is about."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

from factory import traces

LogFormat = Literal["text", "json"]

_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("about")
QUIET = ("urllib3", "requests")  # at DEBUG these write whole addresses, and an address may hold a token


@contextmanager
def about(**ids: str) -> Iterator[None]:
    """Let every line that is logged within the block carry these ids: `about(job=...)`, `about(asset=...)`."""
    token = _ABOUT.set({**_ABOUT.get({}), **ids})
    try:
        yield
    finally:
        _ABOUT.reset(token)


class JsonLines(logging.Formatter):
    """`{"at": "...Z", "level": "WARNING", "logger": "factory.store.lease", "message": "...", "job": "1f3c..."}`"""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            **_ABOUT.get({}),
        }
        if trace := traces.trace_id():
            told["trace_id"] = trace
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """The line that people read, with the same ids at its end."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's own name
        ids = "".join(f" {name}={value}" for name, value in _ABOUT.get({}).items())
        return super().formatMessage(record) + ids


class ToStderr(logging.Handler):
    """Writes to what `sys.stderr` is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # a log that cannot be written must not end the work
            self.handleError(record)


def set_up(form: LogFormat, level: int = logging.WARNING) -> None:
    """Write this process's logs to stderr in this form; what this set up before is replaced."""
    root, handler = logging.getLogger(), ToStderr()
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root.handlers[:] = [kept for kept in root.handlers if not isinstance(kept, ToStderr)] + [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
