"""People are told of what failed and of what stands still: gathered from rows, sent from rows, blocking nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import requests
from sqlalchemy.orm import Session
from urllib3.exceptions import HTTPError

from factory import notice_forms
from factory.notice_forms import Request
from factory.runner import Duty
from factory.settings import Settings
from factory.store import notices, watch
from factory.store.db import Sessions
from factory.store.notices import Waiting

log = logging.getLogger(__name__)

EVERY = 5.0  # seconds between two turns
CONNECT_WITHIN, ANSWER_WITHIN = 3.0, 10.0  # seconds
MOST_ANSWER = 65_536  # bytes of an answer that are read


class NotTakenIn(Exception):
    """Why a notice did not arrive, without the address: it may hold a token. `away`: nobody answered at all."""

    def __init__(self, why: str, *, away: bool = False) -> None:
        super().__init__(why)
        self.away = away


def notice_duties(sessions: Sessions, settings: Settings) -> tuple[Duty, ...]:
    """Return what tells people, for a thread of its own; nothing where nobody is to be told."""
    if not settings.notice_url.get_secret_value():
        return ()
    return (Duty("notices", EVERY, lambda: tell(sessions, settings)),)


def tell(sessions: Sessions, settings: Settings) -> int:
    """Gather what is new and send what is due; return how many notices arrived."""
    gather(sessions, stalled_after=timedelta(seconds=settings.stalled_after))
    return send_due(sessions, settings)


def gather(sessions: Sessions, *, stalled_after: timedelta) -> int:
    """Keep a notice of everything that failed or stands still and was not told of; return how many are new."""
    with sessions.write() as session:
        return notices.put_failures(session) + _put_stalled(session, stalled_after)


def _put_stalled(session: Session, after: timedelta) -> int:
    """One notice of each job whose worker is silent, and one of the queue, however many wait in it."""
    stalls = watch.stalled(session, after=after)
    new = 0
    for stall in (stall for stall in stalls if stall.why == "no-beat"):
        body = {"job": stall.job, "code": stall.why, "since": stall.since.isoformat()}
        body["cause"] = "its worker has not been heard of, and no other has taken it"
        body["next_step"] = "see that workers run; the job goes on by itself once one does"
        new += notices.put(session, f"stalled/{stall.job}/{stall.fence}", "job-stalled", body)
    waiting = [stall for stall in stalls if stall.why != "no-beat"]
    if waiting:
        first = waiting[0]
        body = {"job": first.job, "code": first.why, "since": first.since.isoformat(), "waiting": str(len(waiting))}
        works = "nobody works" if first.why == "no-worker" else "workers are busy"
        body["cause"] = f"{len(waiting)} jobs wait, this one the longest, and {works}"
        body["next_step"] = "start workers, or more of them; see docs/operations.md"
        new += notices.put(session, f"waits/{first.job}/{first.fence}/{first.why}", "queue-stalled", body)
    return new


def send_due(sessions: Sessions, settings: Settings) -> int:
    """Send what is due, the oldest first. Where nobody answers the rest waits for the next turn."""
    with sessions.read() as session:
        if not watch.notice_counts(session)["waiting"]:
            return 0
    with sessions.write() as session:
        taken = notices.take(session)
    arrived, away = 0, False
    for notice in taken:
        if away:
            with sessions.write() as session:
                notices.let_go(session, notice)
            continue
        try:
            _send(notice, settings)
        except NotTakenIn as error:
            away = error.away
            with sessions.write() as session:
                again = notices.failed(session, notice, str(error))
            after = f"tried again at {again:%H:%M:%SZ}" if again else "given up"
            log.warning("notice %s: %s; %s", notice.key, error, after)
        else:
            arrived += 1
            with sessions.write() as session:
                notices.sent(session, notice)
    return arrived


def _send(notice: Waiting, settings: Settings) -> None:
    """Post one notice. Raises NotTakenIn."""
    url, secret = settings.notice_url.get_secret_value(), settings.notice_secret.get_secret_value()
    request = notice_forms.written(notice, settings.notice_form, url, secret, time.time())
    status, body = _post(request)
    if 300 <= status < 400:
        raise NotTakenIn(f"{status}: the receiver points elsewhere, which is not followed")
    if not notice_forms.taken_in(settings.notice_form, status, body):
        raise NotTakenIn(f"{status}: the receiver refused it")


def _post(request: Request) -> tuple[int, bytes]:
    """Return the status and the beginning of the body; the whole of it takes ten seconds at most."""
    give_up = time.monotonic() + ANSWER_WITHIN
    with _without_the_address(request.url), requests.Session() as session:
        session.trust_env = False  # no .netrc, and no proxy that a shell happens to name
        answer = session.post(
            request.url,
            data=request.body,
            headers=dict(request.headers),
            timeout=(CONNECT_WITHIN, ANSWER_WITHIN),
            allow_redirects=False,
            stream=True,
        )
        body = b""
        while len(body) < MOST_ANSWER and time.monotonic() < give_up and (block := answer.raw.read1(4096)):
            body += block
        return answer.status_code, body


@contextmanager
def _without_the_address(url: str) -> Iterator[None]:
    """Turn what the client raises into a sentence without the address and its token."""
    try:
        yield
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        parts = urlsplit(url)
        host = (parts.hostname if parts.scheme in ("http", "https") else None) or "the address"
        away = isinstance(error, requests.ConnectionError | requests.Timeout | HTTPError)
        raise NotTakenIn(f"{host}: {type(error).__name__}", away=away) from None
