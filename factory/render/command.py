"""One ffmpeg run as a value: compiled by `graph.py` and `mix.py`, run by `ffmpeg.py`, read as text by tests."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Input:
    """A file to read: `content` is the digest of what it holds, so that a command's digest is free of paths.

    `options` stand before `-i`, and so does `seek`, which says where reading begins: it decides the cost and not the
    pictures, so it is no part of a digest. An untrusted file (footage) is opened under the format whitelist.
    """

    content: str
    path: Path
    options: tuple[str, ...] = ()
    trusted: bool = False
    seek: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FfmpegCommand:
    """What ffmpeg is asked to do. Nothing in `graph` or `outputs` is a path or a text from outside.

    `files` are small text files (captions) that the graph names; they are written into the folder that ffmpeg runs in.
    `frames` is the length of the output in frames, the measure of progress. `beside` are the options of further files
    that the same run writes; they decide nothing of the output and are no part of the digest.
    """

    inputs: tuple[Input, ...]
    graph: str
    outputs: tuple[str, ...]
    frames: int
    files: tuple[tuple[str, str], ...] = ()
    beside: tuple[tuple[str, ...], ...] = ()

    def digest(self) -> str:
        """Return the hash of everything that decides the output, paths left out."""
        parts = {
            "inputs": [(i.content, i.options, i.trusted) for i in self.inputs],
            "graph": self.graph,
            "outputs": self.outputs,
            "frames": self.frames,
            "files": self.files,
        }
        return digest_of(parts)


def digest_of(value: object) -> str:
    """Return the SHA-256 of a JSON value, the same for the same content whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
