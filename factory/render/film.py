"""A timeline becomes a film: cards drawn, chunks encoded in parallel, sound mixed, all joined and published at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, TypeVar

from factory import traces
from factory.plan.following import Follow
from factory.plan.timeline import Canvas, CardLayer, ClipLayer, ColorLayer, Cue, ImageLayer, Layer, TimedScene, Timeline
from factory.render import aigc, chunks, mezzanine
from factory.render.captions_ass import CaptionWriter, check_captions, program_cues
from factory.render.drawn import Drawn
from factory.render.encoding import Encoding, commands_of
from factory.render.errors import RenderCancelled, RenderFailed, disk_full_named
from factory.render.export import srt, vtt, write_poster
from factory.render.face_blur import Mask, face_mask
from factory.render.footage import Footage
from factory.render.graph import Part, Photo
from factory.render.inlay import Standing, stand
from factory.render.mezzanine import Stretch
from factory.render.mix import MusicWriter, mix_program
from factory.render.overlays import Cached, Cards, Drawing, draw_card, draw_color
from factory.render.probe import X264, Encoder
from factory.render.sharing import Alone, Helping, Sharing, cores
from factory.render.source import Source, Span, read_source
from factory.render.stills import prepare
from factory.render.tracking import Eye, default_eye, track
from understanding.faces import FaceFinder

DRAFT_SCALE = Fraction(1, 2)
COMMENT = "Made with AutoReel"
# Shares of the whole work, for one figure of progress.
DRAWN, ENCODED, MIXED, JOINED = 0.06, 0.80, 0.90, 0.97


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Film:
    """A finished video and what stands beside it. `chunks_reused` came from the cache, `chunks_helped` were made
    by other workers meanwhile; `encoder` wrote the others."""

    video: Path
    srt: Path
    vtt: Path
    poster: Path
    frames: int
    fps: Fraction
    seconds: Fraction
    width: int
    height: int
    encoder: str
    chunks_made: int
    chunks_reused: int
    chunks_helped: int
    frames_copied: int  # from shots that were encoded before, see mezzanine


def render_film(
    timeline: Timeline,
    *,
    source: Callable[[str], Path],
    cached: Cached,
    templates: Cards,
    out: Path,
    write_music: MusicWriter,
    draft: bool = False,
    copy_shots: bool = False,
    producer: str = aigc.PRODUCER,
    jobs: int | None = None,
    encoder: Encoder = X264,
    eye: Eye | None = None,
    sharing: Sharing | None = None,
    on_progress: Callable[[float, str], None] = lambda _share, _what: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Film:
    """Render `timeline` to `out` (an .mp4), its subtitles and poster beside it under the same name.

    `source` finds a file by its SHA-256, footage and speech alike. `cached(key, suffix, make)` keeps what is made;
    several threads call it at once. `draft` is half the size and quick; `copy_shots` takes stretches that show a shot
    and nothing else from its mezzanine; `producer` stands in the file's AIGC label, `eye` sees the cars that are
    tracked. By `sharing` other workers may help with the chunks. `on_progress` gets a share in [0, 1] that never falls,
    and what is being done. Nothing stands at `out` before the film is whole. The frames depend neither on `jobs` nor on
    what the cache holds nor on who helps.
    """
    work = _Work(
        timeline=timeline,
        source=source,
        cached=cached,
        templates=templates,
        write_music=write_music,
        sharing=sharing or Alone(),
        encoder=encoder,
        draft=draft,
        copy_shots=copy_shots and not draft and bool(encoder.even_groups),
        producer=producer,
        eye=eye or default_eye(cached, cancelled),
        report=on_progress,
        asked_to_stop=cancelled,
    )
    chunks.check(timeline)
    check_captions(timeline)
    return _with_threads(work, jobs, lambda pool: work.film(pool, out))


def help_film(
    timeline: Timeline,
    helping: Helping,
    *,
    source: Callable[[str], Path],
    cached: Cached,
    templates: Cards,
    draft: bool = False,
    copy_shots: bool = False,
    jobs: int | None = None,
    encoder: Encoder = X264,
    eye: Eye | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Make chunks of a film that another worker renders, those that `helping` gives, and return how many.

    A chunk of other settings, other templates or another ffmpeg has another key, so that it is never asked for.
    """
    work = _Work(
        timeline=timeline,
        source=source,
        cached=cached,
        templates=templates,
        encoder=encoder,
        draft=draft,
        copy_shots=copy_shots and not draft and bool(encoder.even_groups),
        eye=eye or default_eye(cached),
        asked_to_stop=cancelled,
    )
    return _with_threads(work, jobs, lambda pool: work.help(pool, helping, jobs or cores()))


