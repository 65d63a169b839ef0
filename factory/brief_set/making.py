"""One order of a set, made and checked: its record tells what came of it, and a rerun takes it up where it stopped."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from factory.brief_set.caption_checks import caption_faults, read_srt
from factory.brief_set.delivery import faults
from factory.brief_set.on_screen import Numbers, check_numbers
from factory.brief_set.orders import BriefSet, Ordered
from factory.brief_set.sheets import Sheet, draw_sheet
from factory.brief_set.thin import confirm
from factory.brief_set.truth import truth_of
from factory.errors import FactoryError
from factory.orders import JobFailed, make
from factory.plan.brief import Brief
from factory.plan.choosing import NoShotForScene
from factory.plan.timeline import Canvas
from factory.plan.timeline_json import from_json
from factory.render.captions_ass import EM_SHARE
from factory.render.layout import layout_for
from factory.render.lettering import text_width
from factory.wiring import Parts
from understanding.burnt_in import TextReader

CHECKED: Final = 2  # changes whenever a check does; older records are then checked anew
OnProgress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one order. `key` stands for all that decided it; `paths` are the finished files by their role.

    A refusal for lack of material is `thin`, and `confirmed` says whether the oracle agrees; any other one is `failed`.
    """

    name: str
    key: str
    outcome: Literal["video", "thin", "failed"]
    checked: int
    paths: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    took: float = 0.0  # seconds of work
    cause: str = ""
    confirmed: bool = False
    oracle: str = ""
    numbers: int = 0
    wrong: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def made(ordered: Ordered, of: BriefSet, parts: Parts, out: Path, *, turn: int, draft: bool, library: str) -> Record:
    """Return the record of an order, made and checked unless that was done before. `library` stands for its clips."""
    brief = ordered.brief(draft=draft, turn=turn)
    key = hashlib.sha256(f"{brief.canonical_json()}{library}".encode()).hexdigest()
    before = read_record(out, ordered.name)
    if before and before.key == key and before.outcome == "video" and _complete(before):
        if before.checked == CHECKED:
            return before
        return _kept(_checked(before, ordered, of, parts, out), out)
    began = time.perf_counter()
    record = _made(ordered, brief, parts, out / "videos" / ordered.name, key)
    record = _with(record, took=round(time.perf_counter() - began, 1))
    return _kept(_checked(record, ordered, of, parts, out) if record.outcome == "video" else record, out)


def read_record(out: Path, name: str) -> Record | None:
    """Return the record that an earlier run left, None where it left none that can be read."""
    try:
        return Record(**json.loads(_place(out, name).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _made(ordered: Ordered, brief: Brief, parts: Parts, folder: Path, key: str) -> Record:
    try:
        finished = make(brief, parts, folder, on_progress=lambda _share, _what: None)
    except FactoryError as refusal:
        code = refusal.code if isinstance(refusal, JobFailed) else type(refusal).code
        if code != NoShotForScene.code:
            return Record(ordered.name, key, "failed", CHECKED, cause=refusal.sentence())
        told = confirm(brief, parts)
        return Record(
            ordered.name, key, "thin", CHECKED, cause=refusal.cause, confirmed=told.confirmed, oracle=told.why
        )
    paths: dict[str, str] = {
        role: finished[role] for role in ("video", "poster", "srt", "timeline", "trace") if role in finished
    }
    return Record(ordered.name, key, "video", 0, paths, seconds=finished["seconds"])


def _checked(record: Record, ordered: Ordered, of: BriefSet, parts: Parts, out: Path) -> Record:
    """Look at a finished video with every check, and draw its sheet."""
    video = Path(record.paths["video"])
    timeline = from_json(Path(record.paths["timeline"]).read_text(encoding="utf-8"))
    truths = [truth_of(ordered, of.tables[name]) for name in ordered.truth]
    numbers: Numbers = check_numbers(video, timeline, truths, parts.templates, TextReader(threads=1))
    found = [
        *_length(record.seconds, ordered, of),
        *faults(video, parts.files.path),
        *_captions(record, ordered, timeline.canvas),
    ]
    record = _with(
        record, checked=CHECKED, numbers=numbers.checked, wrong=[asdict(one) for one in numbers.wrong], faults=found
    )
    draw_sheet(sheet_of(record, ordered, timeline.title), out / "sheets" / f"{ordered.name}.png")
    return record


def sheet_of(record: Record, ordered: Ordered, title: str) -> Sheet:
    """Return what a contact sheet says of a record."""
    about = (
        f"{ordered.template}, {ordered.locale}, {ordered.aspect}, asked {ordered.seconds} s, series {ordered.series}"
    )
    about += f", {record.seconds:.1f} s, {record.numbers} numbers" if record.outcome == "video" else ""
    told = [f"frame {one['frame']}, {one['where']}: {one['number']}: {one['why']}" for one in record.wrong]
    refused = [f"{record.outcome}: {record.cause}"] if record.outcome != "video" else []
    video = Path(record.paths["video"]) if "video" in record.paths else None
    faults_told = (*refused, *record.faults, *told)
    return Sheet(ordered.name, title, about, ordered.aspect, video, record.seconds, faults_told)


def _length(seconds: float, ordered: Ordered, of: BriefSet) -> Iterator[str]:
    least, most = of.length.around(ordered.seconds)
    if not least <= seconds <= most:
        yield f"it lasts {seconds:.1f} s, asked were {ordered.seconds} s ({least:.1f} to {most:.1f})"


def _captions(record: Record, ordered: Ordered, canvas: Canvas) -> Iterator[str]:
    """Yield what is wrong with the captions, none where nobody speaks."""
    if "srt" in record.paths:
        em, span = EM_SHARE * min(canvas.width, canvas.height), layout_for(canvas).span
        cues = read_srt(Path(record.paths["srt"]))
        yield from caption_faults(cues, ordered.aspect, lambda line: text_width(line, em) / span)


def _complete(record: Record) -> bool:
    return all(Path(path).is_file() for path in record.paths.values())


def _with(record: Record, **changes: Any) -> Record:
    return Record(**{**asdict(record), **changes})


def _kept(record: Record, out: Path) -> Record:
    """Write a record, whole or not at all."""
    place = _place(out, record.name)
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(record), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    partial.replace(place)
    return record


def _place(out: Path, name: str) -> Path:
    return out / "records" / f"{name}.json"
