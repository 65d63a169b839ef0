"""Column types that keep a value exact on SQLite and PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, String
from sqlalchemy.types import TypeDecorator

from factory.plan.embargo import Embargo, read_embargo

T = TypeVar("T")

BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER key

MICROSECONDS = 1_000_000


def microseconds(seconds: Fraction) -> int:
    """Return whole microseconds, rounded down: what SQL compares. The exact value stands beside it."""
    return seconds.numerator * MICROSECONDS // seconds.denominator


class _AsText(TypeDecorator[T]):
    """A value kept as `str` writes it; `read` makes it of that again."""

    impl = String(64)
    cache_ok = True

    def read(self, text: str) -> T:
        raise NotImplementedError

    def process_bind_param(self, value: T | None, dialect: Dialect) -> str | None:  # noqa: ARG002  SQLAlchemy's signature
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> T | None:  # noqa: ARG002  SQLAlchemy's signature
        return None if value is None else self.read(value)


class Exact(_AsText[Fraction]):
    """A fraction as text, `30000/1001`."""

    cache_ok = True

    def read(self, text: str) -> Fraction:
        return Fraction(text)


class Number(_AsText[Decimal]):
    """A decimal as the text that its source printed, so that no digit is gained or lost."""

    cache_ok = True

    def read(self, text: str) -> Decimal:
        return Decimal(text)


class Until(_AsText[Embargo]):
    """An embargo as its text, `2026-12-01T09:00+08:00[Asia/Shanghai]`: the instant and the zone it was named in."""

    impl = String(100)
    cache_ok = True

    def read(self, text: str) -> Embargo:
        return read_embargo(text)


class Moment(TypeDecorator[datetime]):
    """A point in time, always UTC and aware. SQLite keeps it as sortable text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's signature
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utc_now() -> datetime:
    """Return this machine's clock. Leases on PostgreSQL use the database's own instead (`db.clock`)."""
    return datetime.now(UTC)
