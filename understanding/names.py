"""Finding tags by their names in what people write: titles, file names, burnt-in text, speech."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from understanding.labels import Taxonomy, fold

MAX_CHARACTERS = 20_000  # of one text; an hour of speech is longer, and says nothing new by then

_DIGEST = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z]{3})(?=\d)")
_DENIED = re.compile(r"(?:\b(?:no|not|without|isn t|never) |[无没]有?|不是|并非)$")


class NameFinder:
    """Finds spoken names, longest first, in Chinese anywhere and in Latin letters at word boundaries only."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._tags = taxonomy.spoken()
        self._longest = max(map(len, self._tags))
        self._first = {name[0] for name in self._tags}

    def find(self, text: str) -> tuple[str, ...]:
        """Tags named in `text`, in order, without repeats; a name that is denied right before it does not count."""
        folded = fold(text[:MAX_CHARACTERS])
        found = (
            self._tags[folded[start:end]]
            for start, end in self._spans(folded)
            if not _DENIED.search(folded, max(0, start - 12), start)
        )
        return tuple(dict.fromkeys(found))

    def _spans(self, folded: str) -> Iterator[tuple[int, int]]:
        at = 0
        while at < len(folded):
            end = self._longest_name(folded, at)
            if end is None:
                at += 1
            else:
                yield at, end
                at = end

    def _longest_name(self, folded: str, at: int) -> int | None:
        if folded[at] not in self._first or (at > 0 and _inside_word(folded[at - 1], folded[at])):
            return None
        for end in range(min(len(folded), at + self._longest), at, -1):
            cut = end < len(folded) and _inside_word(folded[end - 1], folded[end])
            if not cut and folded[at:end] in self._tags:
                return end
        return None


def _inside_word(left: str, right: str) -> bool:
    """True between two characters of one Latin word or number."""
    return left.isascii() and right.isascii() and left.isalnum() and right.isalnum()


def file_words(path: str) -> str:
    """The words of a file's name: no folder, no suffix, no digest; `OffRoadMud02.mp4` -> `Off Road Mud 02`."""
    stem = PurePath(path).stem
    return _CAMEL.sub(" ", _DIGEST.sub(" ", stem))
