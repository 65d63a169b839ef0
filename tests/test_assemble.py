"""From storyboard, voice and shots to an exact timeline, with its trace."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.plan.assemble import Look, assemble, credits_of, slots
from factory.plan.choosing import choose_shots
from factory.plan.pictures import Picture
from factory.plan.selection import BurntRegion, Candidate, CandidateTag, Choice, Slot
from factory.plan.storyboard import Storyboard, read_storyboard
from factory.plan.timeline import (
    Canvas,
    CardLayer,
    ClipLayer,
    ColorLayer,
    ImageLayer,
    Inset,
    Speech,
    Timeline,
    TimelineInvalid,
    check,
)
from factory.plan.timeline_json import from_json, to_json
from factory.plan.timing import LONGEST_SHOT, narration, place_lines, shot_bounds, time_scenes
from factory.plan.trace import trace

WIDE, TALL = Canvas(1920, 1080), Canvas(1080, 1920)
TAGS = {"exterior": "exterior", "interior": "interior", "mud": "mud"}

STORY = """\
version: 1
template: new_car_report
title: Northwind X5
locale: en-US
scenes:
  - id: hook
    voice: {text: "This is the Northwind X5. It is new."}
    poster: false
    layers:
      - {type: clip, query: {tags_all: [exterior], prefer: [mud]}, pick: {shots: 2}, sound_db: -6}
      - {type: title, card: title, data: {title: X5}, start: 0.5, duration: 2}
      - {type: label, card: ai_label, enter: 0}
    transition: {name: fade, duration: 0.5}
  - id: cabin
    optional: true
    voice: {text: "Now the cabin."}
    layers:
      - {type: clip, query: {tags_all: [interior]}}
    transition: {name: fade, duration: 1.0}
  - id: verdict
    poster: true
    duration: 7
    layers:
      - {type: clip, query: {tags_all: [exterior]}}
  - id: credits
    duration: 3
    still: true
    layers:
      - {type: color, color: "#101418"}
      - {type: credits, card: credits, data: {footage: [], music: ["AutoReel"]}, start: 0.2}
