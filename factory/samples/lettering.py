"""The one font of drawn text, and text as SVG."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from xml.sax.saxutils import escape

FAMILY = "Noto Sans CJK SC"


@cache
def font_file() -> Path:
    """The Noto font that its wheel carries."""
    return Path(str(files("noto_cjk_sans_otc"))) / "NotoSansCJK-Regular.ttc"


def text(
    words: str, x: float, y: float, size: float, colour: str = "#fff", *, align: str = "start", extra: str = ""
) -> str:
    """One line of text; `align` is start, middle or end."""
    return (
        f'<text x="{x}" y="{y}" font-family="{FAMILY}" font-size="{size}" fill="{colour}" '
        f'text-anchor="{align}" {extra}>'
        f"{escape(words)}</text>"
    )
