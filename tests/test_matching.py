"""What is believed before training: names in words, classes in pictures, light; and silence where nothing is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from understanding.labels import load_taxonomy
from understanding.matching import FLOOR, Belief, Matcher, Ramp
from understanding.sentences import SentenceEncoder, name_vectors
from understanding.tagged import Box, CameraMotion, Region, ShotQuality
from understanding.words import Words

TAXONOMY = load_taxonomy()
DAY = ShotQuality(luma=0.45, sharpness=0.6, motion=0.1, text_area=0.0, loudness_db=-30)
DEEP_NIGHT = ShotQuality(luma=0.03, sharpness=0.2, motion=0.1, text_area=0.0, loudness_db=-30)
GREY = ShotQuality(luma=0.2, sharpness=0.3, motion=0.0, text_area=0.0, loudness_db=-120)
BLACK = ShotQuality(luma=0.0, sharpness=0.0, motion=0.0, text_area=0.0, loudness_db=-120)
SPORTS_CAR, RACE_CAR, CONVERTIBLE, GRILLE, TABBY, LORRY, TRAM, MINIVAN = 817, 751, 511, 581, 281, 867, 829, 656
SCOOTER, LIGHTS = 670, 920
MUTE = sorted(set(range(1000)) - {index for label in TAXONOMY for index in label.imagenet})
FLAT: Mapping[int, float] = {}


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    sentences = SentenceEncoder()
    return Matcher(TAXONOMY, sentences, name_vectors(TAXONOMY, sentences))


def seen(mass: Mapping[int, float], rows: int = 3) -> NDArray[np.float32]:
    """ImageNet probabilities with `mass` on some classes and the rest spread over classes that speak for no tag."""
    scores = np.zeros((rows, 1000), np.float32)
    scores[:, MUTE] = (1 - sum(mass.values())) / len(MUTE)
    for index, share in mass.items():
        scores[:, index] += share
    return scores


def believed(belief: Belief, at_least: float = 0.3) -> dict[str, float]:
    return {tag: p for tag, p in zip(TAXONOMY.tags, belief.probability, strict=True) if p >= at_least}


def spoken(matcher: Matcher, **words: str) -> dict[str, float]:
    return believed(matcher.believe(seen(FLAT), GREY, Words(**words)))


def test_a_title_names_with_high_confidence_and_lifts_the_parent(matcher: Matcher) -> None:
    tags = spoken(matcher, title="泥地 off the beaten track")
    assert tags["mud"] == pytest.approx(0.9, abs=0.03)
    assert tags["off-road"] == pytest.approx(0.72, abs=0.05)


def test_file_names_count_as_titles_but_not_their_digests(matcher: Matcher) -> None:
    assert spoken(matcher, file_name="clips/night-drive-rain.mp4").keys() >= {"night", "rain"}
    assert spoken(matcher, file_name=f"{'4a' * 32}.mp4") == {}


def test_what_is_shown_or_said_counts_less_than_a_title_and_adds_up(matcher: Matcher) -> None:
    shown = spoken(matcher, burnt_in="追尾事故")["crash"]
    said = spoken(matcher, speech="这起追尾")["crash"]
    both = spoken(matcher, burnt_in="追尾事故", speech="这起追尾")["crash"]
    assert shown == pytest.approx(0.6, abs=0.1)
    assert shown < both < 0.95
    assert said < both


def test_a_title_is_less_sure_of_each_of_many_shots(matcher: Matcher) -> None:
    words = Words(title="interior")
    one, many = (matcher.believe(seen(FLAT), DAY, words, shots=n).probability for n in (1, 8))
    assert many[TAXONOMY.index("interior")] < one[TAXONOMY.index("interior")]


def test_negative_names_match_nothing(matcher: Matcher) -> None:
    assert spoken(matcher, file_name="neg-0003.mp4") == {}


def test_words_say_that_they_spoke(matcher: Matcher) -> None:
    belief = matcher.believe(seen({SPORTS_CAR: 0.8}), DAY, Words(title="漂移"))
    assert belief.loudest(TAXONOMY.index("drift")) == "words"
    assert belief.loudest(TAXONOMY.index("sports-car")) == "picture"


def test_one_car_close_by_is_an_exterior(matcher: Matcher) -> None:
    tags = believed(matcher.believe(seen({SPORTS_CAR: 0.4, CONVERTIBLE: 0.2, GRILLE: 0.1}), DAY, Words()))
    assert tags["car"] > 0.8
    assert tags["exterior"] > 0.5
    assert "traffic" not in tags
    assert "non-automotive" not in tags


def test_a_wide_street_scatters_and_is_no_exterior(matcher: Matcher) -> None:
    street = {LORRY: 0.15, TRAM: 0.15, MINIVAN: 0.1, LIGHTS: 0.1, 468: 0.08}
    tags = believed(matcher.believe(seen(street), DAY, Words()))
    assert {"traffic", "city-street", "car"} <= tags.keys()
    assert "exterior" not in tags
    assert "truck" not in tags  # a lorry class alone, from afar, is no lorry


def test_a_cat_is_no_car(matcher: Matcher) -> None:
    tags = believed(matcher.believe(seen({TABBY: 0.95}), DAY, Words()))
    assert tags["animal"] > 0.7
    assert tags["non-automotive"] > 0.7
    assert tags.keys().isdisjoint({"car", "exterior", "traffic"})


def test_words_about_cars_outweigh_a_doubtful_picture(matcher: Matcher) -> None:
    household = seen({785: 0.0, 620: 0.5, 664: 0.4})  # a drawn dashboard looks like a laptop and a monitor
    assert believed(matcher.believe(household, DAY, Words()))["non-automotive"] > 0.5
    tags = believed(matcher.believe(household, DAY, Words(title="内饰与方向盘")))
    assert tags["interior"] > 0.85
    assert "non-automotive" not in tags


def test_a_motorcycle_and_a_race_car(matcher: Matcher) -> None:
    assert believed(matcher.believe(seen({SCOOTER: 0.7}), DAY, Words()))["motorcycle"] > 0.7
    assert believed(matcher.believe(seen({RACE_CAR: 0.7}), DAY, Words()))["race"] > 0.6


def test_night_comes_from_the_light(matcher: Matcher) -> None:
    tags = believed(matcher.believe(seen(FLAT), DEEP_NIGHT, Words()))
    assert {"night", "dark"} <= tags.keys()
    assert "daylight" in believed(matcher.believe(seen({SPORTS_CAR: 0.7}), DAY, Words()))


def test_a_bright_shot_does_not_believe_in_night(matcher: Matcher) -> None:
    bright = matcher.believe(seen(FLAT), DAY, Words(title="night drive")).probability[TAXONOMY.index("night")]
    assert bright < 0.5


@pytest.mark.parametrize("scores", [seen({SPORTS_CAR: 0.9}), seen(FLAT), np.zeros((0, 1000), np.float32)])
def test_a_black_shot_shows_nothing(matcher: Matcher, scores: NDArray[np.float32]) -> None:
    assert believed(matcher.believe(scores, BLACK, Words()), at_least=0.1) == {}
    assert believed(matcher.believe(scores, BLACK, Words(title="Off-road in the mud"))) == {}


def test_writing_is_seen(matcher: Matcher) -> None:
    quality = ShotQuality(luma=0.4, sharpness=0.6, motion=0.1, text_area=0.05, loudness_db=-30)
    tags = believed(matcher.believe(seen(FLAT), quality, Words(burnt_in="京A·12345\n新车上市")))
    assert tags["plate-visible"] > 0.6
    assert tags["text-overlay"] > 0.4


def test_small_writing_is_an_overlay_only_where_overlays_stand(matcher: Matcher) -> None:
    quality = ShotQuality(luma=0.4, sharpness=0.6, motion=0.1, text_area=0.008, loudness_db=-30)
    sign = believed(matcher.believe(seen(FLAT), quality, Words(burnt_in="AZI 2231")))
    assert "text-overlay" not in sign
    subtitle = Region("subtitle", Box(0.3, 0.85, 0.7, 0.9))
    said = matcher.believe(seen(FLAT), quality, Words(burnt_in="the new saloon"), regions=[subtitle])
    assert believed(said)["text-overlay"] > 0.6


def test_probabilities_and_logits_agree(matcher: Matcher) -> None:
    belief = matcher.believe(seen({TABBY: 0.5}), DAY, Words(title="night mud 越野 SUV"))
    assert belief.probability.min() >= FLOOR - 1e-6
    assert belief.probability.max() <= 1 - FLOOR + 1e-6
    np.testing.assert_allclose(1 / (1 + np.exp(-belief.logits.astype(np.float64))), belief.probability, atol=1e-6)


def test_the_ramp_is_flat_outside() -> None:
    ramp = Ramp(0.2, 0.6, 0.8)
    assert [ramp(x) for x in (-1.0, 0.2, 0.4, 0.6, 9.0)] == pytest.approx([0, 0, 0.4, 0.8, 0.8])


def test_the_camera_moves_scenes_and_says_so(matcher: Matcher) -> None:
    ahead, mast = (CameraMotion(forward=f, static=1 - f, pan=0.0, shake=0.0) for f in (1.0, 0.0))
    logits = {
        name: matcher.believe(seen(FLAT), DAY, Words(), camera=camera).logits
        for name, camera in (("none", None), ("ahead", ahead), ("mast", mast))
    }
    view, traffic, static = (TAXONOMY.index(tag) for tag in ("driving-view", "traffic", "static-camera"))
    assert logits["ahead"][view] > logits["none"][view] > logits["mast"][view]
    assert logits["mast"][traffic] > logits["none"][traffic] > logits["ahead"][traffic]
    belief = matcher.believe(seen({SPORTS_CAR: 0.8}), DAY, Words(), camera=mast)
    assert belief.loudest(static) == "motion"
    assert belief.loudest(TAXONOMY.index("sports-car")) == "picture"
    dark = matcher.believe(seen(FLAT), BLACK, Words(), camera=ahead)
    assert dark.motion.tolist() == [0] * len(TAXONOMY)  # where nothing is seen, nothing moves


def test_what_the_net_heard_counts_for_the_modality(matcher: Matcher) -> None:
    belief = matcher.believe(seen({SPORTS_CAR: 0.8}), DAY, Words())
    car = TAXONOMY.index("car")
    assert belief.loudest(car) == "picture"
    assert belief.loudest(car, {"sound": np.full(len(TAXONOMY), 9, np.float32)}) == "sound"
