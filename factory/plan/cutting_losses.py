"""What a cutting room does not get: each thing of a timeline that tracks, or one exchange format, cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from factory.plan.cutting import Tracks
from factory.plan.timeline import CardLayer, ClipLayer, ImageLayer, Layer, Timeline

Target = Literal["otio", "fcp7", "edl"]
DISSOLVES = ("fade", "crossfade", "dissolve")


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that is lost: what, of how many things, and what stands there instead or what to do."""

    what: str
    count: int
    why: str


def losses(
    timeline: Timeline, tracks: Tracks, target: Target, rates: Mapping[str, Fraction] | None = None
) -> tuple[Loss, ...]:
    """Return what is lost, in the order of weight; a thing of which there is none is not named.

    `rates` are the frames a second of the media that have a rate of their own, by their names on the tracks.
    """
    found = [*_of_all(timeline), *_of_sound(tracks), *_of_format(timeline, tracks, target)]
    other = [rate for rate in (rates or {}).values() if rate != timeline.canvas.fps]
    found.append(
        Loss(
            "footage at another frame rate",
            len(other),
            "its places are counted in frames of the program, to the nearest",
        )
    )
    found += [Loss(name, 1, "it has no place on the tracks") for name in tracks.left_out]
    return tuple(loss for loss in found if loss.count)


def _of_all(timeline: Timeline) -> Iterator[Loss]:
    layers = [layer for scene in timeline.scenes for layer in scene.layers]
    clips = [layer for layer in layers if isinstance(layer, ClipLayer)]
    cards = [layer for layer in layers if isinstance(layer, CardLayer)]
    yield Loss(
        "faces hidden by a mosaic",
        sum(clip.blur_faces for clip in clips),
        "the footage in the bundle shows them: hide them again before anything is published",
    )
    yield Loss("cards that move", len(cards), "flattened: one picture at rest, without entry, exit or counting numbers")
    yield Loss(
        "crops that follow a car",
        sum(clip.fit == "track" for clip in clips),
        "the whole picture; set the crop anew",
    )
    yield Loss(
        "crops around burnt-in text",
        sum(clip.window is not None for clip in clips),
        "the whole picture; the text shows until it is cropped",
    )
    yield Loss(
        "footage fitted over a blurred ground",
        sum(clip.fit == "contain-blur" for clip in clips),
        "the whole picture without the ground",
    )
    yield Loss(
        "pictures in pictures",
        sum(_has_inset(layer) for layer in layers),
        "full size on an upper track; place and frame are lost",
    )
    yield Loss(
        "glides over still pictures",
        sum(isinstance(layer, ImageLayer) and layer.first != layer.last for layer in layers),
        "the picture at rest",
    )
    yield Loss("burnt-in captions", sum(len(scene.cues) for scene in timeline.scenes), "beside it as SRT")
    crossed = [scene for scene in timeline.scenes if scene.transition]
    yield Loss(
        "cards under a transition",
        sum(any(isinstance(layer, CardLayer) for layer in scene.layers) for scene in crossed),
        "they are cut in its middle; only the lowest pictures blend",
    )


def _has_inset(layer: Layer) -> bool:
    return isinstance(layer, ClipLayer | ImageLayer) and layer.inset is not None


def _of_sound(tracks: Tracks) -> Iterator[Loss]:
    sounds = sum(len(track) for track in tracks.heard)
    yield Loss("the finished mix", min(sounds, 1), "sounds are apart, as they were recorded, before mastering")
    yield Loss("music ducked under the voice", min(len(tracks.music) * len(tracks.voice), 1), "at one level throughout")


def _of_format(timeline: Timeline, tracks: Tracks, target: Target) -> Iterator[Loss]:
    names = [crossing.name for crossing in tracks.crossings]
    other = sum(name not in DISSOLVES for name in names)
    if target == "edl":
        upper = sum(len(track) for track in tracks.pictures[1:])
        yield Loss("upper picture tracks", upper, "an EDL has one; their files lie in the bundle")
        yield Loss("transitions of another kind", other, "an EDL here has dissolves alone")
        yield Loss("levels of sounds", sum(len(track) for track in tracks.heard[1:]), "an EDL has none")
        yield Loss(
            "further tracks of natural sound", sum(len(one) for one in tracks.natural[1:]), "an EDL has A, A2, A3"
        )
        yield Loss("names of scenes", len(tracks.marks), "an EDL has no markers of the program")
        rate = timeline.canvas.fps
        yield Loss("the exact frame rate", int(rate.denominator != 1), f"timecode counts {round(rate)} frames a second")
    elif target == "otio":
        yield Loss(
            "transitions of another kind", other, "each is a custom transition with its name: programs may dissolve"
        )
    else:
        yield Loss("transitions of another kind", other, "the nearest effect of Final Cut Pro 7 stands in its place")
