"""The page of the desk: the app, and the server that runs it with workers beside."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import uvicorn
import yaml
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from uvicorn.config import LOGGING_CONFIG

from factory import runner_child
from factory.errors import FactoryError, WrongUsage
from factory.fitness import require_fit
from factory.notices import notice_duties
from factory.render.templates import PACKAGED
from factory.runner import Duties, Duty, LocalRunner, bell_duties
from factory.schedule import seed
from factory.schedule_clock import ScheduleClock
from factory.store.columns import utc_now
from factory.store.db import require_migrated
from factory.web import api, metrics
from factory.web.errors import answer_errors
from factory.web.guard import Guard
from factory.web.thumbs import Thumbs
from factory.web.traced import Traced
from factory.wiring import Parts

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
PAGES = PACKAGED / "pages"
SWEEP_EVERY = 600.0  # seconds between two cleanings of what ended processes left unfinished
STOP_WITHIN = 3  # seconds that open streams get when the server ends

Language = Literal["zh", "en"]


class NotThisMachine(WrongUsage):
    """There are no accounts yet, so the page is for this machine alone."""

    code = "not-this-machine"


class PortTaken(FactoryError):
    code = "port-taken"


def create_app(parts: Parts) -> FastAPI:
    """Return the page and its API over these parts."""
    app = FastAPI(title="AutoReel", docs_url=None, redoc_url=None)
    app.state.parts = parts
    app.state.thumbs = Thumbs(parts.sessions, parts.files)
    answer_errors(app)
    app.include_router(api.router)
    app.include_router(metrics.router)
    _add_page(app, parts)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Traced)
    app.add_middleware(Guard, port=parts.settings.web_port)
    return app


def serve(parts: Parts) -> None:
    """Serve the page until a signal ends it; workers (or the relay to the broker) run beside it."""
    host, port = parts.settings.web_host, parts.settings.web_port
    with _bound(host, port) as bound, _work_beside(parts), _ended_by_signal():
        config = uvicorn.Config(
            create_app(parts),
            log_level=parts.settings.log_level.lower(),
            access_log=False,
            log_config=None if parts.settings.log_format == "json" else LOGGING_CONFIG,
            server_header=False,
            timeout_graceful_shutdown=STOP_WITHIN,
        )
        log.info("the page is at http://%s:%s/", f"[{host}]" if ":" in host else host, port)
        uvicorn.Server(config).run(sockets=[bound])


# --- the page --------------------------------------------------------------------------------------------------------


def _add_page(app: FastAPI, parts: Parts) -> None:
    pages = Environment(loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    words = yaml.safe_load((PAGES / "words.yaml").read_text(encoding="utf-8"))

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def page(request: Request, lang: Language | None = None) -> str:
        language = lang or _preferred(request.headers.get("accept-language", ""))
        said = {key: text[language] for key, text in words.items()}
        offer: dict[str, Any] = api.templates(parts)
        return pages.get_template("index.html").render(lang=language, words=said, offer=offer)


def _preferred(accepted: str) -> Language:
    """Return the first of our languages that the browser names; browsers name the liked one first."""
    for part in accepted.lower().split(","):
        if part.strip().startswith("zh"):
            return "zh"
        if part.strip().startswith("en"):
            return "en"
    return "en"


# --- the server ------------------------------------------------------------------------------------------------------


def _bound(host: str, port: int) -> socket.socket:
    """Return the listening socket, on an address of this machine's own loop only."""
    if host != "localhost" and not _is_loopback(host):
        raise NotThisMachine(
            f"FACTORY_WEB_HOST is {host!r}, which others can reach, and there are no accounts yet",
            next_step="leave it at 127.0.0.1 and reach it from elsewhere through `ssh -L`",
        )
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise PortTaken(
            f"{host}:{port} cannot be bound: {error.strerror}", next_step="end what uses it, or set FACTORY_WEB_PORT"
        ) from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextlib.contextmanager
def _work_beside(parts: Parts) -> Iterator[None]:
    """Without a broker, work jobs off here; with one, ring its bell. Either way, sweep what was left unfinished, and
    tell people what failed: in a thread of its own, for a receiver may be slow."""
    require_migrated(parts.sessions.engine)
    with Duties(notice_duties(parts.sessions, parts.settings)), _jobs_beside(parts):
        yield


@contextlib.contextmanager
def _jobs_beside(parts: Parts) -> Iterator[None]:
    sweep = Duty("sweep", SWEEP_EVERY, parts.files.clean)
    if parts.settings.broker_url:
        with Duties((*bell_duties(parts.sessions, parts.send), sweep)):
            yield
        return
    if parts.settings.workers:
        require_fit(parts)
    with parts.sessions.write() as session:
        seed(session, utc_now(), parts.settings)
    runner = LocalRunner(
        parts.settings.database,
        runner_child.open_produce,
        open_help=runner_child.open_help,
        workers=parts.settings.workers,
        memory_mb=parts.settings.worker_memory,
        duties=(sweep,),
    )
    with (
        runner,
        ScheduleClock(parts.sessions),
    ):
        yield


@contextlib.contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does: uvicorn raises the signal again once it has stopped, and by default
    that would end this process before its workers were asked to hand their jobs back."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
