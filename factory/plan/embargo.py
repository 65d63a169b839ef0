"""Until when something may not be published: a moment, the zone that it was named in, and what it is of.

Written as RFC 9557 writes it, `2026-12-01T09:00+08:00[Asia/Shanghai]`, which says the instant and the zone of the
people who agreed on it. The rules of zones are the only data that is looked up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from factory.errors import WrongUsage

EXAMPLE = "2026-12-01T09:00 Asia/Shanghai"
_FORM = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})(?:[T ]+(?P<time>\d{1,2}:\d{2}(?::\d{2})?))?\s*"
    r"(?P<offset>Z|[+-]\d{2}:?\d{2})?\s*(?:\[(?P<boxed>[^\]]+)\]|(?P<zone>[A-Za-z][A-Za-z0-9_+/-]*))?"
)


class EmbargoUnclear(WrongUsage):
    """A moment that is no moment, or that means two."""

    code = "embargo-unclear"

    def __init__(self, cause: str, *, next_step: str = f"write it like {EXAMPLE}") -> None:
        super().__init__(cause, next_step=next_step)


@dataclass(frozen=True, slots=True)
class Embargo:
    """Nothing of it is published before `until` (aware, UTC). `zone` is an IANA name, or an offset where none was said;
    `of` says what the embargo is of: `this order`, `car northwind-x5`, `clip dunes.mp4`."""

    until: datetime
    zone: str
    of: str = field(default="", compare=False)

    def __str__(self) -> str:
        local = self.local()
        offset = f"{local:%z}"
        stamp = f"{local:%Y-%m-%dT%H:%M}" + (f":{local:%S}" if local.second else "") + f"{offset[:3]}:{offset[3:]}"
        return stamp if self.zone == offset or self.zone.startswith(("+", "-")) else f"{stamp}[{self.zone}]"

    def local(self) -> datetime:
        """Return the moment on the clocks of its zone."""
        if self.zone.startswith(("+", "-")):
            return self.until.astimezone(datetime.strptime(self.zone, "%z").tzinfo)
        return self.until.astimezone(ZoneInfo(self.zone))

    def told(self) -> str:
        """Return the moment as a sentence says it: `2026-12-01 09:00 Asia/Shanghai (2026-12-01 01:00 UTC)`."""
        local = f"{self.local():%Y-%m-%d %H:%M:%S}".removesuffix(":00")
        return f"{local} {self.zone} ({f'{self.until:%Y-%m-%d %H:%M:%S}'.removesuffix(':00')} UTC)"

    def named(self, of: str) -> Embargo:
        return replace(self, of=of)


def latest(embargoes: Iterable[Embargo | None]) -> Embargo | None:
    """Return the embargo that ends last, the earlier named of two that end together."""
    return max((one for one in embargoes if one), key=lambda one: one.until, default=None)


def read_embargo(text: str) -> Embargo:
    """Return the moment that `text` names: date, time, and an offset, a zone's name, or both.

    Raises EmbargoUnclear: it lacks its time or zone; its zone is unknown; the clocks of the zone skip that time, or
    show it twice and no offset says which; or offset and zone contradict each other.
    """
    plain = unicodedata.normalize("NFKC", text[:200]).strip()
    found = _FORM.fullmatch(plain)
    if found is None:
        raise EmbargoUnclear(f"{text[:60]!r} is no date and time with its zone")
    if not found["time"]:
        raise EmbargoUnclear(f"{text[:60]!r} names no time of the day")
    offset, name = found["offset"], found["boxed"] or found["zone"] or ""
    if offset is None and name.upper() == "Z":
        offset, name = "Z", ""
    if not (offset or name):
        raise EmbargoUnclear(f"{text[:60]!r} names no zone")
    try:
        local = datetime.fromisoformat(
            f"{found['date']}T{found['time'].zfill(5 if found['time'].count(':') == 1 else 8)}"
        )
        shift = _shift(offset) if offset else None
    except ValueError as error:
        raise EmbargoUnclear(f"{text[:60]!r}: {error}") from None
    zone = _zone(name) if name else None
    if zone is None:
        assert shift is not None
        return Embargo((local - shift).replace(tzinfo=UTC), _text(shift))
    return Embargo(_moment(local, zone, shift), zone.key)


def _shift(offset: str) -> timedelta:
    if offset == "Z":
        return timedelta(0)
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    if hours > 14 or minutes > 59:
        raise ValueError(f"no clock is {offset} from UTC")
    return (timedelta(hours=hours, minutes=minutes)) * (-1 if offset[0] == "-" else 1)


@cache
def _zones() -> Mapping[str, str]:
    """Return all zones by their case-folded names. It reads hundreds of files, and each row under embargo asks."""
    return {zone.casefold(): zone for zone in available_timezones()}


def _zone(name: str) -> ZoneInfo:
    by_name = _zones()
    key = by_name.get(name.casefold())
    if key is None:
        towns = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(by_name.values(), reverse=True)}
        near = get_close_matches(name.casefold(), by_name, 1) or get_close_matches(name.casefold(), towns, 1)
        hint = {**towns, **by_name}[near[0]] if near else "Asia/Shanghai"
        raise EmbargoUnclear(f"{name[:40]!r} is no time zone", next_step=f"did you mean {hint}?")
    return ZoneInfo(key)


def _moment(local: datetime, zone: ZoneInfo, shift: timedelta | None) -> datetime:
    """Return the instant at which the clocks of the zone show `local`, in UTC."""
    instants = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    real = sorted(one for one in instants if one.astimezone(zone).replace(tzinfo=None) == local)
    stated = f"{local:%Y-%m-%d %H:%M}"
    if not real:
        raise EmbargoUnclear(
            f"the clocks of {zone.key} skip {stated}: they are put forward then",
            next_step="name a time that the clocks show",
        )
    if shift is not None:
        exact = (local - shift).replace(tzinfo=UTC)
        if exact in real:
            return exact
        says = real[0].astimezone(zone).utcoffset() or timedelta(0)
        raise EmbargoUnclear(
            f"{zone.key} is not at the offset that is written beside it at {stated}",
            next_step=f"leave the offset out, or write {_text(says)}",
        )
    if len(real) > 1:
        offsets = " or ".join(_text(one.astimezone(zone).utcoffset() or timedelta(0)) for one in real)
        raise EmbargoUnclear(
            f"the clocks of {zone.key} show {stated} twice: they are put back then",
            next_step=f"say which by its offset, {offsets}: {local:%Y-%m-%dT%H:%M}{offsets[:6]}[{zone.key}]",
        )
    return real[0]


def _text(shift: timedelta) -> str:
    sign, minutes = ("-", -shift) if shift < timedelta(0) else ("+", shift)
    hours, rest = divmod(int(minutes.total_seconds()) // 60, 60)
    return f"{sign}{hours:02d}:{rest:02d}"
