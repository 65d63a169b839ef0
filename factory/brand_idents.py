"""What a brand kit says of opening and closing, as the plan takes it: a card, or a clip that is kept by its content."""

from __future__ import annotations

from fractions import Fraction

from factory.plan.idents import Ident
from factory.render.brands import Brand, BrandRefused, OpeningKit
from factory.render.errors import RenderFailed
from factory.render.source import read_source
from factory.wiring import Parts


def ident_of(brand: Brand, kit: OpeningKit, parts: Parts) -> Ident:
    """Return the opening or the closing of a brand. Raises `BrandRefused` where its clip is missing or too long."""
    if not kit.clip:
        seconds = Fraction(str(kit.seconds or kit.usual))
        return Ident(seconds, kit.card, kit.line, brand.hairline, brand.ground)
    path = parts.templates.beside(brand.name, kit.clip)
    if not path.is_file():
        raise BrandRefused(f"brand {brand.name}: there is no file {kit.clip}", next_step="put it beside the brand kit")
    kept = parts.files.adopt(path)
    try:
        source = read_source(kept.digest, kept.path)
    except RenderFailed as error:
        raise BrandRefused(f"brand {brand.name}: {kit.clip}: {error}", next_step="give another clip") from error
    wanted = Fraction(str(kit.seconds)) if kit.seconds else source.seconds
    if not 0 < wanted <= min(Fraction(str(kit.longest)), source.seconds):
        raise BrandRefused(
            f"brand {brand.name}: {kit.clip} lasts {float(source.seconds):.1f} s, and {float(wanted):.1f} s are shown",
            next_step=f"say `seconds` beside it, at most {kit.longest:g} and no more than it has, or cut the clip",
        )
    return Ident(wanted, asset=kept.digest, has_sound=source.has_sound)
