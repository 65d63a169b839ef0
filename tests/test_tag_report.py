from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from factory.errors import WrongUsage
from factory.settings import Settings
from factory.store.assets import add_clip
from factory.store.told import told_of
from factory.tag_report import SHOTS_A_PAGE, report_tags
from factory.wiring import Parts, parts
from tests.drawn_video import draw_video, scene
from tests.library import TAXONOMY, a_clip, a_shot, put


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Parts]:
    built = parts(Settings(home=tmp_path / "home", database_url=""))
    yield built
    built.sessions.close()


def keep(house: Parts, path: Path, seed: int) -> None:
    """A real file of four seconds, tagged as mud and then as an interior."""
    kept = house.files.adopt(draw_video(path, [scene(seed)] * 100))
    shots = (
        a_shot(["mud"], seconds=Fraction(2), burnt_in="四驱"),
        a_shot(["interior"], seconds=Fraction(2), speech="hello"),
    )
    with house.sessions.write() as session:
        clip = a_clip(*shots, warnings=("low-light",))
        add_clip(session, kept, clip, original=str(path), taxonomy=TAXONOMY)


def test_each_clip_is_shown_once_before_any_is_shown_twice(house: Parts, tmp_path: Path) -> None:
    for seed in (1, 2):
        keep(house, tmp_path / f"{seed}.mp4", seed)
    (two,) = report_tags(house, tmp_path / "two.png", limit=2)
    (four,) = report_tags(house, tmp_path / "four.png", limit=9)
    with Image.open(two) as few, Image.open(four) as all_four:
        assert all_four.height > few.height
        top = few.crop((0, 96, 800, few.height))
        assert top.tobytes() == all_four.crop((0, 96, 800, few.height)).tobytes()
        first, second = few.getpixel((160, 180)), few.getpixel((160, 180 + 184))
        assert first != second  # moments of two files


def test_a_query_chooses_the_shots(house: Parts, tmp_path: Path) -> None:
    keep(house, tmp_path / "1.mp4", 1)
    (both,) = report_tags(house, tmp_path / "both.png")
    (mud,) = report_tags(house, tmp_path / "mud.png", query="泥地")
    with Image.open(both) as all_of_it, Image.open(mud) as found:
        assert all_of_it.height > found.height + 150
    with pytest.raises(WrongUsage, match="no shot"):
        report_tags(house, tmp_path / "none.png", query="night")
    assert not (tmp_path / "none.png").exists()


def test_a_folder_gets_pages_and_a_lost_file_is_shown_as_lost(house: Parts, tmp_path: Path) -> None:
    with house.sessions.write() as session:
        for number in range(SHOTS_A_PAGE + 1):
            put(session, f"clip-{number}.mp4", a_shot(["mud"]))
    pages = report_tags(house, tmp_path / "new" / "pages", limit=100)
    assert [page.name for page in pages] == ["tags-001.png", "tags-002.png"]
    with pytest.raises(WrongUsage, match="too many for one picture"):
        report_tags(house, tmp_path / "one.png", limit=100)


def test_words_are_told_by_where_they_stand(house: Parts, tmp_path: Path) -> None:
    keep(house, tmp_path / "My_clip.mp4", 1)
    with house.sessions.read() as session:
        told = told_of(session, [1, 2, 99])
    assert set(told) == {1, 2}
    assert (told[1].file_name, told[1].title, told[1].burnt_in, told[1].speech) == (
        "My_clip.mp4",
        "My clip",
        "四驱",
        "",
    )
    assert (told[2].speech, told[2].warnings) == ("hello", ("low-light",))
