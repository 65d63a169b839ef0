"""Names of tags are found in running text, in two languages, and nowhere else."""

from __future__ import annotations

import time

import pytest

from understanding.labels import load_taxonomy
from understanding.names import NameFinder, file_words

FINDER = NameFinder(load_taxonomy())


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("硬派越野车穿越泥地涉水", {"off-road", "mud", "water-crossing"}),
        ("新款北风X5内饰与方向盘", {"interior", "steering-wheel"}),
        ("追尾车祸合集", {"crash", "accident"}),
        ("夜景航拍", {"night", "aerial"}),
        ("高速摄影下的碰撞", {"slow-motion", "crash"}),  # 高速摄影 is not 高速
        ("自行车", {"bicycle"}),  # not 行车
        ("Off-Road SUVs in deep MUD", {"off-road", "suv", "mud"}),
        ("driving_pov-rain", {"driving-view", "rain"}),
        ("A 4x4 at the water-crossing", {"off-road", "water-crossing"}),
        ("steering wheels and tail-lights", {"steering-wheel", "tail-light"}),
        ("carpet, scary mudguards, busy business, brainstorm", set()),
        ("Range Rover Sport, SEAT Leon, rock music", set()),
        ("neg-0012", set()),
        ("火车站的花费", set()),
        ("a dark blue Mercedes", set()),
        ("Cars and coffee, Dodge Charger, jump start, driver assistance", {"car"}),
        ("足球比赛", {"sport"}),
        ("no cars, no crash", set()),
        ("没有碰撞", set()),
        ("not a car but a taxi", {"car", "taxi"}),  # only what stands right before a name denies it
        ("", set()),
    ],
)
def test_names_in_running_text(text: str, tags: set[str]) -> None:
    assert set(FINDER.find(text)) == tags


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/a/b/OffRoadMud02.mp4", "Off Road Mud 02"),
        ("accident-van_and.car.webm", "accident-van_and.car"),
        ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.mp4", " "),
        ("泥地越野.mov", "泥地越野"),
        (".hidden", ".hidden"),
    ],
)
def test_words_of_a_file_name(path: str, words: str) -> None:
    assert file_words(path) == words


def test_long_text_is_read_quickly() -> None:
    started = time.process_time()
    assert "mud" in FINDER.find("mud " + "四驱越野车冲过沙丘 and then some " * 20_000)
    assert time.process_time() - started < 5
