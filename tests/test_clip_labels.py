"""Tables of hand labels: whose words, which rows, and what is said of those that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from understanding.clip_labels import LabelsRefused, load_words, read_labels
from understanding.labels import load_taxonomy

TAXONOMY = load_taxonomy()


def table(folder: Path, text: str, *files: str) -> Path:
    for name in files:
        (folder / name).write_bytes(b"x")
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8-sig")
    return path


def test_words_become_tags_with_all_they_imply(tmp_path: Path) -> None:
    path = table(
        tmp_path, "file,coarse,tags\na.mp4,driving-pov,dashcam; SUV;has-sound\nb.mp4,夜景,隧道\n", "a.mp4", "b.mp4"
    )
    one, two = read_labels(path, tmp_path, TAXONOMY).clips
    assert (one.coarse, one.tags) == ("driving-view", frozenset({"dashcam", "suv", "car"}))
    assert (two.coarse, two.tags) == ("night", frozenset({"tunnel"}))
    assert one.source != two.source


def test_clips_of_one_owner_are_one_source(tmp_path: Path) -> None:
    rows = "file,coarse,tags,source_repo\na.mp4,race,,jane/cars\nb.mp4,race,,jane/trucks\nc.mp4,race,,joe/cars\n"
    sources = [
        clip.source for clip in read_labels(table(tmp_path, rows, "a.mp4", "b.mp4", "c.mp4"), tmp_path, TAXONOMY).clips
    ]
    assert sources == ["jane", "jane", "joe"]


def test_rows_that_cannot_be_used_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    rows = "file,coarse,tags\na.mp4,race,\ngone.mp4,race,\nb.mp4,submarine,\na.mp4,night,wings;wings;mud\n"
    found = read_labels(table(tmp_path, rows, "a.mp4", "b.mp4"), tmp_path, TAXONOMY)
    assert [clip.coarse for clip in found.clips] == ["race", "night"]
    assert found.unknown == {"wings": 1}
    assert ":3: there is no file 'gone.mp4'" in found.refused[0]
    assert ":4: 'submarine' is no coarse label" in found.refused[1]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("file,tags\na.mp4,x\n", "there is no column 'coarse'"),
        ("file,coarse,tags\n", "it has no rows"),
        ("file,coarse,tags\n/etc/passwd/x,race,\n", "there is no file"),
    ],
)
def test_a_table_without_a_usable_row_is_refused(tmp_path: Path, text: str, cause: str) -> None:
    with pytest.raises(LabelsRefused, match=cause):
        read_labels(table(tmp_path, text), tmp_path, TAXONOMY)


def test_what_is_no_csv_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(b"\xff\xfe\x00\x00bad")
    with pytest.raises(LabelsRefused, match="not a readable CSV"):
        read_labels(path, tmp_path, TAXONOMY)
    with pytest.raises(LabelsRefused, match="not a readable CSV"):
        read_labels(tmp_path / "none.csv", tmp_path, TAXONOMY)


def test_the_houses_mapping_leads_to_tags_and_says_nothing_twice() -> None:
    words = load_words(TAXONOMY)
    assert not words.without_tag & words.meaning.keys()
    assert not {word for word in words.without_tag if TAXONOMY.resolve(word)}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("meaning: {fast: rocet}\nwithout_tag: []\n", "unknown tag 'rocet'"),
        ("[]", "not a mapping"),
        ("a: [", "not a mapping"),
    ],
)
def test_mistakes_in_a_mapping_are_named(tmp_path: Path, text: str, cause: str) -> None:
    path = tmp_path / "words.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabelsRefused, match=cause):
        load_words(TAXONOMY, path)
