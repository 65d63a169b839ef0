"""Real public clips: brought from their addresses with their hashes checked, or copied from a local folder."""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests  # pooch brings it

from factory.errors import FactoryError

PUBLIC_MANIFEST = Path(__file__).parent / "public.csv"
PATIENCE = 30  # seconds without a byte

OnProgress = Callable[[int, int, str], None]
"""(files done with, files in all, name of the file just done with)."""


class ClipNotFetched(FactoryError):
    """One clip of a manifest could not be brought; the others were still tried."""

    code = "clip-not-fetched"


class ManifestUnreadable(FactoryError):
    """A manifest of public clips has a wrong row."""

    code = "manifest-unreadable"


@dataclass(frozen=True, slots=True)
class PublicClip:
    """One row of a manifest: where a clip is, how it is known to be itself, and what may be done with it."""

    name: str
    address: str
    sha256: str
    bytes: int
    licence: str
    credit: str
    coarse: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch came to: clips that lay there already, clips brought now, and a refusal for each that is missing."""

    present: tuple[Path, ...]
    brought: tuple[Path, ...]
    failed: tuple[ClipNotFetched, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        return (*self.present, *self.brought)


def read_manifest(path: Path = PUBLIC_MANIFEST) -> tuple[PublicClip, ...]:
    """Return the clips of a manifest. Raises `ManifestUnreadable`, naming the line."""
    clips: list[PublicClip] = []
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        for row in reader:
            try:
                clips.append(_clip(row))
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                raise ManifestUnreadable(
                    f"{path.name}, line {reader.line_num}: {error}",
                    next_step="each row needs file, address, sha256, bytes, licence and credit",
                ) from error
    return tuple(clips)


def _clip(row: dict[str, str]) -> PublicClip:
    name, digest = row["file"], row["sha256"].lower()
    if not name or name != Path(name).name or name.startswith(".") or "\\" in name:
        raise ValueError(f"{name[:80]!r} is no plain file name")
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ValueError(f"{digest[:80]!r} is no SHA-256")
    if not row["address"].startswith(("https://", "http://127.0.0.1:")):
        raise ValueError(f"{row['address'][:80]!r} is no https address")
    tags = tuple(tag for tag in (row.get("tags") or "").split(";") if tag)
    known = (row["licence"], row["credit"], row.get("coarse") or "")
    return PublicClip(name, row["address"], digest, int(row["bytes"]), *known, tags)


def fetch(
    folder: Path,
    *,
    manifest: Path = PUBLIC_MANIFEST,
    local: Path | None = None,
    on_progress: OnProgress | None = None,
    retries: int = 2,
) -> Fetched:
    """Bring the clips of `manifest` into `folder`; those already there and whole are left alone.

    `local` is a folder that holds the files (setting FACTORY_SAMPLES): they are copied from it, without a network.
    A file appears in `folder` only when it is whole and its hash is right.
    """
    clips = read_manifest(manifest)
    folder.mkdir(parents=True, exist_ok=True)
    present: list[Path] = []
    brought: list[Path] = []
    failed: list[ClipNotFetched] = []
    for number, clip in enumerate(clips, start=1):
        path = folder / clip.name
        if is_whole(path, clip):
            present.append(path)
        else:
            try:
                _copy(clip, local, path) if local else _download(clip, path, retries)
                brought.append(path)
            except ClipNotFetched as error:
                failed.append(error)
        if on_progress is not None:
            on_progress(number, len(clips), clip.name)
    return Fetched(tuple(present), tuple(brought), tuple(failed))


def is_whole(path: Path, clip: PublicClip) -> bool:
    """Whether the file at `path` is the clip that the manifest means."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == clip.sha256
    except OSError:
        return False


def _copy(clip: PublicClip, local: Path, path: Path) -> None:
    source, half = local / clip.name, path.with_name(f".{clip.name}.half")
    try:
        shutil.copyfile(source, half)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise ClipNotFetched(
            f"{clip.name} could not be copied from {local}: {error.strerror or error}",
            next_step="put the file there, or unset FACTORY_SAMPLES to bring it from its address",
        ) from error
    if not is_whole(half, clip):
        half.unlink()
        raise ClipNotFetched(
            f"{source} is not the clip of the manifest: its SHA-256 differs",
            next_step="replace it by the original, or unset FACTORY_SAMPLES to bring it from its address",
        )
    half.replace(path)


def _download(clip: PublicClip, path: Path, retries: int) -> None:
    pooch.get_logger().setLevel("WARNING")
    keeper = pooch.create(
        path=path.parent,
        base_url="",
        registry={clip.name: f"sha256:{clip.sha256}"},
        urls={clip.name: clip.address},
        retry_if_failed=retries,
    )

    def bring(url: str, output_file: str, _keeper: object) -> None:
        with requests.get(url, stream=True, timeout=PATIENCE) as answer, Path(output_file).open("wb") as stream:
            answer.raise_for_status()
            for piece in answer.iter_content(65_536):
                stream.write(piece)
                if stream.tell() > clip.bytes:
                    raise ValueError(f"more than the {clip.bytes} bytes that the manifest states were sent")

    try:
        keeper.fetch(clip.name, downloader=bring)
    except (OSError, ValueError) as error:  # pooch: requests' errors are OSErrors, a wrong hash is a ValueError
        raise ClipNotFetched(f"{clip.name} from {clip.address}: {_reason(error)}", next_step=_way_out(error)) from error


def _reason(error: Exception) -> str:
    words = " ".join(str(error).split())
    if isinstance(error, ValueError) and "hash" in words:
        return "what was sent has another SHA-256 than the manifest states; it was not kept"
    return words[:240]


def _way_out(error: Exception) -> str:
    if isinstance(error, ValueError):
        return "the original has changed or was altered on its way: try later, or do without this clip"
    return "check the network or proxy and try again, or set FACTORY_SAMPLES to a folder that holds the file"
