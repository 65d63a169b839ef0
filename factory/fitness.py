"""May this machine work for this house? Looked at before a worker takes its first job; each refusal says the remedy."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from factory.errors import FactoryError
from factory.render import probe
from factory.store.schema import Asset
from factory.wiring import Parts

NEWEST: Final = 5  # clips of the library that are looked for


class CodecMissing(FactoryError):
    """Found at start, it is one sentence; found by a job, it is a job that fails, and then the next."""

    code = "codec-missing"


class HomeNotShared(FactoryError):
    """Such a worker would find no footage, and would put videos where nobody looks."""

    code = "home-not-shared"


class NoCuda(FactoryError):
    code = "no-cuda"


def require_fit(parts: Parts) -> None:
    """Raise what keeps this machine from working for this house."""
    require_codecs()
    require_shared_home(parts)


def require_codecs() -> None:
    """Raise CodecMissing unless ffmpeg here has just encoded a frame by libx264 and some sound by AAC."""
    missing = [name for name, works in (("libx264", probe.works(probe.X264)), ("AAC", probe.aac_works())) if not works]
    if missing:
        raise CodecMissing(
            f"ffmpeg cannot encode by {' and '.join(missing)} on this machine",
            next_step="run `./run setup`, or install requirements.lock anew, and unset IMAGEIO_FFMPEG_EXE where it "
            "names another ffmpeg",
        )


def require_shared_home(parts: Parts) -> None:
    """Raise HomeNotShared where the library has clips, and none of the newest lies in the home of this machine."""
    newest = sa.select(Asset.digest).where(Asset.status == "added").order_by(Asset.id.desc()).limit(NEWEST)
    with parts.sessions.read() as session:
        digests = session.scalars(newest).all()
    if digests and not any(parts.files.has(digest) for digest in digests):
        raise HomeNotShared(
            f"FACTORY_HOME {str(parts.files.root)!r} has none of the {len(digests)} newest clips of the library: other "
            "workers keep them elsewhere",
            next_step="mount the folder that the others use there, or restore media/ from its backup",
        )


def require_cuda() -> None:
    """Raise NoCuda unless torch sees a CUDA device."""
    import torch  # noqa: PLC0415  seconds, and wanted by a worker of tagging-gpu alone

    if not torch.cuda.is_available():
        raise NoCuda(
            f"torch {torch.__version__} sees no CUDA device here, and this worker would take what wants one",
            next_step="start it with -Q tagging,duties and FACTORY_TAGGING=cpu, or install the driver and torch's CUDA "
            "build",
        )
