"""Each sentence's shot starts on its sentence: over many random storyboards, read off the finished timeline."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from factory.plan.assemble import assemble, slots
from factory.plan.timeline import Canvas, ClipLayer, Speech
from factory.plan.timing import BEFORE_VOICE, LONGEST_SHOT, narration
from tests.test_assemble import TAGS, choose, shot, story

LIBRARY = [shot(number, "exterior", end=Fraction(30)) for number in range(1, 60)]
lengths = st.lists(st.fractions(Fraction(9, 10), Fraction(15, 2), max_denominator=48000), min_size=1, max_size=5)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(lengths, st.none() | st.floats(0.1, 1.0), st.none() | st.floats(2, 40)), min_size=1, max_size=5),
    st.sampled_from([Fraction(24), Fraction(25), Fraction(30), Fraction(30000, 1001)]),
)
def test_shots_start_on_their_sentences(
    scenes: list[tuple[list[Fraction], float | None, float | None]], fps: Fraction
) -> None:
    """Scenes with a shot for each sentence, as long as a shot has to be; some are longer than their voice."""
    tree: dict[str, Any] = {"version": 1, "template": "t", "title": "t", "locale": "en-US", "scenes": []}
    for number, (spoken, transition, duration) in enumerate(scenes):
        layer = {"type": "clip", "query": {"tags_all": ["exterior"]}, "pick": {"shots": len(spoken)}}
        text = " ".join(f"This is sentence {place}." for place in range(len(spoken)))
        scene: dict[str, Any] = {"id": f"s{number}", "voice": {"text": text}, "layers": [layer]}
        if duration and not transition:
            scene["duration"] = round(duration, 3)
        if transition and number < len(scenes) - 1:
            scene["transition"] = {"duration": round(transition, 3)}
        tree["scenes"].append(scene)
    storyboard = story(yaml.safe_dump(tree))
    seconds = iter([length for spoken, _, _ in scenes for length in spoken])
    voice: dict[str, list[Speech]] = {}
    for sentence in narration(storyboard):
        voice.setdefault(sentence.scene, []).append(Speech(sentence.text, "f", next(seconds)))
    choices = choose(slots(storyboard, voice, fps=fps, resolve=TAGS.get), LIBRARY)
    timeline = assemble(storyboard, voice, choices, canvas=Canvas(1920, 1080, fps))
    into = 0  # frames of the transition that leads in
    for shown in timeline.scenes:
        cuts = [layer.start for layer in shown.layers if isinstance(layer, ClipLayer)]
        said = [line.start for line in shown.lines]
        assert cuts[0] == 0
        assert said[0] == max(ceil(BEFORE_VOICE * fps), into)  # on the first fully visible frame, or after a breath
        assert set(said[1:]) <= set(cuts)  # to the frame
        stretches = list(pairwise([0, *said[1:], shown.frames]))
        for at in set(cuts[1:]) - set(said):  # a further cut only where a sentence outlasts a shot
            (stretch,) = [(low, high) for low, high in stretches if low < at < high]
            assert stretch[1] - stretch[0] > int(LONGEST_SHOT * fps)
        into = shown.transition.frames if shown.transition else 0
