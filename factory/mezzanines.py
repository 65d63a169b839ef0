"""Clips are encoded ahead in the formats that the settings name, so that videos can copy their shots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from factory.errors import FactoryError
from factory.plan.brief import CANVASES
from factory.plan.scoring import fit_for
from factory.plan.timeline import ClipLayer
from factory.render import chunks, mezzanine
from factory.render.footage import Footage
from factory.render.probe import X264
from factory.render.source import read_source
from factory.store import assets
from factory.wiring import Parts


@dataclass(frozen=True, slots=True)
class Encoded:
    """What became of a clip: how many blocks it has and how many of them were made now, or why there are none."""

    asset: str
    blocks: int = 0
    made: int = 0
    message: str = ""


def encode_library(parts: Parts) -> Iterator[Encoded]:
    """Encode every clip that is not retired; what is there already is passed over, so a run can be taken up again."""
    with parts.sessions.read() as session:
        wanted = assets.digests(session)
    yield from (encode_clip(asset, parts) for asset in wanted)


def encode_clip(asset: str, parts: Parts) -> Encoded:
    """Encode all of a clip for each aspect of the settings. A clip that cannot be rendered is told, not raised."""
    try:
        source = read_source(asset, parts.files.path(asset))
        made = blocks = 0
        for aspect in parts.settings.mezzanines:
            canvas = CANVASES[aspect]
            fit = fit_for(source.width, source.height, canvas)
            footage = Footage(ClipLayer(asset, 0, Fraction(0), 0, 1, fit=fit), source)
            for block in mezzanine.blocks_of(footage, canvas.fps):
                _, new = chunks.make_chunk(
                    mezzanine.command_of(block, canvas, X264), parts.files.cached, name=block.chunk.name
                )
                blocks, made = blocks + 1, made + new
    except FactoryError as failure:
        return Encoded(asset, message=f"{failure.cause}. Next: {failure.next_step}")
    return Encoded(asset, blocks, made)