def _with_threads(work: _Work, jobs: int | None, do: Callable[[ThreadPoolExecutor], T]) -> T:
    with ThreadPoolExecutor(jobs or cores(), thread_name_prefix="render") as pool:
        try:
            return do(pool)
        except BaseException:
            work.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


@dataclass(kw_only=True, slots=True)
class _Work:
    """One render in progress: what it is given, and its progress over all threads."""

    timeline: Timeline
    source: Callable[[str], Path]
    cached: Cached
    templates: Cards
    encoder: Encoder
    draft: bool
    copy_shots: bool
    eye: Eye
    write_music: MusicWriter | None = None  # a helper mixes nothing
    producer: str = aigc.PRODUCER
    sharing: Sharing = field(default_factory=Alone)
    report: Callable[[float, str], None] = lambda _share, _what: None
    asked_to_stop: Callable[[], bool]
    finder: FaceFinder = field(default_factory=lambda: FaceFinder(threads=1))
    stopped: bool = False
    share: float = 0.0
    lock: Any = field(default_factory=Lock)

    @property
    def scale(self) -> Fraction:
        return DRAFT_SCALE if self.draft else Fraction(1)

    @property
    def canvas(self) -> Canvas:
        """The canvas that is encoded: the timeline's own, or half of it for a draft."""
        whole = self.timeline.canvas
        width, height = (int(side * self.scale / 2) * 2 for side in (whole.width, whole.height))
        return replace(whole, width=width, height=height)

    def film(self, pool: ThreadPoolExecutor, out: Path) -> Film:
        timeline = self.timeline
        sources, stretches = self._stretches(pool)
        self._tell(DRAWN, "rendering")
        sound = pool.submit(traces.carried(self._mix), sources)
        with traces.span("encode", chunks=len(stretches)):
            made, helped = self._encode(pool, stretches, out.parent)
        self._tell(ENCODED, "mixing sound")
        _all([sound])
        self._tell(MIXED, "joining")
        with traces.span("join"):
            self._publish(stretches, [path for path, _ in made], sound.result(), out)
        srt_file, vtt_file, poster = self._beside(out, program_cues(timeline))
        self._tell(1.0, "done")
        canvas, fresh = self.canvas, sum(new for _, new in made)
        return Film(
            video=out,
            srt=srt_file,
            vtt=vtt_file,
            poster=poster,
            frames=timeline.frames,
            fps=canvas.fps,
            seconds=timeline.seconds,
            width=canvas.width,
            height=canvas.height,
            encoder=self.encoder.name,
            chunks_made=fresh,
            chunks_reused=len(made) - fresh - helped,
            chunks_helped=helped,
            frames_copied=sum(stretch.frames for stretch in stretches if stretch.copied),
        )

    def help(self, pool: ThreadPoolExecutor, helping: Helping, at_once: int) -> int:
        """Make what `helping` gives, `at_once` at a time."""
        _, stretches = self._stretches(pool)
        commands, keys = commands_of(stretches, self.canvas, self.encoder, draft=self.draft)
        known = dict(zip(keys, zip(stretches, commands, strict=True), strict=True))

        def work_off() -> int:
            made = 0
            while not self.cancelled() and (key := helping.take(keys)) is not None:
                stretch, command = known[key]
                try:
                    chunks.make_chunk(command, self.cached, name=stretch.chunk.name, cancelled=self.cancelled)
                except RenderCancelled:
                    break
                except BaseException:
                    helping.failed(key)
                    raise
                helping.made(key)
                made += 1
            return made

        hands = [pool.submit(work_off) for _ in range(at_once)]
        _all(hands)
        return sum(hand.result() for hand in hands)

    def _stretches(self, pool: ThreadPoolExecutor) -> tuple[dict[str, Source], list[Stretch]]:
        """Read the footage, draw what is drawn, and cut the film into what is encoded piece by piece."""
        timeline = self.timeline
        self._tell(0.0, "reading footage")
        sources = self._sources(pool)
        self._tell(DRAWN / 3, "drawing cards")
        parts = self._parts(pool, sources)
        cues = program_cues(timeline)
        writer = CaptionWriter(timeline.caption_style, timeline.canvas, getattr(self.templates, "folders", ()))
        pieces = chunks.cut(timeline, parts, lambda start, end: writer.script(cues, start, end), self._mark())
        return sources, mezzanine.copying(pieces, self.canvas) if self.copy_shots else mezzanine.whole(pieces)

    def _beside(self, out: Path, cues: Sequence[Cue]) -> tuple[Path, Path, Path]:
        """Write the subtitles and the poster."""
        self._tell(JOINED, "taking the poster")
        srt_file, vtt_file, poster = (out.with_suffix(suffix) for suffix in (".srt", ".vtt", ".jpg"))
        fps = self.timeline.canvas.fps
        for file, text in ((srt_file, srt(cues, fps)), (vtt_file, vtt(cues, fps))):
            atomically(file, lambda target, text=text: _write(target, text))  # type: ignore[misc]  # mypy cannot type a lambda with a default
        frame = min(max(self.timeline.poster_frame, 0), self.timeline.frames - 1)
        atomically(poster, lambda target: write_poster(out, frame, self.canvas, target, self.cancelled))
        return srt_file, vtt_file, poster

    def _sources(self, pool: ThreadPoolExecutor) -> dict[str, Source]:
        """Look at every piece of footage once, and for the key frames of what is shown of it."""
        shown: dict[str, list[Span]] = {}
        for scene in self.timeline.scenes:
            for layer in scene.layers:
                if isinstance(layer, ClipLayer):
                    seconds = layer.frames / self.timeline.canvas.fps * layer.speed
                    shown.setdefault(layer.asset, []).append((layer.source_start, layer.source_start + seconds))
        looks = {
            asset: pool.submit(read_source, asset, self.source(asset), self.cancelled, shown=stretches)
            for asset, stretches in sorted(shown.items())
        }
        _all(looks.values())
        return {asset: look.result() for asset, look in looks.items()}

    def _parts(self, pool: ThreadPoolExecutor, sources: Mapping[str, Source]) -> list[tuple[Part, ...]]:
        """Draw every card once, every mask and every path; give each scene a black ground at its bottom."""
        ground = ColorLayer("#000000", 0, max(scene.frames for scene in self.timeline.scenes))
        black = draw_color(ground, self.timeline.canvas, self.cached, self.scale)
        made: dict[tuple[int, int], Future[Part]] = {}
        for number, scene in enumerate(self.timeline.scenes):
            for place, layer in enumerate(scene.layers):
                made[number, place] = pool.submit(self._part, layer, scene, sources)
        _all(made.values())
        return [
            (
                Drawn(replace(ground, frames=scene.frames), black),
                *(made[number, place].result() for place in range(len(scene.layers))),
            )
            for number, scene in enumerate(self.timeline.scenes)
        ]

    def _part(self, layer: Layer, scene: TimedScene, sources: Mapping[str, Source]) -> Part:
        self._check_stopped()
        match layer:
            case ClipLayer():
                source = sources[layer.asset]
                standing = self._standing(layer)
                return Footage(layer, source, self._mask(layer, source), standing, self._path(layer, source, standing))
            case ImageLayer():
                return self._photo(layer, scene)
        return Drawn(layer, self._draw(layer, scene))

    def _photo(self, layer: ImageLayer, scene: TimedScene) -> Photo:
        standing, canvas = self._standing(layer), self.canvas
        if standing is not None:
            canvas = replace(canvas, width=standing.width, height=standing.height)
        name = f"{layer.asset[:12]} of scene {scene.id!r}"
        file = self.source(layer.asset)
        view = prepare(layer, file, canvas, self.cached, name=name, cancelled=self.cancelled)
        return Photo(layer, view, standing)

    def _mark(self) -> Drawing | None:
        """Draw the watermark, where there is one."""
        mark = self.timeline.watermark
        if mark is None:
            return None
        layer = CardLayer("watermark", asdict(mark), 0, 1)
        return self._card(layer, "the watermark")

    def _standing(self, layer: ClipLayer | ImageLayer) -> Standing | None:
        if layer.inset is None:
            return None
        timeline = self.timeline
        look: dict[str, Any] = {"canvas": timeline.canvas, "brand": timeline.brand, "locale": timeline.locale}
        return stand(layer.inset, self.templates, self.cached, **look, scale=self.scale)

    def _mask(self, layer: ClipLayer, source: Source) -> Mask | None:
        """Look for faces where they are to be hidden."""
        if not layer.blur_faces:
            return None
        return face_mask(
            layer, source, self.timeline.canvas, self.cached, finder=self.finder, check_stopped=self._check_stopped
        )

    def _path(self, layer: ClipLayer, source: Source, standing: Standing | None) -> Follow | None:
        """Look for the car where it is to be tracked."""
        if layer.fit != "track":
            return None
        canvas = self.timeline.canvas
        if standing is not None:
            canvas = replace(canvas, width=standing.width, height=standing.height)
        return track(layer, source, canvas, self.cached, eye=self.eye, check_stopped=self._check_stopped)

    def _draw(self, layer: CardLayer | ColorLayer, scene: TimedScene) -> Drawing:
        if isinstance(layer, ColorLayer):
            return draw_color(layer, self.timeline.canvas, self.cached, self.scale)
        return self._card(layer, f"card {layer.card!r} of scene {scene.id!r}")

    def _card(self, layer: CardLayer, where: str) -> Drawing:
        timeline = self.timeline
        look: dict[str, Any] = {"canvas": timeline.canvas, "brand": timeline.brand, "locale": timeline.locale}
        return draw_card(layer, self.templates, self.cached, **look, scale=self.scale, where=where)

    def _encode(
        self, pool: ThreadPoolExecutor, stretches: Sequence[Stretch], folder: Path
    ) -> tuple[list[tuple[Path, bool]], int]:
        """Return the file of every stretch, whether it was made here, and how many others made."""
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".handles-", dir=folder) as handles:
            encoding = Encoding(
                stretches=stretches,
                canvas=self.canvas,
                encoder=self.encoder,
                draft=self.draft,
                cached=self.cached,
                folder=Path(handles),
                progressed=lambda share: self._tell(DRAWN + (ENCODED - DRAWN) * share, "rendering"),
                cancelled=self.cancelled,
                sharing=self.sharing,
            )
            return encoding.run(pool), encoding.helped

    def _mix(self, sources: Mapping[str, Source]) -> Path:
        self._check_stopped()
        assert self.write_music is not None
        with traces.span("mix"):
            return mix_program(
                self.timeline,
                source=self.source,
                sources=sources,
                cached=self.cached,
                write_music=self.write_music,
                cancelled=self.cancelled,
            )

    def _publish(self, stretches: Sequence[Stretch], made: Sequence[Path], sound: Path, out: Path) -> None:
        self._check_stopped()
        label = {aigc.KEY: aigc.implicit_label(self.timeline, self.producer)}
        metadata = {"title": self.timeline.title, "comment": COMMENT, **label}

        def write(target: Path) -> None:
            shown = [chunks.Pictures(path, one.first, one.frames) for one, path in zip(stretches, made, strict=True)]
            frames = chunks.join(shown, sound, target, canvas=self.canvas, metadata=metadata)
            if frames != self.timeline.frames:
                raise RenderFailed(
                    f"the film has {frames} frames instead of {self.timeline.frames}",
                    next_step="clear the cache and render again",
                )
            aigc.check_written(target, label[aigc.KEY])

        atomically(out, write)

    def cancelled(self) -> bool:
        return self.stopped or self.asked_to_stop()

    def stop(self) -> None:
        """Let every thread end soon."""
        self.stopped = True

    def _check_stopped(self) -> None:
        if self.cancelled():
            raise RenderCancelled

    def _tell(self, share: float, what: str) -> None:
        with self.lock:
            self.share = max(self.share, min(share, 1.0))
            self.report(self.share, what)


def atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file beside `path`, bring it to the disk, and only then give it its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem[:80]}.{os.getpid()}.part{path.suffix}")
    try:
        with disk_full_named(path):
            write(beside)
            with beside.open("rb") as file:
                os.fsync(file.fileno())
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _write(target: Path, text: str) -> None:
    target.write_text(text, encoding="utf-8", newline="\n")


def _all(futures: Iterable[Future[Any]]) -> None:
    """Wait for all; raise the first failure as soon as there is one."""
    finished, _ = wait(futures, return_when=FIRST_EXCEPTION)
    for future in finished:
        future.result()
