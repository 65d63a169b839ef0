"""What may go after a while: derived files that nothing asked for lately, and finished files that nobody wants.

A derived file is made anew when it is asked for. Notices that were sent and slots of schedules that have ended tell of
what was, and go after a year unless a person says otherwise. Finished files go only where a person said how long they
stay, and only of jobs that were withdrawn, or drafts that nobody approved; a file that anything else names stays.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from factory.errors import WrongUsage
from factory.store import notices, schedules
from factory.store.columns import utc_now
from factory.store.db import Sessions
from factory.store.files import Files
from factory.store.schema import Asset, JobOutput, JobRow

LEAST_DAYS = 1  # a job that renders now may still want what is younger
HASHED = re.compile(r"[0-9a-f]{2}")  # folders of the cache whose files are named by the digest of their key
FEATURES = "features"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What went, or with a dry run would go."""

    cache_files: int
    cache_bytes: int
    outputs: int
    output_bytes: int
    jobs: tuple[str, ...]  # whose finished files went
    notices: int = 0  # that were sent or given up
    slots: int = 0  # due moments of schedules that have ended


def clean(
    sessions: Sessions,
    files: Files,
    *,
    cache_days: int = 30,
    outputs_days: int | None = None,
    history_days: int = 365,
    dry_run: bool = False,
) -> Cleaned:
    """Remove what was not asked for in `cache_days`, unwanted finished files older than `outputs_days`, if named, and
    notices and slots older than `history_days` that are over.

    Raises WrongUsage where the days are fewer than one.
    """
    if min(cache_days, history_days, LEAST_DAYS if outputs_days is None else outputs_days) < LEAST_DAYS:
        raise WrongUsage("files of less than a day may be in use", next_step="keep them for 1 day or longer")
    before = time.time() - cache_days * 86400
    old = [(path, size) for path, size, asked in _derived(files.cache) if asked < before]
    if not dry_run:
        for path, _ in old:
            path.unlink(missing_ok=True)
    jobs, outputs, size = _clean_outputs(sessions, files, outputs_days, dry_run=dry_run) if outputs_days else ((), 0, 0)
    since = utc_now() - timedelta(days=history_days)
    with sessions.write() as session:
        told = notices.prune(session, since, dry_run=dry_run)
        slots = schedules.prune(session, since, dry_run=dry_run)
    return Cleaned(len(old), sum(size for _, size in old), outputs, size, jobs, told, slots)


def _derived(cache: Path) -> Iterator[tuple[Path, int, float]]:
    """Yield each derived file with its bytes and when it was last made or asked for."""
    for folder in sorted(cache.iterdir()):
        if folder.is_dir() and (HASHED.fullmatch(folder.name) or folder.name == FEATURES):
            for path in sorted(folder.rglob("*")):
                with contextlib.suppress(FileNotFoundError):  # another cleaning was faster
                    told = path.lstat()
                    if path.is_file() and not path.is_symlink():
                        yield path, told.st_size, max(told.st_mtime, told.st_atime)


def _clean_outputs(sessions: Sessions, files: Files, days: int, *, dry_run: bool) -> tuple[tuple[str, ...], int, int]:
    """Forget the finished files of unwanted jobs, then remove those that nothing names any more."""
    with sessions.write() as session:
        jobs = _unwanted(session, days)
        rows = list(session.scalars(sa.select(JobOutput).where(JobOutput.job_id.in_(jobs))))
        sizes = {row.digest: row.bytes for row in rows}
        others = sa.select(JobOutput.digest).where(JobOutput.digest.in_(sizes), JobOutput.job_id.not_in(jobs))
        wanted = {*session.scalars(others), *session.scalars(sa.select(Asset.digest).where(Asset.digest.in_(sizes)))}
        if not dry_run:
            session.execute(sa.delete(JobOutput).where(JobOutput.job_id.in_(jobs)))
    going = {digest: size for digest, size in sizes.items() if digest not in wanted}
    if not dry_run:  # after the rows: a file without a row is only space, a row without a file is a broken link
        for digest in going:
            files.remove(digest)
    return tuple(sorted({row.job_id for row in rows})), len(rows), sum(going.values())


def _unwanted(session: Session, days: int) -> tuple[str, ...]:
    """Return the jobs whose finished files nobody wants: withdrawn, or a draft that waits for review in vain."""
    old = JobRow.ended_at < utc_now() - timedelta(days=days)
    named = session.execute(
        sa.select(JobRow.id, JobRow.state, JobRow.spec).where(old, JobRow.state.in_(("withdrawn", "review")))
    )
    return tuple(job for job, state, spec in named if state == "withdrawn" or json.loads(spec).get("draft"))
