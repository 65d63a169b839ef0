"""TFRecord files: records one after the other, each framed by its length and two checksums.

uint64 length · uint32 masked CRC32C of the length · the record · uint32 masked CRC32C of the record, little-endian
(tensorflow/core/lib/io/record_writer.h). A checksum is masked as ((crc >> 15) | (crc << 17)) + 0xa282ead8.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

import google_crc32c

from understanding.errors import MediaRefused

MAX_RECORD: Final = 1 << 23  # 8 MiB; a frame-level record of YouTube-8M stays under 0.4 MiB
HEADER: Final = 12
FOOTER: Final = 4
FRAME: Final = HEADER + FOOTER

_BUFFER: Final = 1 << 20
_HEADER: Final = struct.Struct("<QI")
_FOOTER: Final = struct.Struct("<I")


class RecordDamaged(MediaRefused):
    """A record that cannot be read. `offset` is the byte of `path` at which it begins."""

    def __init__(self, path: Path, offset: int, cause: str) -> None:
        super().__init__(
            "damaged-record",
            f"{path}, record at byte {offset}: {cause}",
            next_step="Copy or download this file again, or leave it out.",
        )
        self.path = path
        self.offset = offset
        self.reason = cause

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return RecordDamaged, (self.path, self.offset, self.reason)


def masked_crc(data: bytes) -> int:
    """Return the checksum of `data` as TFRecord files store it."""
    crc: int = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def read_records(path: Path, *, start: int = 0, check: bool = True) -> Iterator[tuple[int, bytes]]:
    """Yield (byte offset, record) from `start`, which is the beginning of a record, to the end; memory stays flat.

    The next record begins at offset + FRAME + len(record). Without `check` the two checksums are not compared. Raises
    RecordDamaged, or MediaRefused where there is no such file.
    """
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        offset = file.seek(start)
        header = file.read(HEADER)
        lengths: dict[bytes, int] = {}  # of headers that were found right; few lengths occur
        while header:
            length = lengths.get(header, -1)
            if length < 0 or offset + FRAME + length > size:
                length = lengths[header] = _length(path, offset, header, size, check)
            record = file.read(length)
            tail = file.read(FRAME)  # this record's checksum and the next one's header
            if check and tail[:FOOTER] != _FOOTER.pack(masked_crc(record)):
                raise RecordDamaged(path, offset, f"the checksum of its {length} bytes does not fit")
            yield offset, record
            offset += FRAME + length
            header = tail[FOOTER:]


def count_records(path: Path) -> int:
    """Return how many records a file holds, hopping from header to header. Raises as `read_records` does."""
    count = offset = 0
    with _opened(path, buffering=512) as file:  # a hop would fill a larger buffer in vain
        size = os.fstat(file.fileno()).st_size
        while header := file.read(HEADER):
            offset += FRAME + _length(path, offset, header, size, check=True)
            file.seek(offset)
            count += 1
    return count


def _opened(path: Path, buffering: int = _BUFFER) -> BinaryIO:
    try:
        return path.open("rb", buffering=buffering)
    except OSError as error:
        raise MediaRefused("not-a-file", f"{path}: {error.strerror}", next_step="Name a TFRecord file.") from error


def _length(path: Path, offset: int, header: bytes, size: int, check: bool) -> int:
    """Return the length that a header states, which lies within the file."""
    if len(header) < HEADER:
        raise RecordDamaged(path, offset, f"the file ends after {len(header)} of the {HEADER} bytes of a header")
    length, crc = _HEADER.unpack(header)
    if check and crc != masked_crc(header[:8]):
        raise RecordDamaged(path, offset, f"the checksum of its length ({length}) does not fit")
    if length > MAX_RECORD:
        raise RecordDamaged(path, offset, f"it says that it is {length} bytes long, and none is over {MAX_RECORD}")
    if length > size - offset - FRAME:
        left = max(0, size - offset - HEADER)
        raise RecordDamaged(path, offset, f"the file ends after {left} of {length + FOOTER} bytes: it was cut short")
    return int(length)


def write_records(path: Path, records: Iterable[bytes]) -> int:
    """Write a TFRecord file, whole or not at all, and return how many records it holds."""
    beside = path.with_name(f".{path.name}.{uuid4().hex}.part")
    count = 0
    try:
        with beside.open("xb") as file:
            for record in records:
                file.write(framed(record))
                count += 1
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return count


def framed(record: bytes) -> bytes:
    """Return a record between its length and its checksums."""
    if len(record) > MAX_RECORD:
        raise ValueError(f"a record of {len(record)} bytes; readers take none over {MAX_RECORD}")
    length = len(record).to_bytes(8, "little")
    return b"".join((length, _FOOTER.pack(masked_crc(length)), record, _FOOTER.pack(masked_crc(record))))
