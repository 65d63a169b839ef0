"""Text as it is kept and as it is compared."""

from __future__ import annotations

import re

from understanding.labels import fold

_CJK = r"\u3400-\u9fff\uf900-\ufaff"
_BORDER = re.compile(rf"(?<=[{_CJK}])(?=[^\s{_CJK}])|(?<=[^\s{_CJK}])(?=[{_CJK}])")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_WHOLE = re.compile(r"\d|^.{1,3}$")  # `X5` is not `X50`, `car` is not `carpet`


def storable(text: str) -> str:
    """Return `text` as any database takes it: without NUL, bytes that were no text shown as `\\xe9`."""
    return _SURROGATE.sub(lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", text.replace("\0", ""))


def searchable(text: str) -> str:
    """Return folded words with one space before, between and after; Chinese runs are words of their own."""
    return f" {_BORDER.sub(' ', fold(text))} "


def like_pattern(text: str) -> str | None:
    """Return the LIKE pattern that finds these words, in order, in a `searchable` text; None where no word is left.

    Latin words start where they start (`art` is not in `start`); the last may go on (`drift`, `drifting`) unless it is
    short or holds a digit. Chinese ones may stand anywhere in a run. Folding leaves no `%` and no `_`.
    """
    words = searchable(text).strip()
    if not words:
        return None
    first, last = words.split(" ")[0], words.split(" ")[-1]
    before = "" if _is_cjk(first) else " "
    after = " " if not _is_cjk(last) and _WHOLE.search(last) else ""
    return f"%{before}{words}{after}%"


def _is_cjk(word: str) -> bool:
    return re.match(rf"[{_CJK}]", word) is not None


def compact(name: str) -> str:
    """Return a name as names are looked up: folded, no spaces (`Lumen S`, `lumen-s` and `LumenS` alike)."""
    return fold(name).replace(" ", "")
