"""A job for the cutting room: its timelines in an exchange format, and beside them the files that they name."""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from factory.errors import WrongUsage
from factory.plan.cutting import MUSIC, Item, Tracks, lay
from factory.plan.cutting_losses import Loss, Target, losses
from factory.plan.timeline import CardLayer, ClipLayer, ColorLayer, ImageLayer, Timeline
from factory.plan.timeline_json import from_json
from factory.render.captions_ass import program_cues
from factory.render.cutting_otio import Medium
from factory.render.errors import disk_full_named
from factory.render.export import srt
from factory.render.film import atomically
from factory.render.music import write_music
from factory.render.overlays import Drawing, draw_card, draw_color
from factory.store import assets, job_lookup
from factory.store.files import safe_name
from factory.wiring import Parts
from understanding import media

SUFFIXES: Mapping[Target, str] = {"otio": ".otio", "fcp7": ".xml", "edl": ".edl"}
CONTAINERS = {"mov": ".mp4", "matroska": ".mkv", "webm": ".webm", "mpegts": ".ts", "mpeg": ".mpg", "avi": ".avi"}
PICTURES = ((b"\x89PNG", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"RIFF", ".webp"))
_SUFFIX = re.compile(r"\.[a-z0-9]{2,5}")


class NothingPlanned(WrongUsage):
    """A job that has no timeline yet."""

    code = "nothing-planned"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was written: the lists, one for each aspect, the media beside them, and what is lost of each aspect."""

    folder: Path
    lists: tuple[Path, ...]
    media: int
    bytes: int
    losses: Mapping[str, tuple[Loss, ...]]

    def record(self) -> dict[str, Any]:
        """Return it as plain data."""
        lost = {aspect: [asdict(loss) for loss in found] for aspect, found in self.losses.items()}
        files = [str(path) for path in self.lists]
        return {"folder": str(self.folder), "lists": files, "media": self.media, "bytes": self.bytes, "losses": lost}


def export(job: str, target: Target, out: Path, parts: Parts) -> Bundle:
    """Write the job's newest timelines into `out`, with copies of all media, so that the folder can be carried away.

    Media are copied and not linked: programs write notes of their own into the files that they open. Raises
    `NothingPlanned`, `UnknownJob`, `FileMissing` for footage that is gone.
    """
    with parts.sessions.read() as session:
        found = job_lookup.get(session, job)
        saved = job_lookup.timelines(session, found.id)
    if not saved:
        raise NothingPlanned(
            f"job {found.id} is {found.state} and has no timeline", next_step="wait until it is planned, or retry it"
        )
    out = out.resolve()
    copies = _Copies(out, parts)
    lists, lost = list[Path](), dict[str, tuple[Loss, ...]]()
    for aspect in (one for one in found.brief().aspects if one in saved):
        timeline = from_json(saved[aspect].body)
        tracks = lay(timeline)
        named = copies.media(timeline, tracks, aspect.replace(":", "x"))
        stem = safe_name(f"{timeline.title}-{aspect.replace(':', 'x')}")
        lists.append(out / f"{stem}{SUFFIXES[target]}")
        _write(lists[-1], _text(target, timeline, tracks, named))
        if cues := program_cues(timeline):
            _write(out / f"{stem}.srt", srt(cues, timeline.canvas.fps))
        rates = {name: medium.fps for name, medium in named.items() if medium.fps}
        lost[aspect] = losses(timeline, tracks, target, rates)
    bundle = Bundle(out, tuple(lists), len(copies.written), sum(copies.written.values()), lost)
    _write(out / "losses.json", json.dumps(bundle.record()["losses"], ensure_ascii=False, indent=1) + "\n")
    _write(out / "LOSSES.txt", told(lost))
    return bundle


def told(lost: Mapping[str, Iterable[Loss]]) -> str:
    """Return what is lost as a person reads it."""
    lines = ["What this cut does not carry over from the finished video:", ""]
    for aspect, found in lost.items():
        lines.append(f"{aspect}")
        lines += [f"  - {loss.what} ({loss.count}): {loss.why}" for loss in found] or ["  - nothing"]
    return "\n".join(lines) + "\n"


def _text(target: Target, timeline: Timeline, tracks: Tracks, named: Mapping[str, Medium]) -> str:
    from factory.render import cutting_edl, cutting_otio  # noqa: PLC0415  brings OpenTimelineIO, slow to load

    writers = {"otio": cutting_otio.as_otio, "fcp7": cutting_otio.as_fcp7, "edl": cutting_edl.as_edl}
    return writers[target](timeline, tracks, named)


def _write(path: Path, text: str) -> None:
    def write(target: Path) -> None:
        target.write_text(text, encoding="utf-8", newline="\n")

    atomically(path, write)


@dataclass(slots=True)
class _Copies:
    """Puts the media of timelines into the folder, each once."""

    folder: Path
    parts: Parts
    written: dict[str, int] = field(default_factory=dict)  # path in the folder, bytes
    known: dict[str, Medium] = field(default_factory=dict)  # footage, pictures and voices by their digests

    def media(self, timeline: Timeline, tracks: Tracks, aspect: str) -> dict[str, Medium]:
        """Return every medium of the tracks by its name there."""
        found: dict[str, Medium] = {}
        names = self._names(item.medium for track in tracks.pictures for item in track)
        for item in (item for track in tracks.pictures for item in track):
            match item.layer:
                case ClipLayer():
                    found[item.medium] = self._footage(item.medium, names.get(item.medium, "brand"))
                case ImageLayer():
                    found[item.medium] = self._picture(item.medium)
                case CardLayer() | ColorLayer():
                    found[item.medium] = self._drawn(item, timeline, aspect)
        for number, item in enumerate(tracks.voice, 1):
            found[item.medium] = self._voice(item, number)
        if tracks.music:
            found[MUSIC] = self._music(timeline)
        return found

    def _names(self, digests: Iterable[str]) -> dict[str, str]:
        with self.parts.sessions.read() as session:
            return assets.paths_as_given(session, {d for d in digests if re.fullmatch("[0-9a-f]{64}", d)})

    def _footage(self, digest: str, given: str) -> Medium:
        if digest not in self.known:
            path = self.parts.files.path(digest)
            about = media.probe(path)
            suffix = Path(given).suffix.lower()
            if not _SUFFIX.fullmatch(suffix):
                suffix = CONTAINERS.get(about.container.split(",")[0], ".mp4")
            name = f"media/{portable(Path(given).stem)}-{digest[:8]}{suffix}"
            self._copy(path, name)
            self.known[digest] = Medium(name, Path(given).stem, about.seconds, about.fps, about.has_sound)
        return self.known[digest]

    def _picture(self, digest: str) -> Medium:
        if digest not in self.known:
            path = self.parts.files.path(digest)
            with path.open("rb") as file:
                head = file.read(4)
            suffix = next((suffix for magic, suffix in PICTURES if head.startswith(magic)), ".png")
            name = f"media/picture-{digest[:8]}{suffix}"
            self._copy(path, name)
            self.known[digest] = Medium(name, "picture")
        return self.known[digest]

    def _voice(self, item: Item, number: int) -> Medium:
        if item.medium not in self.known:
            name = f"sound/voice-{number:03d}-{item.medium[:8]}.wav"
            self._copy(self.parts.files.path(item.medium), name)
            self.known[item.medium] = Medium(name, f"voice {item.scene}", has_sound=True)
        return self.known[item.medium]

    def _music(self, timeline: Timeline) -> Medium:
        music, canvas = timeline.music, timeline.canvas
        assert music is not None
        name = f"sound/music-{portable(music.style)}-{music.seed}-{timeline.frames}.wav"
        if name not in self.written:
            beat, seconds = float(music.beat / canvas.fps), float(timeline.seconds)

            def make(target: Path) -> None:
                rate = canvas.sample_rate
                write_music(target, style=music.style, seed=music.seed, seconds=seconds, sample_rate=rate, beat=beat)

            atomically(self.folder / name, make)
            self.written[name] = (self.folder / name).stat().st_size
        return Medium(name, f"music {music.style}", timeline.seconds, has_sound=True)

    def _drawn(self, item: Item, timeline: Timeline, aspect: str) -> Medium:
        """Draw a card or a ground as large as the canvas, so that it stands where it should without being placed."""
        name = f"graphics/{aspect}/{item.medium}.png"
        if name not in self.written:
            canvas = timeline.canvas
            drawing = self._drawing(item, timeline)

            def paint(target: Path) -> None:
                sheet = Image.new("RGBA", (canvas.width, canvas.height))
                with Image.open(drawing.still) as picture:
                    sheet.paste(picture.convert("RGBA"), (drawing.left, drawing.top))
                sheet.save(target, format="PNG")

            atomically(self.folder / name, paint)
            self.written[name] = (self.folder / name).stat().st_size
        return Medium(name, item.medium.rpartition("-")[0])

    def _drawing(self, item: Item, timeline: Timeline) -> Drawing:
        if isinstance(item.layer, ColorLayer):
            return draw_color(item.layer, timeline.canvas, self.parts.files.cached)
        assert isinstance(item.layer, CardLayer)
        return draw_card(
            replace(item.layer, counts=False),
            self.parts.templates,
            self.parts.files.cached,
            canvas=timeline.canvas,
            brand=timeline.brand,
            locale=timeline.locale,
            where=f"card {item.layer.card!r} of scene {item.scene!r}",
        )

    def _copy(self, path: Path, name: str) -> None:
        target = self.folder / name
        atomically(target, lambda partial: _copied(path, partial))
        self.written[name] = target.stat().st_size


def _copied(path: Path, target: Path) -> None:
    with disk_full_named(target):
        shutil.copyfile(path, target)


def portable(text: str) -> str:
    """Return a file name of plain Latin letters, digits, `-` and `_`, which every program and disk takes."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-")[:60] or "clip"