"""


def story(text: str = STORY) -> Storyboard:
    return read_storyboard(text, "test")


def voice(storyboard: Storyboard, seconds: str = "1.7") -> dict[str, list[Speech]]:
    spoken: dict[str, list[Speech]] = {}
    for sentence in narration(storyboard):
        spoken.setdefault(sentence.scene, []).append(Speech(sentence.text, "f", Fraction(seconds)))
    return spoken


def shot(number: int, *tags: str, **changes: Any) -> Candidate:
    fields: dict[str, Any] = {
        "shot": number,
        "asset": f"{number:064x}",
        "title": f"clip {number}",
        "start": Fraction(0),
        "end": Fraction(8),
        "width": 1920,
        "height": 1080,
        "fps": Fraction(30),
        "has_sound": number % 2 == 0,
        "tags": tuple(CandidateTag(tag, 0.9, "picture") for tag in tags),
        "credit": f"Camera {number % 3}",
        "licence": "CC0",
        "rights": "ok",
        "model_version": "m1",
    }
    return Candidate(**{**fields, **changes})


def choose(wanted: tuple[Slot, ...], library: list[Candidate]) -> tuple[Choice, ...]:
    offered = {s.id: [c for c in library if any(f" {t.tag} " in f" {s.query_text} " for t in c.tags)] for s in wanted}
    return choose_shots(wanted, offered, seed=1)


LIBRARY = [*(shot(n, "exterior") for n in range(1, 9)), shot(20, "interior")]


def made(
    text: str = STORY, canvas: Canvas = WIDE, library: list[Candidate] | None = None
) -> tuple[Timeline, dict[str, Any]]:
    storyboard = story(text)
    spoken = voice(storyboard)
    wanted = slots(storyboard, spoken, fps=canvas.fps, resolve=TAGS.get)
    choices = choose(wanted, LIBRARY if library is None else library)
    return assemble(storyboard, spoken, choices, canvas=canvas), trace(choices, storyboard)


def test_narration_is_one_sentence_at_a_time() -> None:
    said = narration(story())
    assert [(s.scene, s.text) for s in said] == [
        ("hook", "This is the Northwind X5."),
        ("hook", "It is new."),
        ("cabin", "Now the cabin."),
    ]


def test_slots_ask_for_what_the_scenes_need() -> None:
    storyboard = story()
    wanted = slots(storyboard, voice(storyboard), fps=Fraction(30), resolve=TAGS.get)
    assert [(s.id, s.query_text, s.optional) for s in wanted] == [
        ("hook.0.0", "exterior", False),
        ("hook.0.1", "exterior", False),
        ("cabin.0.0", "interior", True),
        ("verdict.0.0", "exterior", False),
        ("verdict.0.1", "exterior", False),
    ]
    assert wanted[0].prefer == ("mud",)
    # 0.2 s before the voice, two sentences of 1.7 s and a breath of 0.15 s: the second starts on frame 62
    assert wanted[0].seconds == Fraction(62, 30)
    assert wanted[3].seconds == wanted[4].seconds == Fraction(7, 2)


def test_the_timeline_is_exact() -> None:
    timeline, _ = made()
    hook, cabin, verdict, credits = timeline.scenes
    assert (hook.frames, cabin.frames, verdict.frames, credits.frames) == (62 + 51 + 15, 15 + 51 + 30, 210, 90)
    assert timeline.frames == 128 + 96 + 210 + 90 - 15 - 30
    assert [line.start for line in hook.lines] == [6, 62]
    assert [line.start for line in cabin.lines] == [15]
    clips = [layer for layer in hook.layers if isinstance(layer, ClipLayer)]
    assert [(clip.start, clip.frames) for clip in clips] == [(0, 62), (62, 66)]
    assert hook.transition is not None
    assert (hook.transition.frames, cabin.transition and cabin.transition.frames) == (15, 30)
    assert verdict.transition is None
    assert credits.still
    assert timeline.poster_frame == timeline.scene_starts()[2] + 105
    check(timeline)
    assert from_json(to_json(timeline)) == timeline


def test_cards_are_placed_in_frames() -> None:
    timeline, _ = made()
    title, label = (layer for layer in timeline.scenes[0].layers if isinstance(layer, CardLayer))
    assert (title.start, title.frames, title.enter, title.leave, title.role) == (15, 60, 12, 8, "title")
    assert (label.start, label.frames, label.enter) == (0, 128, 0)
    ground, card = timeline.scenes[3].layers
    assert ground == ColorLayer("#101418", 0, 90)
    assert isinstance(card, CardLayer)
    assert card.start + card.frames == 90
    assert card.data["music"] == ["AutoReel"]
    assert set(card.data["footage"]) <= {"Camera 0 (CC0)", "Camera 1 (CC0)", "Camera 2 (CC0)"}


def test_cards_are_clipped_to_their_scene() -> None:
    text = STORY.replace("start: 0.5, duration: 2", "start: 4.2, duration: 9, enter: 3")
    card = next(layer for layer in made(text)[0].scenes[0].layers if isinstance(layer, CardLayer))
    assert (card.start, card.frames, card.enter, card.leave) == (126, 2, 2, 0)
    gone = made(STORY.replace("start: 0.5, duration: 2", "start: 60"))[0].scenes[0]
    assert [layer.card for layer in gone.layers if isinstance(layer, CardLayer)] == ["ai_label"]


def test_an_optional_scene_without_footage_is_left_out_whole() -> None:
    timeline, why = made(library=LIBRARY[:-1])
    assert [scene.id for scene in timeline.scenes] == ["hook", "verdict", "credits"]
    assert timeline.notes["omitted"] == ["cabin"]
    assert [record["scene"] for record in why["omitted"]] == ["cabin"]
    assert timeline.frames == 128 + 210 + 90 - 15


def test_a_scene_left_without_a_follower_ends_without_transition() -> None:
    text = STORY[: STORY.index("  - id: verdict")].replace("    transition: {name: fade, duration: 1.0}\n", "")
    timeline, _ = made(text, library=LIBRARY[:-1])
    assert [scene.transition for scene in timeline.scenes] == [None]


def test_a_needed_scene_without_its_shots_is_an_error() -> None:
    storyboard = story()
    with pytest.raises(TimelineInvalid, match=r"'hook' has no shot for hook\.0\.0"):
        assemble(storyboard, voice(storyboard), (), canvas=WIDE)


def test_shots_chosen_for_another_voice_are_an_error() -> None:
    storyboard = story()
    wanted = slots(storyboard, voice(storyboard), fps=Fraction(30), resolve=TAGS.get)
    choices = choose(wanted, LIBRARY)
    with pytest.raises(TimelineInvalid, match="another length"):
        assemble(storyboard, voice(storyboard, "2.9"), choices, canvas=WIDE)


def test_wide_footage_follows_its_car_on_a_narrow_canvas() -> None:
    fits = {canvas: made(canvas=canvas)[0].scenes[0].layers[0] for canvas in (WIDE, TALL, Canvas(1080, 1080))}
    assert [layer.fit for layer in fits.values() if isinstance(layer, ClipLayer)] == ["cover", "track", "track"]
    asked = made(STORY.replace("sound_db: -6", "fit: cover"), TALL)[0].scenes[0].layers[0]
    assert isinstance(asked, ClipLayer)
    assert asked.fit == "cover"


@pytest.mark.parametrize(
    "library",
    [
        [*(shot(n, "exterior", "traffic") for n in range(1, 9)), shot(20, "interior")],  # many cars
        [
            *(shot(n, "exterior", width=640, height=360) for n in range(1, 9)),
            shot(20, "interior"),
        ],  # five times enlarged
    ],
)
def test_what_has_no_one_car_or_too_few_lines_is_shown_as_it_is(library: list[Candidate]) -> None:
    layer = made(canvas=TALL, library=library)[0].scenes[0].layers[0]
    assert isinstance(layer, ClipLayer)
    assert layer.fit == "contain-blur"


def test_silent_clips_get_no_sound_and_short_ones_are_slowed() -> None:
    short = [shot(n, "exterior", end=Fraction(2), has_sound=n == 1) for n in range(1, 6)]
    text = STORY.replace("duration: 7", "duration: 2")
    timeline, why = made(text, library=[*short, LIBRARY[-1]])
    clips = [layer for scene in timeline.scenes for layer in scene.layers if isinstance(layer, ClipLayer)]
    for clip in clips:
        end = clip.source_start + Fraction(clip.frames, 30) * clip.speed
        assert 0 <= clip.source_start < end <= (8 if clip.shot == 20 else 2)
    assert {clip.speed < 1 for clip in clips if clip.frames > 56 and clip.shot != 20} == {True}
    assert {clip.shot for clip in clips if clip.sound_db is not None} <= {1}
    slowed = [record for record in why["shots"] if record["speed"] < 1]
    assert any("slowed" in reason["why"] for reason in slowed[0]["reasons"])


def test_the_trace_answers_for_every_shot() -> None:
    timeline, why = made()
    placed = [layer for scene in timeline.scenes for layer in scene.layers if isinstance(layer, ClipLayer)]
    assert json.loads(json.dumps(why)) == why
    assert [record["shot"] for record in why["shots"]] == [clip.shot for clip in placed]
    for record, clip in zip(why["shots"], placed, strict=True):
        assert record["asset"] == clip.asset
        assert record["in"] == pytest.approx(float(clip.source_start), abs=1e-5)
        assert record["out"] == pytest.approx(
            float(clip.source_start + Fraction(clip.frames, 30) * clip.speed), abs=1e-5
        )
        assert record["score"] == pytest.approx(sum(record["by_modality"].values()), abs=1e-3)
        assert record["tags"][0]["tag"] in record["query"]
        assert (record["model"], record["rights"]) == ("m1", "ok")
    assert len(why["shots"][0]["next_best"]) == 5


def test_credits_name_each_source_once() -> None:
    storyboard = story()
    wanted = slots(storyboard, voice(storyboard), fps=Fraction(30), resolve=TAGS.get)
    names = credits_of(choose(wanted, LIBRARY))
    assert len(names) == len(set(names))
    assert credits_of(choose(wanted, [shot(n, "exterior", "interior", credit="") for n in range(9)])) == ()


def test_captions_and_music_come_along() -> None:
    timeline, _ = made(STORY.replace("locale: en-US", "locale: en-US\ncaptions: {style: bold}"))
    assert [cue.lines for cue in timeline.scenes[0].cues] == [("This is the Northwind X5.",), ("It is new.",)]
    assert timeline.caption_style == "bold"
    assert timeline.music is not None
    storyboard = story(STORY.replace("locale: en-US", "locale: en-US\naudio: {music: null}"))
    spoken = voice(storyboard)
    choices = choose(slots(storyboard, spoken, fps=Fraction(30), resolve=TAGS.get), LIBRARY)
    silent = assemble(storyboard, spoken, choices, canvas=WIDE, look=Look(brand="circuit", seed=9))
    assert (silent.music, silent.brand, silent.notes["seed"]) == (None, "circuit", 9)


def test_a_fixed_length_gives_way_to_the_voice() -> None:
    storyboard = story(STORY.replace("    poster: false\n", "    duration: 2\n"))
    assert time_scenes(storyboard, voice(storyboard, "3"), Fraction(30))[0].frames > 180


@given(
    st.integers(30, 900),
    st.integers(1, 12),
    st.lists(st.integers(1, 900), max_size=8, unique=True).map(sorted),
    st.sampled_from([Fraction(25), Fraction(30), Fraction(30000, 1001)]),
)
def test_shots_tile_their_scene(frames: int, count: int, starts: list[int], fps: Fraction) -> None:
    bounds = shot_bounds(frames, count, [s for s in starts if s < frames], fps)
    lengths = [end - start for start, end in pairwise(bounds)]
    assert (bounds[0], bounds[-1]) == (0, frames)
    assert all(length >= min(frames, int(fps)) for length in lengths)
    assert all(length <= LONGEST_SHOT * fps + 1 for length in lengths)
    assert len(lengths) >= min(count, frames // (int(fps) + 1))


def test_cuts_fall_on_sentences() -> None:
    lines = place_lines([Speech("a", "f", Fraction(seconds)) for seconds in (2, 1, 3)], Fraction(30))
    starts = [line.start for line in lines[1:]]
    assert shot_bounds(200, 2, starts, Fraction(30)) == (0, starts[1], 200)
    assert shot_bounds(200, 3, starts, Fraction(30)) == (0, *starts, 200)
    assert shot_bounds(200, 4, starts, Fraction(30)) == (0, 50, 100, 150, 200)


scene_texts = st.sampled_from(["", "One sentence.", "Two of them. Here they are.", "One. Two! Three? Four and five."])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            scene_texts, st.none() | st.floats(0.5, 20), st.none() | st.floats(0.1, 2), st.booleans(), st.integers(1, 4)
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([Fraction(24), Fraction(25), Fraction(30000, 1001)]),
    st.sampled_from(["0.4", "1.7", "5.3"]),
    st.booleans(),
)
def test_every_storyboard_gives_an_exact_timeline(
    scenes: list[tuple[str, float | None, float | None, bool, int]], fps: Fraction, seconds: str, full: bool
) -> None:
    tree: dict[str, Any] = {"version": 1, "template": "t", "title": "t", "locale": "en-US", "scenes": []}
    for number, (text, duration, transition, optional, count) in enumerate(scenes):
        tags = ["interior"] if optional else ["exterior"]
        scene: dict[str, Any] = {"id": f"s{number}", "optional": optional and number > 0}
        scene["layers"] = [
            {"type": "clip", "query": {"tags_all": tags if number else ["exterior"]}, "pick": {"shots": count}}
        ]
        if text:
            scene["voice"] = {"text": text}
        if duration and (not transition or 2 * transition <= duration):
            scene["duration"] = round(duration, 3)
        if transition and number < len(scenes) - 1 and (not duration or 2 * transition <= duration):
            scene["transition"] = {"duration": round(transition, 3)}
        tree["scenes"].append(scene)
    storyboard = story(yaml.safe_dump(tree))
    spoken = voice(storyboard, seconds)
    library = [shot(n, "exterior", end=Fraction(30)) for n in range(1, 80)]
    library += [shot(n, "interior", end=Fraction(30)) for n in range(100, 180)] if full else []
    choices = choose(slots(storyboard, spoken, fps=fps, resolve=TAGS.get), library)
    timeline = assemble(storyboard, spoken, choices, canvas=Canvas(1080, 1920, fps))
    overlaps = sum(scene.transition.frames for scene in timeline.scenes if scene.transition)
    assert timeline.frames == sum(scene.frames for scene in timeline.scenes) - overlaps
    assert len(timeline.scenes) + len(timeline.notes["omitted"]) == len(scenes)
    for before, after in pairwise(timeline.scenes):
        if before.transition and after.lines:
            assert after.lines[0].start >= before.transition.frames
    for shown in timeline.scenes:
        ends = [line.start + line.speech.seconds * fps for line in shown.lines]
        assert all(end <= shown.frames - (shown.transition.frames if shown.transition else 0) for end in ends)
        assert all(later.start >= end for later, end in zip(shown.lines[1:], ends, strict=False))


def test_faces_are_hidden_in_all_footage_or_in_none() -> None:
    for text, hidden in ((STORY, False), (STORY.replace("locale:", "blur_faces: true\nlocale:"), True)):
        timeline, _ = made(text)
        layers = [layer for scene in timeline.scenes for layer in scene.layers if isinstance(layer, ClipLayer)]
        assert {layer.blur_faces for layer in layers} == {hidden}
        assert from_json(to_json(timeline)) == timeline


def test_a_shot_is_cropped_where_that_leaves_a_subtitle_out() -> None:
    marks = (BurntRegion("subtitle", 0.2, 0.86, 0.8, 0.95),)
    library = [*(shot(n, "exterior", regions=marks) for n in range(1, 9)), shot(20, "interior")]
    timeline, _ = made(library=library)
    windows = {
        layer.shot: layer.window for scene in timeline.scenes for layer in scene.layers if isinstance(layer, ClipLayer)
    }
    assert windows.pop(20) is None
    assert all(window == pytest.approx((0.07, 0.0, 0.93, 0.86)) for window in windows.values())
    assert from_json(to_json(timeline)) == timeline
    broken = json.loads(to_json(timeline))
    broken["scenes"][0]["layers"][0]["window"] = [0.5, 0.0, 0.4, 1.0]
    with pytest.raises(TimelineInvalid, match="no part of the picture"):
        check(from_json(json.dumps(broken)))


PICTURES = """\
version: 1
template: t
title: T
locale: en-US
scenes:
  - id: one
    duration: 5
    layers:
      - {type: image, file: wide.jpg, credit: Photo by Ann}
      - {type: clip, query: {tags_all: [exterior]}, speed: 0.5, inset: {start: 1, duration: 3, share: 0.3}}
  - id: two
    layers:
      - {type: image, file: wide.jpg, first: [0, 0, 0.5, 1], last: [0.5, 0, 1, 1]}
      - {type: image, file: tall.png, inset: {corner: bottom-left, shape: "3:4", start: 9}}
      - {type: credits, card: credits, data: {footage: []}}
