"""The duties that a schedule can name: what each does when it is due, and what it would do."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from factory.due import ScheduleRefused
from factory.nightly import ranking_batch
from factory.order_facts import why_stale
from factory.retention import clean
from factory.store import assets, job_lookup, schedules
from factory.store.db import Sessions
from factory.store.schedules import ScheduleEntry
from factory.wiring import Parts

SETTLED = 30.0  # seconds without a change, after which a file of the inbox is believed to be whole
MOST_TOLD = 50  # files named in a report

Report = dict[str, Any]
Stopped = Callable[[], bool]


class InboxUnset(ScheduleRefused):
    code = "inbox-unset"


@dataclass(frozen=True, slots=True)
class SlotDuty:
    """`do` works for a while and can be stopped; `look` says what it would do. `options` are the names it takes."""

    do: Callable[[Parts, Mapping[str, Any], Stopped], Report]
    look: Callable[[Parts, Mapping[str, Any]], Report]
    options: tuple[str, ...] = ()


# --- the nightly rankings: in one transaction with their slot ---------------------------------------------------------

RANKINGS = "ranking_batch"


def order_rankings(session: Session, entry: ScheduleEntry, due_at: datetime, today: date) -> Report | None:
    """Take the slot and order its videos, all in the caller's transaction; None where the slot was taken.

    A table that an order would be refused for as stale at `today` is told of and not ordered.
    """
    batch = ranking_batch(session, entry.name, due_at, stale=lambda table: why_stale(session, table.name, today))
    if not batch.taken:
        return None
    made = [_told(session, job) for job in batch.jobs]
    stale = [{"table": table, "why": why} for table, why in batch.stale]
    report: Report = {"jobs": made, "unchanged": list(batch.skipped), "stale": stale}
    note = f"{len(made)} videos ordered, {len(batch.skipped)} tables unchanged, {len(batch.stale)} stale"
    schedules.note_slot(session, entry.name, due_at, jobs=len(made), note=note, report=report)
    return report


def _told(session: Session, job: str) -> dict[str, str]:
    brief = job_lookup.get(session, job).brief()
    return {"job": job, "table": brief.subject or "", "locale": brief.locale}


class _DryRun(Exception):
    """Ends a transaction so that nothing of it stays."""


def would_order(sessions: Sessions, entry: ScheduleEntry, due_at: datetime, today: date) -> Report:
    """Say what `order_rankings` would do at this moment, by doing it and taking it back."""
    report: Report | None = None
    try:
        with sessions.write() as session:
            report = order_rankings(session, entry, due_at, today)
            raise _DryRun
    except _DryRun:
        made = [{key: told[key] for key in ("table", "locale")} for told in report["jobs"]] if report else []
        return (report or {"unchanged": [], "stale": []}) | {"jobs": made}


# --- duties that take their time --------------------------------------------------------------------------------------


def scan_inbox(parts: Parts, _options: Mapping[str, Any], stopped: Stopped) -> Report:
    """Bring in what lies in the inbox; a file that still grows waits for the next time."""
    from factory.ingest import ingest, passed_over, wanted_files  # noqa: PLC0415  brings the decoders

    told: dict[str, int] = dict.fromkeys(("added", "known", "refused", "waiting", "skipped"), 0)
    refused: list[dict[str, str]] = []
    for file in wanted_files([_inbox(parts)]):
        if stopped():
            break
        if not _settled(file.path):
            told["waiting"] += 1
            continue
        outcome = ingest(file.path, parts)
        if passed_over(file, outcome):
            told["skipped"] += 1
            continue
        told[outcome.status] += 1
        if outcome.status == "refused":
            refused.append({"path": outcome.path, "code": outcome.code, "message": outcome.message})
    return {**told, "refused_files": refused[:MOST_TOLD]}


def look_at_inbox(parts: Parts, _options: Mapping[str, Any]) -> Report:
    from factory.ingest import wanted_files  # noqa: PLC0415  brings the decoders

    new, waiting = list[str](), 0
    for file in wanted_files([_inbox(parts)]):
        if not _settled(file.path):
            waiting += 1
        elif file.path.is_file() and not _known(parts, file.path):
            new.append(str(file.path))
    return {"new": len(new), "waiting": waiting, "new_files": new[:MOST_TOLD]}


def retag_library(parts: Parts, _options: Mapping[str, Any], stopped: Stopped) -> Report:
    """Tag anew what another tagger spoke of last."""
    from factory.retag import retag  # noqa: PLC0415  brings torch

    told = {"retagged": 0, "refused": 0}
    refused: list[dict[str, str]] = []
    for clip in retag(parts):
        told[clip.status] += 1
        if clip.status == "refused":
            refused.append({"file": clip.file_name, "code": clip.code, "message": clip.message})
        if stopped():
            break
    return {**told, "refused_files": refused[:MOST_TOLD]}


def look_at_retag(parts: Parts, _options: Mapping[str, Any]) -> Report:
    from factory.retag import outdated  # noqa: PLC0415  brings torch

    names = [clip.file_name for clip in outdated(parts)]
    return {"outdated": len(names), "files": names[:MOST_TOLD]}


def clean_up(parts: Parts, options: Mapping[str, Any], _stopped: Stopped) -> Report:
    return asdict(clean(parts.sessions, parts.files, **options))


def look_at_clean(parts: Parts, options: Mapping[str, Any]) -> Report:
    return asdict(clean(parts.sessions, parts.files, **options, dry_run=True))


DUTIES: Mapping[str, SlotDuty] = {
    "inbox": SlotDuty(scan_inbox, look_at_inbox),
    "retag": SlotDuty(retag_library, look_at_retag),
    "clean": SlotDuty(clean_up, look_at_clean, ("cache_days", "outputs_days", "history_days")),
}
KINDS = (RANKINGS, *DUTIES)


def checked_options(kind: str, given: Mapping[str, str]) -> dict[str, int]:
    """Return the options of a duty as whole days, or raise ScheduleRefused."""
    allowed = DUTIES[kind].options if kind in DUTIES else ()
    read: dict[str, int] = {}
    for name, text in given.items():
        if name not in allowed:
            takes = f"it takes {', '.join(allowed)}" if allowed else "it takes none"
            raise ScheduleRefused(f"{kind} has no option {name[:40]!r}", next_step=takes)
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 36_500:
            raise ScheduleRefused(f"{name} is {text[:40]!r}", next_step="write days as a whole number from 1 on")
        read[name] = int(text)
    return read


def _inbox(parts: Parts) -> Path:
    inbox = parts.settings.inbox
    if inbox is None or not inbox.is_dir():
        where = "is not set" if inbox is None else f"{str(inbox)!r} is no folder"
        raise InboxUnset(f"FACTORY_INBOX {where}", next_step="set it to the folder where new clips are put")
    return inbox


def _settled(path: Path) -> bool:
    try:
        return time.time() - path.lstat().st_mtime >= SETTLED
    except OSError:
        return False  # it went, or cannot be looked at: the next time tells


def _known(parts: Parts, path: Path) -> bool:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with parts.sessions.read() as session:
        return assets.known(session, digest) is not None
