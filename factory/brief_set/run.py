"""Verb: a set of orders is made unattended, each series in its order, and judged."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from factory.brief_set.index_rows import Row, rows_of
from factory.brief_set.judging import Tally, fits, tally
from factory.brief_set.library import Library, bring_in, check_folders
from factory.brief_set.making import Record, made, sheet_of
from factory.brief_set.orders import BriefSet, Ordered, read_set
from factory.brief_set.placements import Placed, placed_in, repeats, series_breaks
from factory.brief_set.sheets import draw_overview
from factory.plan.query import parse_query
from factory.settings import Settings
from factory.wiring import Parts, parts

OnProgress = Callable[[float, str], None]
LEAST = 0.3  # confidence from which a tag of our own counts, as storyboards ask for it


@dataclass(frozen=True, slots=True)
class Work:
    """What one process makes: the orders of one series, in their order."""

    settings: Settings
    orders: BriefSet
    names: tuple[str, ...]
    out: Path
    turn: int
    draft: bool
    library: str


def run_set(
    folders: Sequence[Path],
    out: Path,
    *,
    settings: Settings,
    only: Sequence[str] = (),
    draft: bool = False,
    again: bool = False,
    jobs: int = 1,
    on_progress: OnProgress,
    on_made: Callable[[Record], None] = lambda _: None,
) -> dict[str, Any]:
    """Make and judge the set from clips of `folders` and the drawn ones; return its figures as plain data.

    `out` gets everything: the set's own house (library, cache), the videos, their records and contact sheets. What an
    earlier run finished there is taken as it is, unless `again`. `only` names some orders, `jobs` series are made at
    once.
    """
    orders = read_set().only(only) if only else read_set()
    check_folders(folders)
    out.mkdir(parents=True, exist_ok=True)
    own = settings.model_copy(update={"home": out / "home", "database_url": "", "broker_url": ""})
    house = parts(own)
    library = bring_in(folders, house, on_progress)
    digest = hashlib.sha256("".join(sorted(library.real | library.drawn)).encode()).hexdigest()
    turn = _turn(out, again=again)
    series = dict.fromkeys(ordered.series for ordered in orders.briefs)
    works = [
        Work(own, orders, tuple(o.name for o in orders.briefs if o.series == name), out, turn, draft, digest)
        for name in series
    ]
    records = dict[str, Record]()
    for done in _worked(works, house, jobs):
        records |= {record.name: record for record in done}
        for record in done:
            on_made(record)
    return judged(orders, records, library, house, out)


def judged(orders: BriefSet, records: dict[str, Record], library: Library, house: Parts, out: Path) -> dict[str, Any]:
    """Return the figures of a set whose orders have been worked off, and draw its overview."""
    ordered = [order for order in orders.briefs if order.name in records]
    videos = [order for order in ordered if records[order.name].outcome == "video"]
    thin = [order for order in ordered if records[order.name].outcome == "thin"]
    traces = {order.name: _read(records[order.name].paths["trace"]) for order in videos}
    placed = [one for order in videos for one in placed_in(traces[order.name], order.name, order.series)]
    with house.sessions.read() as session:
        rows = {row.shot: row for row in rows_of(session)}
    moments = {shot: row.moment for shot, row in rows.items()}
    real = [one for one in placed if one.asset in library.real]
    verdicts = [(one, *_verdicts(one, library, rows, house)) for one in real]
    hand, own = tally(v for _, v, _ in verdicts), tally(v for _, _, v in verdicts)
    twice, breaks = repeats(placed, moments), series_breaks(placed, moments)
    failures = list(_failures(ordered, records))
    sheets = [sheet_of(records[o.name], o, traces[o.name]["title"] if o in videos else "") for o in ordered]
    draw_overview(sheets, out / "sheets" / "overview.png")
    return {
        "briefs": len(ordered),
        "videos": len(videos),
        "thin": len(thin),
        "placed": len(real),
        "on_tag": _share(hand),
        "repeats": len(twice),
        "cooldown_breaks": len(breaks),
        "numbers_checked": sum(record.numbers for record in records.values()),
        "numbers_wrong": sum(len(record.wrong) for record in records.values()),
        "failed_checks": len(failures),
        "on_tag_by_own_tags": _share(own),
        "judged": {"by_hand": asdict(hand), "by_own_tags": asdict(own)},
        "by_folder": {
            name: asdict(tally(v for one, v, _ in verdicts if library.folders.get(one.asset) == name))
            for name in dict.fromkeys(library.folders.values())
        },
        "placed_drawn": sum(one.asset in library.drawn for one in placed),
        "clips": {"real": len(library.real), "drawn": len(library.drawn), "labelled": len(library.labels)},
        "refused_clips": list(library.refused),
        "off_tag": [_told(one) | {"seen": sorted(library.labels[one.asset])} for one, v, _ in verdicts if v is False],
        "repeated": [[_told(one) for one in pair] for pair in twice],
        "broken_cooldowns": [[_told(one) for one in pair] for pair in breaks],
        "failures": failures,
        "orders": [_order_told(order, records[order.name], placed) for order in ordered],
        "sheets": str(out / "sheets"),
    }


def _verdicts(one: Placed, library: Library, rows: dict[int, Row], house: Parts) -> tuple[bool | None, bool | None]:
    """Return whether a placement fits by the hand labels and by our own tags, None where these say nothing."""
    query = parse_query(one.query, house.taxonomy.resolve)
    said = library.labels.get(one.asset)
    own = {tag for tag, confidence in rows[one.shot].tags.items() if confidence >= LEAST}
    own |= {above for tag in own for above in house.taxonomy.ancestors(tag)}
    return (fits(query, said) if said is not None else None), fits(query, own)


def _failures(ordered: Sequence[Ordered], records: dict[str, Record]) -> Iterator[str]:
    for order in ordered:
        record = records[order.name]
        if record.outcome == "failed":
            yield f"{order.name}: {record.cause}"
        if record.outcome == "thin" and not record.confirmed:
            yield f"{order.name}: refused ({record.cause}), but the oracle says: {record.oracle}"
        yield from (f"{order.name}: {fault}" for fault in record.faults)


def _order_told(order: Ordered, record: Record, placed: Sequence[Placed]) -> dict[str, Any]:
    return {
        **order.model_dump(include={"name", "template", "series", "locale", "aspect", "seconds", "subject"}),
        "outcome": record.outcome,
        "lasts": record.seconds,
        "took": record.took,
        "shots": sum(one.video == order.name for one in placed),
        "numbers": record.numbers,
        "wrong": record.wrong,
        "faults": record.faults,
        "cause": record.cause,
        "confirmed": record.confirmed if record.outcome == "thin" else None,
        "oracle": record.oracle,
        "video": record.paths.get("video", ""),
    }


def _told(one: Placed) -> dict[str, Any]:
    return {"video": one.video, "scene": one.scene, "shot": one.shot, "asset": one.asset[:12], "query": one.query}


def _share(counted: Tally) -> float | None:
    return None if counted.share is None else round(counted.share, 4)


def _worked(works: Sequence[Work], house: Parts, jobs: int) -> Iterator[list[Record]]:
    """Yield the records of each series as it is done."""
    if jobs == 1 or len(works) < 2:
        yield from (work_off(work, house) for work in works)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(work_off, work) for work in works]):
            yield done.result()


def work_off(work: Work, house: Parts | None = None) -> list[Record]:
    """Make and check the orders of one series, one after the other: the cooldown of each looks at those before it."""
    house = house or parts(work.settings)
    orders = {order.name: order for order in work.orders.briefs}
    return [
        made(orders[name], work.orders, house, work.out, turn=work.turn, draft=work.draft, library=work.library)
        for name in work.names
    ]


def _turn(out: Path, *, again: bool) -> int:
    """Return how often the set has been begun anew in this folder, this time included."""
    place = out / "turn.json"
    turn = int(_read(place)["turn"]) if place.is_file() else 1
    turn += again and place.is_file()
    place.write_text(json.dumps({"turn": turn}), encoding="utf-8")
    return turn


def _read(path: str | Path) -> dict[str, Any]:
    return dict(json.loads(Path(path).read_text(encoding="utf-8")))
