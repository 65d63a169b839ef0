"""Credits and licences of all that a video is made of: footage, pictures, music, voices, font, data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from factory.plan.timeline import ClipLayer, ImageLayer, Timeline

VERSION = 1
KINDS = {
    "footage": ("画面", "Footage"),
    "picture": ("图片", "Pictures"),
    "music": ("音乐", "Music"),
    "voice": ("配音", "Voice"),
    "font": ("字体", "Font"),
    "data": ("数据", "Data"),
}


@dataclass(frozen=True, slots=True)
class Shelf:
    """What comes with the factory, as `factory/plan/data/material.yaml` says it, and the addresses of footage by its
    sha256, where they are known."""

    own: Mapping[str, Any]
    addresses: Mapping[str, str]


def material(timeline: Timeline, trace: Mapping[str, Any], shelf: Shelf) -> dict[str, Any]:
    """Return every piece of material once, by kind and in the order of showing, as plain JSON values.

    `trace` is the plan's own: shots with rights, credit and licence, pictures, voices, sources. `unstated` names the
    pieces whose licence nobody has said: a person has to look at them before anything is published.
    """
    pieces = [
        *_footage(timeline, trace, shelf),
        *_pictures(timeline, trace),
        *_sound(timeline, trace, shelf),
        {"kind": "font", **shelf.own["font"]},
        *_data(trace),
    ]
    unstated = [f"{piece['kind']}: {piece['name']}" for piece in pieces if not piece.get("licence")]
    return {"version": VERSION, "title": timeline.title, "material": pieces, "unstated": unstated}


def as_text(found: Mapping[str, Any], locale: str) -> str:
    """Return the same as a page to read."""
    zh = locale == "zh-CN"
    lines = [found["title"], ""]
    for kind, names in KINDS.items():
        pieces = [piece for piece in found["material"] if piece["kind"] == kind]
        if pieces:
            lines += [names[0] if zh else names[1], *(f"  {_line(piece, zh)}" for piece in pieces), ""]
    if found["unstated"]:
        lines.append("未注明许可，发布前请核实：" if zh else "No licence stated, to be checked before publishing:")
        lines += [f"  {name}" for name in found["unstated"]]
    return "\n".join(lines).rstrip() + "\n"


def _line(piece: Mapping[str, Any], zh: bool) -> str:
    licence = piece.get("licence") or ("许可未注明" if zh else "licence not stated")
    said = [piece["name"], piece.get("credit", ""), piece.get("date", ""), licence, piece.get("url", "")]
    if piece.get("sample"):
        said.append("示例数据" if zh else "sample data")
    return ("；" if zh else "; ").join(" ".join(str(part).split()) for part in said if part)


def _footage(timeline: Timeline, trace: Mapping[str, Any], shelf: Shelf) -> Iterator[dict[str, Any]]:
    """Yield the files that are shown, each with the stretches of it: those of the trace, and the brand's own clips."""
    shown: dict[str, list[ClipLayer]] = {}
    for scene in timeline.scenes:
        for layer in scene.layers:
            if isinstance(layer, ClipLayer):
                shown.setdefault(layer.asset, []).append(layer)
    known = {shot["asset"]: shot for shot in trace["shots"]}
    for asset, layers in shown.items():
        shot = known.get(asset)
        spans = [
            [
                round(float(one.source_start), 3),
                round(float(one.source_start + one.frames / timeline.canvas.fps * one.speed), 3),
            ]
            for one in layers
        ]
        if shot is None:
            own = {
                "name": f"opening or closing of {timeline.brand}",
                "credit": timeline.brand,
                "licence": "the brand's own",
            }
            yield {"kind": "footage", **own, "sha256": asset, "seconds": spans}
            continue
        yield {
            "kind": "footage",
            "name": shot["title"],
            "credit": shot["credit"],
            "licence": shot["licence"],
            "rights": shot["rights"],
            "url": shelf.addresses.get(asset, ""),
            "sha256": asset,
            "seconds": spans,
        }


def _pictures(timeline: Timeline, trace: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    layers = [layer for scene in timeline.scenes for layer in scene.layers if isinstance(layer, ImageLayer)]
    known = {picture["asset"]: picture for picture in trace.get("pictures", [])}
    for asset in dict.fromkeys(layer.asset for layer in layers):
        picture = known.get(asset, {})
        yield {
            "kind": "picture",
            "name": picture.get("file", asset[:12]),
            "credit": picture.get("credit", ""),
            "licence": "",
            "sha256": asset,
        }


def _sound(timeline: Timeline, trace: Mapping[str, Any], shelf: Shelf) -> Iterator[dict[str, Any]]:
    if timeline.music:
        yield {"kind": "music", "name": f"{timeline.music.style}, seed {timeline.music.seed}", **shelf.own["music"]}
    for voice in trace.get("voices", []):
        named = next((own for start, own in shelf.own["voices"].items() if str(voice).startswith(start)), None)
        yield {"kind": "voice", "voice": voice, **(named or {"name": voice, "credit": "", "licence": ""})}


def _data(trace: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for source in trace.get("sources", []):
        said = {key: source.get(key, "") for key in ("name", "date", "url", "licence")}
        yield {"kind": "data", **said, "sample": bool(source.get("sample"))}
