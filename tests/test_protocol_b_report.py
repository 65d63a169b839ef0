"""Training and Protocol B from a folder and its table, on clips whose features are made up."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from understanding.build import load_tagger
from understanding.clip_labels import read_labels
from understanding.clip_scores import SENSES
from understanding.errors import MediaRefused
from understanding.features import ClipFeatures, ShotFeatures
from understanding.labels import load_taxonomy
from understanding.learning.clips import Recipe
from understanding.learning.experiment import ExperimentRefused
from understanding.learning.protocol_b_report import BEGIN, END, Compared, markdown, protocol_b, write_page
from understanding.learning.tagger_runs import lessons_of, train_tagger
from understanding.tagged import CameraMotion, Modality, Probe, ShotQuality

pytestmark = pytest.mark.usefixtures("one_thread")

TAXONOMY = load_taxonomy()
QUICK = Recipe(epochs=2, batch=16)
RACE, NIGHT = ("race", "drift;car"), ("night", "tunnel;car")


class MadeUp:
    """Features whose picture tells the scene; the file `broken.mp4` is refused."""

    version = "made up"

    def read(self, path: Path) -> ClipFeatures:
        if path.stem == "broken":
            raise MediaRefused("no-frames", "no picture of it can be decoded", next_step="export it again")
        rng = np.random.default_rng(int(path.stem))
        picture = rng.normal(0, 1, (2, 1280)).astype(np.float32)
        picture[:, 0] += 6 * (int(path.stem) % 2)
        shot = ShotFeatures(
            start=Fraction(0), end=Fraction(2), picture=picture, scores=np.full((2, 1000), 1e-3, np.float32),
            sound=rng.normal(size=(2, 128)).astype(np.float32), burnt_in="lap 3", speech="",
            quality=ShotQuality(luma=0.5, sharpness=0.9, motion=0.1, text_area=0.0, loudness_db=-20.0),
            camera=CameraMotion(forward=0.3, static=0.0, pan=0.0, shake=0.0),
        )  # fmt: skip
        probe = Probe(
            container="mp4", codec="h264", width=640, height=360, fps=Fraction(25), frames=50, seconds=Fraction(2),
            rotation=0, pixel_format="yuv420p", interlaced=False, variable_rate=False, sound_codec="aac",
            sound_rate=48000, sound_channels=2, sound_start=Fraction(0), title="tells all", warnings=(),
        )  # fmt: skip
        return ClipFeatures(probe, "tells all", (shot,))


def folder_of(path: Path, names: list[str], owners: int) -> Path:
    path.mkdir()
    rows = []
    for place, name in enumerate(names):
        (path / name).write_bytes(b"x")
        coarse, tags = (RACE, NIGHT)[place % 2]
        rows.append({"file": name, "coarse": coarse, "tags": tags, "source_repo": f"{path.name}{place % owners}/x"})
    with (path / "labels.csv").open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, ["file", "coarse", "tags", "source_repo"])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    home = tmp_path_factory.mktemp("clips")
    names = [f"{k}.mp4" for k in range(12)]
    return folder_of(home / "learned", [*names, "broken.mp4"], 3), folder_of(home / "never", ["20.mp4", "21.mp4"], 1)


@pytest.fixture(scope="module")
def found(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Compared:
    learned, never = folders
    cache = tmp_path_factory.mktemp("cache")
    return protocol_b(learned, [never], cache, taxonomy=TAXONOMY, features=MadeUp(), recipe=QUICK, draws=20)


def test_every_method_is_scored_on_the_same_clips_and_the_refused_one_is_named(found: Compared) -> None:
    assert {method.scores.clips for method in found.methods} == {14}
    assert {scores.clips for scores in found.ablations.values()} == {14}
    assert [line for line in found.refused if "broken.mp4" in line and "no-frames" in line]
    assert found.methods[0].name == "tagger"
    assert len(found.methods) == 5


def test_only_what_is_named_is_measured_and_a_wrong_name_is_refused(
    found: Compared, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    def less(*only: str) -> Compared:
        return protocol_b(
            folders[0], [folders[1]], tmp_path, taxonomy=TAXONOMY, features=MadeUp(), recipe=QUICK, draws=20, only=only
        )

    one = less("without the label graph")
    assert list(one.ablations) == ["prior alone", "+ words: the tagger", "without the label graph"]
    assert one.ablations == {name: found.ablations[name] for name in one.ablations}
    assert list(less("tagger").ablations) == ["prior alone", "+ words: the tagger"]
    with pytest.raises(ExperimentRefused, match="without the labels"):
        less("without the labels")


def test_the_page_takes_the_tables_between_their_marks_and_keeps_the_rest(found: Compared, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n\n{BEGIN}\nan older table\n{END}\n\nAfter\n", encoding="utf-8")
    write_page(found, page)
    write_page(found, page)
    text = page.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert "an older table" not in text
    assert text.startswith("# Before")
    assert text.endswith("After\n")
    assert markdown(found) in text
    widths = {line.count("|") for line in markdown(found).splitlines() if line.startswith("|") and "with less" in line}
    assert widths == {6}


def test_a_sense_that_is_left_out_is_not_in_the_lesson(folders: tuple[Path, Path], tmp_path: Path) -> None:
    tagger = load_tagger(tmp_path, TAXONOMY, None, features=MadeUp())
    clips = read_labels(folders[1] / "labels.csv", folders[1], TAXONOMY).clips
    one: frozenset[Modality] = frozenset({"picture"})
    whole, picture = (lessons_of(clips, tagger, senses=senses)[1] for senses in (SENSES, one))
    assert len(whole[0].shots[0].sound) == 2
    assert len(picture[0].shots[0].sound) == 0
    assert len(whole[0].shots[0].tokens) > 0
    assert len(picture[0].shots[0].tokens) == 0
    assert np.array_equal(whole[0].shots[0].picture, picture[0].shots[0].picture)


def test_a_trained_checkpoint_tells_what_it_learned_from(folders: tuple[Path, Path], tmp_path: Path) -> None:
    learned, _ = folders
    out = tmp_path / "new" / "tagger.safetensors"
    taught = train_tagger(
        learned / "labels.csv", learned, out, tmp_path, taxonomy=TAXONOMY, features=MadeUp(), recipe=QUICK
    )
    assert taught.scores.clips == 12
    assert [line for line in taught.refused if "broken.mp4" in line]
    with safe_open(out, "numpy") as held:
        about = held.metadata()
    assert "broken.mp4" not in json.dumps(about)
    assert "11.mp4" in json.dumps(about)
