"""Features of clips kept in a folder under the digest of their bytes: what was measured once is not decoded again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Protocol
from zipfile import BadZipFile

import numpy as np

from understanding.bars import Area
from understanding.cache import made_once
from understanding.features import ClipFeatures, ShotFeatures
from understanding.flaws import Flaw
from understanding.picture_backbone import PictureBackbone
from understanding.sound_backbone import SoundBackbone
from understanding.tagged import Box, CameraMotion, Probe, Region, ShotQuality

ROWS: Final = ("picture", "scores", "sound")  # of a shot, kept as half floats


class Reader(Protocol):
    """Measures a file; `version` changes when the same file would give other features."""

    version: str

    @property
    def picture(self) -> PictureBackbone: ...
    @property
    def sound(self) -> SoundBackbone: ...

    def read(self, path: Path, *, title: str = "") -> ClipFeatures: ...


class KeptFeatures:
    """Reads through a folder: what it does not hold is measured by `reader` and kept."""

    def __init__(self, reader: Reader, folder: Path) -> None:
        self.version = reader.version
        self.picture, self.sound = reader.picture, reader.sound
        self._reader, self._folder = reader, folder

    def read(self, path: Path) -> ClipFeatures:
        """Return what is known of a file's bytes, or measure it. Raises MediaRefused."""
        measured: list[ClipFeatures] = []

        def measure(place: Path) -> None:
            measured.append(self._reader.read(path))
            save(place, measured[0])

        kept = made_once(self._place(path), measure) if path.is_file() and not path.is_symlink() else None
        if kept is None:
            return self._reader.read(path)  # which refuses it
        try:
            return load(kept)
        except (OSError, ValueError, KeyError, TypeError, BadZipFile):  # damaged: nothing is lost but a minute
            kept.unlink(missing_ok=True)
            return self._reader.read(path)

    def _place(self, path: Path) -> Path:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return self._folder / self.version / digest[:2] / f"{digest}.npz"


def save(path: Path, clip: ClipFeatures) -> None:
    """Write features; rows as half floats, so that an hour of video takes about 25 MB."""
    about = {
        "probe": _plain(asdict(clip.probe)),
        "title": clip.title,
        "area": asdict(clip.area) if clip.area else None,
        "shots": [
            {
                "span": [str(shot.start), str(shot.end)],
                "burnt_in": shot.burnt_in,
                "speech": shot.speech,
                "quality": asdict(shot.quality),
                "warnings": shot.warnings,
                "camera": asdict(shot.camera) if shot.camera else None,
                "face": shot.face,
                "flaws": [[flaw.name, str(flaw.start), str(flaw.end)] for flaw in shot.flaws],
                "regions": [asdict(region) for region in shot.regions],
            }
            for shot in clip.shots
        ],
    }
    rows = {f"{name}{i}": getattr(shot, name).astype(np.float16) for i, shot in enumerate(clip.shots) for name in ROWS}
    rows |= {f"glances{i}": shot.glances for i, shot in enumerate(clip.shots)}
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **rows)


def load(path: Path) -> ClipFeatures:
    """Read what `save` wrote; OSError, ValueError, KeyError, TypeError or BadZipFile for anything else."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
        about = json.loads(kept["about"].tobytes())
        shots = tuple(
            ShotFeatures(
                start=Fraction(shot["span"][0]),
                end=Fraction(shot["span"][1]),
                picture=kept[f"picture{i}"].astype(np.float32),
                scores=kept[f"scores{i}"].astype(np.float32),
                sound=kept[f"sound{i}"].astype(np.float32),
                burnt_in=shot["burnt_in"],
                speech=shot["speech"],
                quality=ShotQuality(**shot["quality"]),
                warnings=tuple(shot["warnings"]),
                camera=CameraMotion(**shot["camera"]) if shot["camera"] else None,
                face=shot["face"],
                glances=kept[f"glances{i}"],
                flaws=tuple(Flaw(name, Fraction(start), Fraction(end)) for name, start, end in shot["flaws"]),
                regions=tuple(Region(one["kind"], Box(**one["box"])) for one in shot["regions"]),
            )
            for i, shot in enumerate(about["shots"])
        )
    area = Area(**about["area"]) if about["area"] else None
    return ClipFeatures(_probe(about["probe"]), about["title"], shots, area)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Fraction) else value for name, value in values.items()}


def _probe(values: dict[str, Any]) -> Probe:
    exact = {name: Fraction(values[name]) for name in ("fps", "seconds", "sound_start")}
    return Probe(**{**values, **exact, "warnings": tuple(values["warnings"])})
