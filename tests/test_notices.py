"""Notices against a real receiver: what arrives, what is tried again, what is never shown."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from factory import notices as verbs
from factory.notice_forms import Form, taken_in
from factory.notices import gather, notice_duties, send_due, tell
from factory.plan.brief import Brief
from factory.settings import Settings
from factory.store import jobs, notices, schedules, watch
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.schedules import ScheduleEntry
from factory.store.schema import JobRow, Notice
from tests.test_watch import ago, claimed, ordered

SECRET = "s3cret-of-the-desk"
TOKEN = "t0ken-in-the-address"


class Receiver:
    """A receiver on this machine. `answer` is (status, body, headers); `wait` seconds pass before it."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: tuple[int, bytes, dict[str, str]] = (200, b'{"errcode":0,"code":0}', {})
        self.wait = 0.0
        self.let_go = threading.Event()
        ours = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ours.got.append((self.path, dict(self.headers), body))
                ours.let_go.wait(ours.wait)
                status, told, headers = ours.answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/robot/send?access_token={TOKEN}"

    def settings(self, form: Form = "webhook", **changed: Any) -> Settings:
        given = {"notice_url": SecretStr(self.url), "notice_secret": SecretStr(SECRET), "notice_form": form}
        return Settings(**(given | changed))


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(verbs, "ANSWER_WITHIN", 0.5)
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.let_go.set()
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def fail_one(sessions: Sessions, text: str = "scene 4 wants 'interior'") -> str:
    held = claimed(sessions, ordered(sessions))
    with sessions.write() as session:
        jobs.fail(session, held, code="no-shot-for-scene", text=text, next_step="ingest more")
    return held.job


def due_now(sessions: Sessions) -> None:
    with sessions.write() as session:
        session.execute(sa.update(Notice).where(Notice.next_at.is_not(None)).values(next_at=ago(1)))


def kept(sessions: Sessions) -> list[Notice]:
    with sessions.read() as session:
        return list(session.scalars(sa.select(Notice).order_by(Notice.id)))


def test_a_failure_is_told_once_and_again_where_it_fails_again(sessions: Sessions, receiver: Receiver) -> None:
    job = fail_one(sessions)
    assert [tell(sessions, receiver.settings()) for _ in range(3)] == [1, 0, 0]
    _, headers, body = receiver.got[0]
    told = json.loads(body)
    assert (told["event"], told["job"], told["code"]) == ("job-failed", job, "no-shot-for-scene")
    made = hmac.new(SECRET.encode(), f"{headers['X-AutoReel-Timestamp']}.".encode() + body, hashlib.sha256)
    assert headers["X-AutoReel-Signature"] == f"sha256={made.hexdigest()}"
    assert abs(int(headers["X-AutoReel-Timestamp"]) - time.time()) < 30
    with sessions.write() as session:
        jobs.retry(session, job)
    held = claimed(sessions, job)
    with sessions.write() as session:
        jobs.fail(session, held, code="again", text="once more")
    assert tell(sessions, receiver.settings()) == 1


