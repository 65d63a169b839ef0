"""The vocabularies as published, and what is wrong with a table that is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from understanding.errors import MediaRefused
from understanding.learning.partial import certified_negatives
from understanding.yt8m.shards import load_videos, shard_paths
from understanding.yt8m.vocabulary import read_segment_vocabulary, read_vocabulary

HEAD = "Index,TrainVideoCount,KnowledgeGraphId,Name,Vertical1,Vertical2,Vertical3\n"
TABLE = (
    HEAD + "1,20,/m/b,Motor sport,Sports,Autos & Vehicles,\n0,30,/m/a,Car,Autos & Vehicles,,\n2,5,/m/c,,(Unknown),,\n"
)


def written(folder: Path, text: str) -> Path:
    path = folder / "vocabulary.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_classes_stand_by_their_index_with_their_verticals(tmp_path: Path) -> None:
    vocabulary = read_vocabulary(written(tmp_path, TABLE))
    assert [entry.name for entry in vocabulary.classes] == ["Car", "Motor sport", ""]
    assert [entry.videos for entry in vocabulary.classes] == [30, 20, 5]
    assert vocabulary.verticals == ("Autos & Vehicles", "Sports")
    np.testing.assert_array_equal(vocabulary.belongs(), [[1, 0], [1, 1], [0, 0]])
    np.testing.assert_array_equal(vocabulary.belongs([1]), [[1, 1]])


def test_coarse_labels_are_the_verticals_of_all_labels(tmp_path: Path) -> None:
    vocabulary = read_vocabulary(written(tmp_path, TABLE))
    labels = [np.array([1, 2]), np.array([2]), np.array([0]), np.array([], np.int64)]
    np.testing.assert_array_equal(vocabulary.coarse(labels), [[1, 1], [0, 0], [1, 0], [0, 0]])
    assert vocabulary.coarse([]).shape == (0, 2)
    with pytest.raises(ValueError, match="class 3 is not among the 3"):
        vocabulary.coarse([np.array([3])])
    with pytest.raises(ValueError, match="class -1 is not among the 3"):
        vocabulary.coarse([np.array([0]), np.array([-1, 2])])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no column Index"),
        (HEAD, "holds no classes"),
        (HEAD.replace("Name,", ""), "line 1: there is no column Name"),
        (TABLE.replace("1,20", "0,20"), "line 3: class 0 stands twice"),
        (TABLE.replace("1,20", "7,20"), "class 1 is missing among 3"),
        (TABLE.replace("1,20", "1,many"), "line 2: TrainVideoCount is 'many'"),
        (TABLE + "3\n", "line 5: TrainVideoCount is ''"),
    ],
)
def test_a_wrong_table_is_refused_by_file_and_line(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(MediaRefused, match=says) as caught:
        read_vocabulary(path)
    assert caught.value.code == "bad-vocabulary"
    assert str(path) in str(caught.value)


def test_a_table_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(MediaRefused, match="none"):
        read_vocabulary(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(HEAD.encode() + "0,1,/m,Café,,,".encode("latin-1"))
    with pytest.raises(MediaRefused, match="not UTF-8"):
        read_vocabulary(tmp_path / "latin.csv")


def test_segment_classes(tmp_path: Path) -> None:
    head = "Index,KnowledgeGraphId,Name,PositiveSegmentCount,TotalSegmentCount\n"
    (entry,) = read_segment_vocabulary(written(tmp_path, head + '3,/m/x,"Concert, live",181,240\n'))
    assert (entry.index, entry.name, entry.positives, entry.rated) == (3, "Concert, live", 181, 240)
    with pytest.raises(MediaRefused, match="TotalSegmentCount is '-1'"):
        read_segment_vocabulary(written(tmp_path, head + "3,/m/x,Concert,181,-1\n"))


def test_the_published_vocabularies(yt8m: Path) -> None:
    vocabulary = read_vocabulary(yt8m / "vocabulary.csv")
    assert len(vocabulary) == 3862
    assert len(vocabulary.verticals) == 24
    assert vocabulary.classes[30].name == "Motorcycle"  # the rows are not in the order of their index
    assert vocabulary.classes[0].videos == 788288
    segments = read_segment_vocabulary(yt8m / "segment_vocabulary.csv")
    assert len(segments) == 1000
    assert all(0 < entry.positives <= entry.rated for entry in segments)
    assert all(vocabulary.classes[entry.index].entity == entry.entity for entry in segments)


def test_no_real_label_is_ruled_out_by_the_coarse_ones(yt8m: Path) -> None:
    vocabulary = read_vocabulary(yt8m / "vocabulary.csv")
    videos = load_videos(shard_paths(yt8m / "tune")[:3])
    classes = videos.most_frequent(400)
    ruled_out = certified_negatives(vocabulary.coarse(videos.labels), vocabulary.belongs(classes))
    truth = videos.truth(classes)
    assert not (ruled_out & truth).any()
    assert 0.5 < ruled_out.mean() < 0.99
