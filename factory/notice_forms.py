"""A notice as the request that its receiver wants: a signed webhook, or the form of a DingTalk or Feishu robot.

Signatures: ours is an HMAC-SHA256 over `timestamp.body`; DingTalk's stands in the address, Feishu's in the body, each
as their documents on custom robots say (open.dingtalk.com, open.feishu.cn).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from factory.store.notices import Waiting

Form = Literal["webhook", "dingtalk", "feishu"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is posted. The address may hold a token: it is shown to nobody."""

    url: str
    headers: Mapping[str, str]
    body: bytes


def written(notice: Waiting, form: Form, url: str, secret: str, now: float) -> Request:
    """Return the request for a notice at `now` (seconds since 1970); without a secret it is not signed."""
    return _FORMS[form](notice, url, secret, now)


def taken_in(form: Form, status: int, body: bytes) -> bool:
    """Say whether the answer means that the notice arrived: robots answer 200 to what they refuse."""
    if not 200 <= status < 300:
        return False
    if form == "webhook":
        return True
    try:
        told = json.loads(body)
    except ValueError:
        return False
    if not isinstance(told, dict):
        return False
    return told.get("errcode" if form == "dingtalk" else "code", told.get("StatusCode")) == 0


def sentence(notice: Waiting) -> str:
    """Return the notice as people read it."""
    body = notice.body
    what = f"job {body['job']}" if "job" in body else f"schedule {body['schedule']}" if "schedule" in body else "queue"
    what += f" ({body['file']})" if "file" in body else ""
    code = f"{body['code']}: " if body.get("code") else ""
    cause, next_step = body.get("cause", ""), body.get("next_step", "")
    return f"AutoReel: {notice.event}: {what}\n{code}{cause}\nNext: {next_step}"


def _webhook(notice: Waiting, url: str, secret: str, now: float) -> Request:
    told = {"event": notice.event, "key": notice.key, "created_at": notice.created_at.isoformat(), **notice.body}
    body, stamp = _json(told), str(int(now))
    headers = {"X-AutoReel-Event": notice.event, "X-AutoReel-Timestamp": stamp}
    if secret:
        made = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
        headers["X-AutoReel-Signature"] = f"sha256={made.hexdigest()}"
    return Request(url, {**_JSON, **headers}, body)


def _dingtalk(notice: Waiting, url: str, secret: str, now: float) -> Request:
    if secret:
        stamp = str(int(now * 1000))
        made = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256)
        signed = urlencode({"timestamp": stamp, "sign": base64.b64encode(made.digest()).decode()})
        parts = urlsplit(url)
        url = urlunsplit(parts._replace(query=f"{parts.query}&{signed}" if parts.query else signed))
    return Request(url, _JSON, _json({"msgtype": "text", "text": {"content": sentence(notice)}}))


def _feishu(notice: Waiting, url: str, secret: str, now: float) -> Request:
    told: dict[str, Any] = {"msg_type": "text", "content": {"text": sentence(notice)}}
    if secret:
        stamp = str(int(now))
        made = hmac.new(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256)
        told = {"timestamp": stamp, "sign": base64.b64encode(made.digest()).decode(), **told}
    return Request(url, _JSON, _json(told))


def _json(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


_JSON: Mapping[str, str] = {"Content-Type": "application/json; charset=utf-8"}
_FORMS: Mapping[str, Callable[[Waiting, str, str, float], Request]] = {
    "webhook": _webhook,
    "dingtalk": _dingtalk,
    "feishu": _feishu,
}
