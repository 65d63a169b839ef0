"""Every refusal as an answer: JSON with code, cause and next step, and the status that fits."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from factory.errors import FactoryError, WrongUsage
from factory.store.desk import UnknownShot
from factory.store.embargoes import UnderEmbargo
from factory.store.files import FileMissing, NameTaken
from factory.store.job import FenceLost, IdempotencyConflict, UnknownJob, WrongState
from factory.store.places import QueueFull
from understanding.errors import MediaRefused

log = logging.getLogger(__name__)

MOST_FAULTS = 5  # of one request, named in its answer
AFTER_SECONDS = 30  # in which a job that is worked on may have ended


class UnknownOutput(FactoryError):
    code = "unknown-output"


class RequestRefused(FactoryError):
    """Not a request of this machine's own page: another Host, another Origin."""

    code = "request-refused"


class BodyTooLarge(WrongUsage):
    code = "body-too-large"


STATUS: Mapping[type[FactoryError], int] = {
    RequestRefused: 403,
    UnknownJob: 404,
    UnknownShot: 404,
    UnknownOutput: 404,
    FileMissing: 404,
    WrongState: 409,
    IdempotencyConflict: 409,
    NameTaken: 409,
    UnderEmbargo: 409,
    FenceLost: 409,
    BodyTooLarge: 413,
    QueueFull: 429,
    WrongUsage: 400,
}


def status_of(error: FactoryError) -> int:
    """Return the HTTP status of a refusal; the class named most exactly decides."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    if error.exit_code == WrongUsage.exit_code:
        return 400
    return 503 if error.transient else 500


def answer(status: int, code: str, cause: str, next_step: str) -> JSONResponse:
    return JSONResponse({"code": code, "cause": cause, "next_step": next_step}, status)


def refusal(error: FactoryError) -> JSONResponse:
    told = answer(status_of(error), error.code, error.cause, error.next_step)
    if isinstance(error, QueueFull):
        told.headers["Retry-After"] = str(AFTER_SECONDS)
    return told


def answer_errors(app: FastAPI) -> None:
    """Make `app` answer every error in the one shape."""

    @app.exception_handler(FactoryError)
    def refused(_request: Request, error: FactoryError) -> JSONResponse:
        return refusal(error)

    @app.exception_handler(MediaRefused)
    def media_refused(_request: Request, error: MediaRefused) -> JSONResponse:
        return answer(400, error.code, error.cause, error.next_step)

    @app.exception_handler(RequestValidationError)
    def malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(400, "wrong-usage", _faults(error), "mend the fields that are named and send it again")

    @app.exception_handler(HTTPException)
    def http_error(request: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "wrong-usage")
        cause = f"{request.method} {request.url.path[:200]}: {error.detail}"
        return answer(error.status_code, code, cause, "look at /openapi.json for what there is")

    @app.exception_handler(Exception)
    def fault(_request: Request, error: Exception) -> JSONResponse:
        log.error("a request failed", exc_info=error)
        return answer(500, "internal-error", "the request failed by a fault of the factory", "look at its log")


def _faults(error: RequestValidationError) -> str:
    found = error.errors()
    named = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in found[:MOST_FAULTS]]
    more = f"; and {len(found) - MOST_FAULTS} more" if len(found) > MOST_FAULTS else ""
    return "; ".join(named) + more