"""


def with_pictures(canvas: Canvas = WIDE, **pictures: Picture) -> Timeline:
    storyboard = story(PICTURES)
    wanted = slots(storyboard, {}, fps=canvas.fps, resolve=TAGS.get)
    assert [(slot.seconds, slot.speed) for slot in wanted] == [(Fraction(3), Fraction(1, 2))]
    known = {"wide.jpg": Picture("w" * 64, 4000, 1500), "tall.png": Picture("t" * 64, 900, 1600), **pictures}
    return assemble(storyboard, {}, choose(wanted, LIBRARY), canvas=canvas, look=Look(pictures=known))


def test_a_picture_fills_its_scene_and_an_inset_its_time() -> None:
    one, two = with_pictures().scenes
    image, clip = one.layers
    assert isinstance(image, ImageLayer)
    assert (image.asset, image.start, image.frames, image.fit) == ("w" * 64, 0, 150, "cover")
    assert image.first != image.last
    assert isinstance(clip, ClipLayer)
    assert (clip.start, clip.frames, clip.speed) == (30, 90, Fraction(1, 2))
    assert clip.inset == Inset("top-right", 0.3, enter=9, leave=8)
    moved, card = two.layers  # the inset that would start after the scene's end is left out
    assert isinstance(moved, ImageLayer)
    assert (moved.first, moved.last) == ((0, 0, 0.5, 1), (0.5, 0, 1, 1))
    assert isinstance(card, CardLayer)
    assert card.data["footage"][-1] == "Photo by Ann"


def test_a_picture_is_contained_where_the_canvas_would_cut_it() -> None:
    timeline = with_pictures(TALL)
    image = timeline.scenes[0].layers[0]
    assert isinstance(image, ImageLayer)
    assert image.fit == "contain-blur"
    assert from_json(to_json(timeline)) == timeline


def test_a_slow_shot_may_be_half_as_long_as_its_place() -> None:
    storyboard = story(PICTURES)
    wanted = slots(storyboard, {}, fps=Fraction(30), resolve=TAGS.get)
    (choice,) = choose(wanted, [shot(1, "exterior", end=Fraction(8, 5))])
    assert choice.offset < Fraction(1, 10)
    known = {"wide.jpg": Picture("w" * 64, 4000, 1500), "tall.png": Picture("t" * 64, 900, 1600)}
    timeline = assemble(storyboard, {}, [choice], canvas=WIDE, look=Look(pictures=known))
    clip = timeline.scenes[0].layers[1]
    assert isinstance(clip, ClipLayer)
    assert clip.source_start + clip.frames / WIDE.fps * clip.speed <= Fraction(8, 5)


def test_a_picture_that_nobody_looked_at_is_named() -> None:
    storyboard = story(PICTURES)
    choices = choose(slots(storyboard, {}, fps=WIDE.fps, resolve=TAGS.get), LIBRARY)
    with pytest.raises(TimelineInvalid, match=r"scene 'one' shows the picture wide.jpg"):
        assemble(storyboard, {}, choices, canvas=WIDE)
