"""Tag the library anew with the present tagger: clip by clip, each in one transaction, resumed where it stopped.

What is still to do is every clip that another tagger spoke of last, so that a run that was killed goes on by itself.
Corrections of the desk win and stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from factory.errors import FactoryError
from factory.logs import about
from factory.store import assets
from factory.wiring import Parts
from understanding.errors import MediaRefused


@dataclass(frozen=True, slots=True)
class Retagged:
    """What became of one clip; `code` and `message` say why it kept its old tags."""

    asset: str
    file_name: str
    status: Literal["retagged", "refused"]
    shots: int = 0
    code: str = ""
    message: str = ""


def outdated(parts: Parts) -> tuple[assets.Spoken, ...]:
    """Return the clips that the present tagger has not spoken of yet, oldest first."""
    with parts.sessions.read() as session:
        return assets.tagged_by_others(session, parts.tagger.version)


def retag(parts: Parts) -> Iterator[Retagged]:
    """Tag every outdated clip and say of each what became of it; one that cannot be tagged keeps what it has."""
    for clip in outdated(parts):
        try:
            with about(asset=clip.digest):
                tagged = parts.tagger.read_as(parts.files.path(clip.digest), clip.file_name)
            with parts.sessions.write() as session:
                shots = assets.retag(session, clip.digest, tagged, parts.taxonomy)
        except (MediaRefused, FactoryError) as refusal:
            message = f"{refusal.cause.rstrip('.')}. Next: {refusal.next_step}"
            yield Retagged(clip.digest, clip.file_name, "refused", code=refusal.code, message=message)
        else:
            yield Retagged(clip.digest, clip.file_name, "retagged", shots)
