"""TFRecord framing: what is written is read, and every damage is named with its file and place."""

from __future__ import annotations

import pickle
import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understanding.errors import MediaRefused
from understanding.yt8m.records import (
    FRAME,
    MAX_RECORD,
    RecordDamaged,
    count_records,
    framed,
    masked_crc,
    read_records,
    write_records,
)

RECORDS = [b"first", b"", b"x" * 5000, b"last"]
SECOND = FRAME + 5
THIRD = SECOND + FRAME


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "a.tfrecord"
    assert write_records(path, iter(RECORDS)) == 4
    return path


def bitwise_masked(data: bytes) -> int:
    """The checksum by its definition (RFC 3720: CRC32C, reflected polynomial 0x82F63B78), then masked."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


@given(st.binary(max_size=40))
def test_the_checksum_is_the_one_of_its_definition(data: bytes) -> None:
    assert masked_crc(data) == bitwise_masked(data)


def test_read_back_with_offsets(shard: Path) -> None:
    found = list(read_records(shard))
    assert [record for _, record in found] == RECORDS
    assert [offset for offset, _ in found] == [0, SECOND, THIRD, THIRD + FRAME + 5000]
    assert [record for _, record in read_records(shard, start=THIRD)] == RECORDS[2:]


def test_an_empty_file_holds_no_records(tmp_path: Path) -> None:
    path = tmp_path / "empty.tfrecord"
    path.touch()
    assert list(read_records(path)) == []


@pytest.mark.parametrize(
    ("at", "new", "where", "says"),
    [
        (THIRD, b"\x00", THIRD, "checksum of its length"),
        (THIRD + 9, b"\xff", THIRD, "checksum of its length"),
        (THIRD + 12 + 77, b"y", THIRD, "checksum of its 5000 bytes"),
        (THIRD + 12 + 5000, b"\x00", THIRD, "checksum of its 5000 bytes"),
    ],
)
def test_damage_is_named(shard: Path, at: int, new: bytes, where: int, says: str) -> None:
    data = bytearray(shard.read_bytes())
    data[at : at + 1] = new
    shard.write_bytes(data)
    found: list[tuple[int, bytes]] = []
    with pytest.raises(RecordDamaged, match=says) as caught:
        found.extend(read_records(shard))
    assert len(found) == 2  # what stands before is still given
    assert caught.value.path == shard
    assert caught.value.offset == where
    assert str(shard) in str(caught.value)
    assert f"byte {where}" in str(caught.value)
    assert caught.value.next_step


def test_a_file_that_was_cut_short(shard: Path) -> None:
    whole = shard.read_bytes()
    for end in (THIRD + 3, THIRD + 12, THIRD + 100, THIRD + 12 + 5000, THIRD + 12 + 5003):
        shard.write_bytes(whole[:end])
        with pytest.raises(RecordDamaged, match="the file ends after") as caught:
            list(read_records(shard))
        assert caught.value.offset == THIRD


def test_a_length_that_cannot_be(shard: Path) -> None:
    length = struct.pack("<Q", MAX_RECORD + 1)
    shard.write_bytes(shard.read_bytes()[:SECOND] + length + struct.pack("<I", masked_crc(length)) + b"rest")
    with pytest.raises(RecordDamaged, match=f"{MAX_RECORD + 1} bytes long") as caught:
        list(read_records(shard))
    assert caught.value.offset == SECOND
    with pytest.raises(ValueError, match="readers take none over"):
        framed(bytes(MAX_RECORD + 1))


def test_unchecked_reading_still_stays_within_the_file(shard: Path) -> None:
    data = bytearray(shard.read_bytes())
    data[THIRD + 12 + 77] ^= 1
    shard.write_bytes(data)
    assert len(list(read_records(shard, check=False))) == 4
    data[THIRD + 3] = 0x7F
    shard.write_bytes(data)
    with pytest.raises(RecordDamaged, match="none is over"):
        list(read_records(shard, check=False))


@given(st.data())
def test_any_flipped_byte_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.getbasetemp() / "flipped.tfrecord"
    whole = bytearray(b"".join(map(framed, [*RECORDS[:2], b"z" * 40])))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole)
    with pytest.raises(RecordDamaged):
        list(read_records(path))


def test_the_error_travels_between_processes() -> None:
    error = RecordDamaged(Path("a.tfrecord"), 7, "cause")
    back = pickle.loads(pickle.dumps(error))
    assert (str(back), back.offset, back.code) == (str(error), 7, "damaged-record")


def test_no_such_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(MediaRefused, match=str(path)) as caught:
            list(read_records(path))
        assert caught.value.code == "not-a-file"


def test_a_write_that_fails_leaves_what_was_there(shard: Path) -> None:
    def broken() -> object:
        yield b"new"
        raise RuntimeError("source broke")

    before = shard.read_bytes()
    with pytest.raises(RuntimeError, match="source broke"):
        write_records(shard, broken())  # type: ignore[arg-type]  # a generator that fails is what is tested
    assert shard.read_bytes() == before
    assert list(shard.parent.iterdir()) == [shard]


def test_memory_stays_flat_over_a_file_larger_than_any_record(tmp_path: Path) -> None:
    path = tmp_path / "long.tfrecord"
    write_records(path, (bytes(500_000 + n) for n in range(140)))
    assert path.stat().st_size > MAX_RECORD
    tracemalloc.start()
    total = sum(len(record) for _, record in read_records(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == sum(500_000 + n for n in range(140))
    assert peak < 4_000_000


def test_records_are_counted_without_being_read(shard: Path, tmp_path: Path) -> None:
    assert count_records(shard) == len(list(read_records(shard)))
    empty = tmp_path / "empty.tfrecord"
    empty.write_bytes(b"")
    assert count_records(empty) == 0
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(RecordDamaged, match="cut short"):
        count_records(shard)
