"""What the doors tell of a finished job."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from factory.orders import made_record
from factory.plan.brief import Aspect, Brief
from factory.settings import Settings
from factory.store.job import Output
from factory.wiring import parts
from tests.library import made_job


def test_the_aspect_that_was_asked_for_first_comes_first(tmp_path: Path) -> None:
    """The ledger keeps outputs in an order of its own."""
    house = parts(Settings(home=tmp_path / "home"))
    kept = house.files.put_bytes(b"frames")
    asked: tuple[Aspect, ...] = ("9:16", "1:1", "16:9")
    outputs = tuple(
        Output(aspect, "video", kept.digest, f"{number}.mp4", kept.size, 30, Fraction(30))
        for number, aspect in enumerate(sorted(asked))
    )
    job = made_job(Brief(template="off_road", aspects=asked), *outputs)

    record = made_record(job, house, tmp_path / "out")

    assert record["aspect"] == "9:16"
    assert tuple(output["aspect"] for output in record["outputs"]) == asked
    assert Path(record["video"]).read_bytes() == b"frames"
