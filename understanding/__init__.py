"""A file in, tagged shots out. Knows nothing of the factory.

The face is `Tagger`, `TaggedClip`, `TaggedShot`; `build.load_tagger` makes a tagger. Importing this loads no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from understanding.tagged import TaggedClip, TaggedShot

if TYPE_CHECKING:
    from understanding.tagger import Tagger

__all__ = ["TaggedClip", "TaggedShot", "Tagger"]


def __getattr__(name: str) -> Any:
    if name == "Tagger":
        from understanding.tagger import Tagger  # noqa: PLC0415  brings torch

        return Tagger
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
