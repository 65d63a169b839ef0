"""All chunks of a film, each made once and several at a time; bodies of scenes hand their joints what these show.

A joint shows frames of two scenes. To decode them again from the key frame before costs more than to encode them, so
the process that makes a body writes them too: its handles, as an editor calls the frames on both sides of a cut. They
are raw, so that a joint's pictures are the same to the bit whether it reads handles or footage.

Other workers may help (`sharing`): what one of them took is left to it while there is anything else to do, and after
that no longer than it would take to make it here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Final

from factory.plan.timeline import Canvas
from factory.render import chunks, mezzanine
from factory.render.chunks import Way
from factory.render.command import FfmpegCommand
from factory.render.errors import RenderCancelled
from factory.render.graph import Chunk, compile_chunk, compile_with_handles
from factory.render.mezzanine import Stretch
from factory.render.overlays import Cached
from factory.render.probe import Encoder
from factory.render.sharing import Alone, Sharing

LATER: Final = 3  # places by which a joint is made after its bodies, so that no process waits for one of them
LOOK_EVERY: Final = 0.3  # seconds between two looks at a chunk that another makes


def commands_of(
    stretches: Sequence[Stretch], canvas: Canvas, encoder: Encoder, *, draft: bool
) -> tuple[list[FfmpegCommand], list[str]]:
    """Return the command that makes what each stretch is taken from, and the cache key of that."""
    commands = [mezzanine.command_of(one, canvas, encoder, draft=draft) for one in stretches]
    return commands, [chunks.key_of(command) for command in commands]


@dataclass(kw_only=True, slots=True)
class Encoding:
    """The chunks of one film. `folder` is for handles, `progressed` gets the share that is done, in [0, 1].

    Chunks are called by their place in `stretches`."""

    stretches: Sequence[Stretch]
    canvas: Canvas
    encoder: Encoder
    draft: bool
    cached: Cached
    folder: Path
    progressed: Callable[[float], None]
    cancelled: Callable[[], bool]
    sharing: Sharing = field(default_factory=Alone)
    commands: list[FfmpegCommand] = field(init=False, default_factory=list)
    keys: list[str] = field(init=False, default_factory=list)
    first: dict[str, int] = field(init=False, default_factory=dict)  # key -> place of the first chunk that has it
    frames: dict[int, int] = field(init=False, default_factory=dict)  # made so far
    locks: dict[int, Lock] = field(init=False, default_factory=dict)
    made: dict[int, tuple[Path, bool]] = field(init=False, default_factory=dict)
    elsewhere: set[int] = field(init=False, default_factory=set)  # what others took
    paces: list[float] = field(init=False, default_factory=list)  # seconds a frame, of each chunk that was made here
    stopped: bool = field(init=False, default=False)

    def run(self, pool: ThreadPoolExecutor) -> list[tuple[Path, bool]]:
        """Return the file of every stretch and whether it had to be made."""
        self.commands, self.keys = commands_of(self.stretches, self.canvas, self.encoder, draft=self.draft)
        self.first = {key: number for number, key in reversed([*enumerate(self.keys)])}
        self.frames = dict.fromkeys(self.first.values(), 0)
        self.locks = {number: Lock() for number in self.frames}
        self.sharing.share_out([self.keys[number] for number in sorted(self.frames)])
        self._each(pool, sorted(self.frames, key=lambda n: n + LATER * bool(self._chunk(n).transition)), self._turn)
        self._each(pool, sorted(self.elsewhere), partial(self._await, time.monotonic()))
        self.sharing.over()
        results = ((number, self.made[self.first[key]]) for number, key in enumerate(self.keys))
        return [(path, new and number in self.frames) for number, (path, new) in results]

    @property
    def helped(self) -> int:
        """How many chunks other workers made."""
        return sum(not self.made[number][1] for number in self.elsewhere)

    def _each(self, pool: ThreadPoolExecutor, numbers: Iterable[int], do: Callable[[int], None]) -> None:
        """Do it with each of these chunks, several at a time; the first failure ends all."""
        futures: list[Future[None]] = [pool.submit(do, number) for number in numbers]
        finished, others = wait(futures, return_when=FIRST_EXCEPTION)
        failure = next((error for future in finished if (error := future.exception())), None)
        if failure is not None:
            self.stopped = True
            for other in others:
                other.cancel()
            wait(others)  # they write into the folder
            raise failure

    def _turn(self, number: int) -> None:
        """Make a chunk, or wait until another thread has made it, or leave it to another worker that took it."""
        with self.locks[number]:
            if number in self.made or number in self.elsewhere:
                return
            if self._is_stopped():
                raise RenderCancelled
            if self.sharing.take(self.keys[number]):
                self._make(number)
            else:
                self.elsewhere.add(number)

    def _await(self, since: float, number: int) -> None:
        """Take the chunk that another worker makes: until it is there, its lease ran out, or waiting cost as much time
        `since` there was nothing else to do as making it here does."""
        key = self.keys[number]
        worth = self._chunk(number).frames * sum(self.paces) / len(self.paces) if self.paces else float("inf")
        while self.sharing.standing(key) == "in-work" and time.monotonic() < since + worth:
            if self._is_stopped():
                raise RenderCancelled
            time.sleep(LOOK_EVERY)
        if self.sharing.standing(key) != "made":
            self.sharing.take_from_another(key)
        with self.locks[number]:
            self._make(number)

    def _make(self, number: int) -> None:
        """Make a chunk, whose lock is held, where it does not lie in the cache."""
        if self._is_stopped():
            raise RenderCancelled
        began, chunk = time.monotonic(), self._chunk(number)
        self.made[number] = chunks.make_chunk(
            self.commands[number],
            self.cached,
            name=chunk.name,
            way=partial(self._of_handles if chunk.transition else self._with_handles, number),
            on_progress=partial(self._progressed, number),
            cancelled=self._is_stopped,
        )
        if self.made[number][1] and not chunk.transition:  # a joint waits for its bodies
            self.paces.append((time.monotonic() - began) / chunk.frames)
        self.sharing.made(self.keys[number])
        self._progressed(number, chunk.frames)
        for handle in self._handles_of(number).values():
            handle.unlink(missing_ok=True)

    def _of_handles(self, joint: int) -> Way:
        """Make the bodies beside a joint first, those that no other worker has; what they hand over is read instead of
        the footage."""
        for body in self._bodies_of(joint):
            self._turn(body)
        chunk = self._chunk(joint)
        size = chunk.frames * self.canvas.width * self.canvas.height * 3 // 2
        handles = {
            side: path
            for side, path in self._handles_of(joint).items()
            if path.exists() and path.stat().st_size == size  # shorter where the footage ends before its time
        }
        return compile_chunk(chunk, self.canvas, self._settings, handles=handles), ()

    def _with_handles(self, body: int) -> Way:
        """Write what the joints that are still to be made will show of the scene."""
        beside: dict[int, Path] = {}
        for side, joint in ((1, body - 1), (0, body + 1)):  # it comes in in the joint before it, and goes in the other
            awaited = joint in self.locks and joint not in self.made and joint not in self.elsewhere
            if awaited and body in self._bodies_of(joint):
                beside[side] = self._handles_of(joint)[side]
        if not beside:
            return self.commands[body], ()
        before, after = (self._chunk(at).frames if side in beside else 0 for side, at in ((1, body - 1), (0, body + 1)))
        command = compile_with_handles(self._chunk(body), self.canvas, self._settings, before=before, after=after)
        return command, tuple(beside.values())

    def _bodies_of(self, joint: int) -> list[int]:
        """Return the chunks on both sides that are encoded, once, right up to the joint."""
        chunk = self._chunk(joint)
        if not chunk.transition:
            return []
        found = []
        for window, number, at_end in zip(chunk.windows, (joint - 1, joint + 1), (True, False), strict=True):
            if number not in self.locks or self.stretches[number].copied or self._chunk(number).transition:
                continue
            (beside,) = self._chunk(number).windows
            meets = beside.start + beside.frames == window.start if at_end else window.frames == beside.start
            if meets and beside.parts is window.parts:
                found.append(number)
        return found

    def _handles_of(self, joint: int) -> Mapping[int, Path]:
        """Name the files of what a joint's first and second window show."""
        if not self._chunk(joint).transition:
            return {}
        return {side: self.folder / f"{joint}-{side}.yuv" for side in (0, 1)}

    def _chunk(self, number: int) -> Chunk:
        return self.stretches[number].chunk

    def _is_stopped(self) -> bool:
        return self.stopped or self.cancelled()

    @property
    def _settings(self) -> tuple[str, ...]:
        return self.encoder.arguments(self.canvas.fps, draft=self.draft)

    def _progressed(self, number: int, frames: int) -> None:
        self.frames[number] = min(frames, self._chunk(number).frames)
        self.progressed(sum(self.frames.values()) / sum(self._chunk(one).frames for one in self.frames))