def test_many_senders_tell_each_thing_once(sessions: Sessions, receiver: Receiver) -> None:
    for number in range(8):
        fail_one(sessions, str(number))
    threads = [threading.Thread(target=tell, args=(sessions, receiver.settings())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(json.loads(body)["cause"] for _, _, body in receiver.got) == [str(number) for number in range(8)]


def test_dingtalk_gets_its_form_and_signature(sqlite: Sessions, receiver: Receiver) -> None:
    fail_one(sqlite, "没有素材")
    assert tell(sqlite, receiver.settings("dingtalk")) == 1
    path, _, body = receiver.got[0]
    query = {key: values[0] for key, values in parse_qs(urlsplit(path).query).items()}
    made = hmac.new(SECRET.encode(), f"{query['timestamp']}\n{SECRET}".encode(), hashlib.sha256).digest()
    assert (query["access_token"], base64.b64decode(query["sign"])) == (TOKEN, made)
    assert abs(int(query["timestamp"]) / 1000 - time.time()) < 30
    told = json.loads(body)
    assert told["msgtype"] == "text"
    assert "没有素材" in told["text"]["content"]


def test_feishu_gets_its_form_and_signature(sqlite: Sessions, receiver: Receiver) -> None:
    fail_one(sqlite)
    assert tell(sqlite, receiver.settings("feishu")) == 1
    told = json.loads(receiver.got[0][2])
    made = hmac.new(f"{told['timestamp']}\n{SECRET}".encode(), b"", hashlib.sha256).digest()
    assert base64.b64decode(told["sign"]) == made
    assert (told["msg_type"], "no-shot-for-scene" in told["content"]["text"]) == ("text", True)


@pytest.mark.parametrize(
    ("form", "status", "body", "arrived"),
    [
        ("webhook", 204, b"", True),
        ("webhook", 302, b"", False),
        ("dingtalk", 200, b'{"errcode":0,"errmsg":"ok"}', True),
        ("dingtalk", 200, b'{"errcode":310000,"errmsg":"sign not match"}', False),
        ("feishu", 200, b'{"StatusCode":0,"StatusMessage":"success"}', True),
        ("feishu", 200, b'{"code":19021,"msg":"sign match fail"}', False),
        ("feishu", 200, b"<html>", False),
        ("feishu", 200, b"[0]", False),
    ],
)
def test_a_robot_that_refuses_with_200_is_understood(form: Form, status: int, body: bytes, arrived: bool) -> None:
    assert taken_in(form, status, body) is arrived


@pytest.mark.parametrize("trouble", ["500", "redirect", "slow", "away", "refused", "no-address"])
def test_what_does_not_arrive_is_tried_again_and_shows_no_secret(
    sessions: Sessions, receiver: Receiver, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="factory")
    fail_one(sessions)
    settings = receiver.settings("dingtalk" if trouble == "refused" else "webhook")
    if trouble == "500":
        receiver.answer = (500, f"{TOKEN}".encode(), {})
    elif trouble == "redirect":
        receiver.answer = (307, b"", {"Location": f"http://127.0.0.1:{receiver.server.server_address[1]}/elsewhere"})
    elif trouble == "slow":
        receiver.wait = 30.0
    elif trouble == "away":
        settings = receiver.settings(notice_url=SecretStr(f"http://127.0.0.1:1/?access_token={TOKEN}"))
    elif trouble == "refused":
        receiver.answer = (200, b'{"errcode":310000}', {})
    else:
        settings = receiver.settings(notice_url=SecretStr(f"gopher://{TOKEN}"))
    began = time.monotonic()
    assert tell(sessions, settings) == 0
    assert time.monotonic() - began < 10
    assert "/elsewhere" not in [path for path, _, _ in receiver.got]
    (waiting,) = kept(sessions)
    assert (waiting.attempt, waiting.sent_at) == (1, None)
    assert waiting.next_at is not None
    assert 8 < (waiting.next_at - utc_now()).total_seconds() <= 10
    assert tell(sessions, settings) == 0  # not before its time
    assert kept(sessions)[0].attempt == 1
    for hidden in (TOKEN, SECRET):
        assert hidden not in caplog.text
        assert hidden not in waiting.error
        assert hidden not in repr(settings)
    receiver.answer, receiver.wait = (200, b"", {}), 0.0
    due_now(sessions)
    assert send_due(sessions, receiver.settings()) == 1


def test_where_nobody_answers_the_rest_waits_unharmed(sqlite: Sessions) -> None:
    for number in range(3):
        fail_one(sqlite, str(number))
    settings = Settings(notice_url=SecretStr("http://127.0.0.1:1/"))
    assert tell(sqlite, settings) == 0
    assert [notice.attempt for notice in kept(sqlite)] == [1, 0, 0]


def test_waits_grow_to_an_hour_and_end_after_three_days(sqlite: Sessions) -> None:
    with sqlite.write() as session:
        notices.put(session, "a", "test", {})
    waits = []
    for _ in range(12):
        due_now(sqlite)
        with sqlite.write() as session:
            (notice,) = notices.take(session)
            again = notices.failed(session, notice, "500")
        assert again is not None
        waits.append(round((again - utc_now()).total_seconds() / 10) * 10)
    assert waits[:4] + waits[-2:] == [10, 20, 40, 80, 3600, 3600]
    with sqlite.write() as session:
        session.execute(sa.update(Notice).values(created_at=ago(4 * 86400), next_at=ago(1)))
    with sqlite.write() as session:
        (notice,) = notices.take(session)
        assert notices.failed(session, notice, "500") is None
        assert watch.notice_counts(session) == {"waiting": 0, "sent": 0, "given_up": 1}


def test_a_sender_that_dies_loses_no_notice(sessions: Sessions, receiver: Receiver) -> None:
    fail_one(sessions)
    gather(sessions, stalled_after=timedelta(hours=1))
    with sessions.write() as session:
        assert len(notices.take(session)) == 1  # and it is never heard of again
    assert send_due(sessions, receiver.settings()) == 0
    due_now(sessions)
    assert send_due(sessions, receiver.settings()) == 1


def test_what_stands_still_is_told_once(sessions: Sessions, receiver: Receiver) -> None:
    silent = ordered(sessions)
    claimed(sessions, silent, lease_until=ago(20))
    for _ in range(5):
        ordered(sessions, created_at=ago(50))
    assert [tell(sessions, receiver.settings()) for _ in range(2)] == [2, 0]
    told = {json.loads(body)["event"]: json.loads(body) for _, _, body in receiver.got}
    assert told["job-stalled"]["job"] == silent
    assert (told["queue-stalled"]["waiting"], told["queue-stalled"]["code"]) == ("5", "no-worker")


def test_a_duty_that_failed_is_told(sqlite: Sessions, receiver: Receiver) -> None:
    with sqlite.write() as session:
        schedules.add(session, ScheduleEntry("in", "inbox", "* * * * *", "UTC", ""))
        attempt = schedules.begin(session, "in", utc_now())
        assert attempt == 1
        due_at = schedules.history(session, "in")[0].due_at
        schedules.end(session, "in", due_at, 1, "failed", note="inbox-unset: FACTORY_INBOX is not set")
    assert tell(sqlite, receiver.settings()) == 1
    told = json.loads(receiver.got[0][2])
    assert (told["event"], told["schedule"]) == ("duty-failed", "in")


def test_old_failures_and_an_unset_address_tell_nobody(sqlite: Sessions) -> None:
    fail_one(sqlite)
    with sqlite.write() as session:
        session.execute(sa.update(JobRow).values(ended_at=ago(2 * 86400)))
    assert gather(sqlite, stalled_after=timedelta(hours=1)) == 0
    assert notice_duties(sqlite, Settings()) == ()


def test_a_brief_is_no_part_of_a_notice(sqlite: Sessions, receiver: Receiver) -> None:
    with sqlite.write() as session:
        job = jobs.submit(session, Brief(template="off_road", subject="an embargoed car")).job
    held = claimed(sqlite, job)
    with sqlite.write() as session:
        jobs.fail(session, held, code="x", text="y" * 4000)
    assert tell(sqlite, receiver.settings()) == 1
    assert b"embargoed" not in receiver.got[0][2]
    assert len(receiver.got[0][2]) < 2000
