"""What is believed of a shot before any training: its picture and its words matched against the names of the tags.

Simple rules that a person can check, each silent where it cannot know: ImageNet scores by the taxonomy's lists,
brightness, names found in words, and nearness of sentences. Sound alone names nothing for certain, so it is not asked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from understanding.labels import IMAGENET_CLASSES, Taxonomy
from understanding.names import NameFinder, file_words
from understanding.open_vocabulary import OpenVocabulary
from understanding.sentences import SentenceEncoder
from understanding.tagged import CameraMotion, Kind, Modality, Region, ShotQuality
from understanding.words import Words

Floats = NDArray[np.float64]

NAMED_IN_TITLE: Final = 0.9
NAMED_FOR_OTHER_SHOTS_TOO: Final = 0.75  # a title speaks of the clip, not of each of its shots
NAMED_ON_SCREEN: Final = 0.6
NAMED_IN_SPEECH: Final = 0.6
BLACK_LUMA: Final = 0.012  # below, a picture shows nothing
PARENT_SHARE: Final = 0.8
SUBJECT_DOUBT: Final = 0.6  # how far words about cars make a seen animal or dish doubtful
FLOOR: Final = 0.03  # no tag is impossible, and none certain, before the net has spoken


@dataclass(frozen=True, slots=True)
class Ramp:
    """Nothing up to `low`, `ceiling` from `high` on, straight between."""

    low: float
    high: float
    ceiling: float

    def __call__(self, value: float) -> float:
        return self.ceiling * min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


# ImageNet mass of a tag's classes -> confidence. Wide scenes scatter over many classes, hence the careful default.
BY_PICTURE: Final = Ramp(0.3, 0.8, 0.7)
PICTURE_RAMPS: Final = {
    "car": Ramp(0.15, 0.5, 0.85),
    "non-automotive": Ramp(0.7, 0.95, 0.85),
    "animal": Ramp(0.35, 0.85, 0.8),
    "race": Ramp(0.2, 0.6, 0.7),
    "city-street": Ramp(0.1, 0.35, 0.6),
    "mountain": Ramp(0.1, 0.5, 0.75),
    "coast": Ramp(0.2, 0.6, 0.6),
    "motorcycle": Ramp(0.15, 0.6, 0.8),
    "person": Ramp(0.25, 0.7, 0.6),
    "truck": Ramp(0.5, 0.9, 0.6),
}
CLOSE_CAR: Final = Ramp(0.25, 0.6, 0.6)  # mass of car classes, lorries and buses aside: one car fills the picture
BUSY_ROAD: Final = Ramp(0.25, 0.6, 0.35)  # road vehicles and street furniture, no single class ahead
SENTENCE: Final = Ramp(0.45, 0.75, 0.3)  # cosine of a sentence and a tag's name: a weak sign, never enough alone

BY_REGION: Final[dict[Kind, float]] = {"subtitle": 0.75, "timestamp": 0.75, "logo": 0.6}  # it shows an overlay
WRITING: Final = Ramp(0.01, 0.06, 0.6)  # share of the picture -> the same, where signs and plates may stand too

NOTHING: Final = math.log(FLOOR / (1 - FLOOR))  # the logit of a tag of which nothing is known
_CHINESE_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·\s]?[A-HJ-NP-Z0-9]{5,6}"
)
_SENTENCE_END = re.compile(r"[\n.!?。！？；;]+")


@dataclass(frozen=True, slots=True)
class Belief:
    """Probabilities of every tag (C,) by modality, each in [0, 1), and the logits (C,) that the camera adds."""

    by_modality: dict[Modality, Floats]
    motion: Floats

    @property
    def probability(self) -> Floats:
        """`logits` as probabilities, (C,)."""
        told: Floats = 1 / (1 + np.exp(-self.logits.astype(np.float64)))
        return told

    @property
    def logits(self) -> NDArray[np.float32]:
        """The net's prior, (C,): noisy-or of the modalities within [FLOOR, 1 - FLOOR], moved by the camera's motion."""
        doubt = np.prod([1 - p for p in self.by_modality.values()], axis=0)
        logits: NDArray[np.float32] = (_logit(1 - doubt) + self.motion).astype(np.float32)
        return logits

    def loudest(self, index: int, added: Mapping[Modality, NDArray[np.float32]] | None = None) -> Modality:
        """The modality that contributed most to tag `index`, counting the logits (C,) that each has `added` since."""
        told = {name: float(_logit(p[index])) - NOTHING for name, p in self.by_modality.items()}
        told["motion"] = float(self.motion[index])
        for name, logits in (added or {}).items():
            told[name] = told.get(name, 0.0) + float(logits[index])
        return max(told, key=lambda modality: told[modality])


def _logit(probability: Floats | float) -> Floats:
    within = np.clip(probability, FLOOR, 1 - FLOOR)
    logit: Floats = np.log(within / (1 - within))
    return logit


class Matcher:
    """Matches shots against the names of a taxonomy."""

    def __init__(
        self,
        taxonomy: Taxonomy,
        sentences: SentenceEncoder,
        vectors: NDArray[np.float32],
        names: OpenVocabulary | None = None,
    ) -> None:
        """`vectors` (C, 512) are the tags' names as `sentences.name_vectors` gives them; `names` tells tags from rows
        of an image-text net."""
        self._names = names
        self.taxonomy, self.sentences, self.vectors = taxonomy, sentences, vectors
        self._finder = NameFinder(taxonomy)
        self._lists = np.zeros((len(taxonomy), IMAGENET_CLASSES))
        for i, label in enumerate(taxonomy):
            self._lists[i, list(label.imagenet)] = 1
        self._camera = {motion: np.zeros(len(taxonomy)) for motion in ("forward", "static", "moving")}
        for i, label in enumerate(taxonomy):
            for motion, logits in label.camera:
                self._camera[motion][i] = logits
        self._subjects = [taxonomy.index(t) for t in taxonomy.facet("subject")]
        self._outside = [taxonomy.index(t) for t in ("non-automotive",) if t in taxonomy]
        named = (tag for facet in ("scene", "body", "part", "event") for tag in taxonomy.facet(facet))
        self._vehicular = [taxonomy.index(t) for t in named if t not in ("non-automotive", "night", "aerial")]

    def believe(
        self,
        scores: NDArray[np.float32],
        quality: ShotQuality,
        words: Words,
        *,
        picture: NDArray[np.float32] | None = None,
        camera: CameraMotion | None = None,
        regions: Sequence[Region] = (),
        shots: int = 1,
    ) -> Belief:
        """Return the belief for one shot: `scores` (T, 1000) are ImageNet-1k probabilities, one row a second,
        `picture` (T, D) the rows of an image-text net, `regions` what is burnt in, `shots` how many the clip has."""
        spoken = self._by_words(words, quality, regions, shots)
        seen = self._by_picture(scores, quality)
        if self._names and picture is not None and quality.luma >= BLACK_LUMA:
            seen = np.maximum(seen, self._with_parents(self._names.see(picture)))
        automotive = self._automotive(spoken)  # a drawn or unusual car looks like household goods
        seen[self._subjects] *= 1 - SUBJECT_DOUBT * automotive
        seen[self._outside] *= 1 - automotive
        told = self._without_contradiction(spoken, quality)
        return Belief({"picture": seen, "words": told}, self._by_motion(camera, quality))

    def _by_motion(self, camera: CameraMotion | None, quality: ShotQuality) -> Floats:
        """What the camera's motion makes likelier or less likely, in logits (C,); nothing where nothing is seen."""
        if camera is None or quality.luma < BLACK_LUMA:
            return np.zeros(len(self.taxonomy))
        moved: Floats = np.sum([getattr(camera, name) * logits for name, logits in self._camera.items()], axis=0)
        return moved

    def _by_picture(self, scores: NDArray[np.float32], quality: ShotQuality) -> Floats:
        seen = np.zeros(len(self.taxonomy))
        if quality.luma < BLACK_LUMA or not scores.size:  # black: whatever the classifier says is its own invention
            return seen
        mean = scores.mean(axis=0, dtype=np.float64)
        mass = self._lists @ mean
        for i, tag in enumerate(self.taxonomy.tags):
            seen[i] = PICTURE_RAMPS.get(tag, BY_PICTURE)(mass[i])
        for tag, confidence in {**self._composed(mean, mass), **_by_light(quality, self._mass("car", mass))}.items():
            if tag in self.taxonomy:
                seen[self.taxonomy.index(tag)] = max(seen[self.taxonomy.index(tag)], confidence)
        return self._with_parents(seen)

    def _composed(self, mean: Floats, mass: Floats) -> dict[str, float]:
        """Scenes that no list names: one car close by, or a road full of vehicles."""
        large = [i for tag in ("truck", "bus", "race") if tag in self.taxonomy for i in self.taxonomy[tag].imagenet]
        vehicles = self._mass("car", mass)
        close = vehicles - float(mean[large].sum())
        exterior = max(CLOSE_CAR(close), CLOSE_CAR(self._mass("motorcycle", mass)))
        scattered = float(mean.max()) < 0.3
        busy = BUSY_ROAD(vehicles + self._mass("city-street", mass)) if scattered else 0.0
        return {"exterior": exterior, "traffic": busy * (1 - exterior / CLOSE_CAR.ceiling)}

    def _mass(self, tag: str, mass: Floats) -> float:
        return float(mass[self.taxonomy.index(tag)]) if tag in self.taxonomy else 0.0

    def _by_words(self, words: Words, quality: ShotQuality, regions: Sequence[Region], shots: int) -> Floats:
        title = NAMED_IN_TITLE if shots <= 1 else NAMED_FOR_OTHER_SHOTS_TOO
        doubt = np.ones(len(self.taxonomy))
        for text, confidence in (
            (f"{words.title}\n{file_words(words.file_name)}", title),
            (words.burnt_in, NAMED_ON_SCREEN),
            (words.speech, NAMED_IN_SPEECH),
        ):
            for tag in self._finder.find(text):
                doubt[self.taxonomy.index(tag)] *= 1 - confidence
        doubt *= 1 - self._by_sentence(words)
        named = self._with_parents(1 - doubt)
        for tag, confidence in _by_writing(words, quality, regions).items():
            if tag in self.taxonomy:
                named[self.taxonomy.index(tag)] = max(named[self.taxonomy.index(tag)], confidence)
        return named

    def _by_sentence(self, words: Words) -> Floats:
        """How near any whole sentence comes to each tag's name, (C,). Single words are left to `NameFinder`."""
        sentences = [line for line in _SENTENCE_END.split(words.text()) if _is_sentence(line)][:12]
        if not sentences:
            return np.zeros(len(self.taxonomy))
        near = (self.sentences.encode(sentences) @ self.vectors.T).max(axis=0)
        return np.array([SENTENCE(float(value)) for value in near])

    def _with_parents(self, belief: Floats) -> Floats:
        """A tag lends its ancestors a share of its own confidence."""
        lifted = belief.copy()
        for i, label in enumerate(self.taxonomy):
            for step, above in enumerate(self.taxonomy.ancestors(label.name), start=1):
                at = self.taxonomy.index(above)
                lifted[at] = max(lifted[at], belief[i] * PARENT_SHARE**step)
        return lifted

    def _automotive(self, spoken: Floats) -> float:
        """How surely the words speak of vehicles or what they do."""
        return float(spoken[self._vehicular].max(initial=0.0))

    def _without_contradiction(self, spoken: Floats, quality: ShotQuality) -> Floats:
        """A title's `night` does not hold for a bright shot, its `daylight` for a dark one, nothing for a black one."""
        believed = spoken * 0.25 if quality.luma < BLACK_LUMA else spoken.copy()
        wrong = ("night", "dark") if quality.luma > 0.35 else ("daylight", "sunny") if quality.luma < 0.08 else ()
        for tag in wrong:
            if tag in self.taxonomy:
                believed[self.taxonomy.index(tag)] *= 0.4
        return believed


def _by_light(quality: ShotQuality, vehicles: float) -> dict[str, float]:
    """Brightness: a very dark picture with something in it is a night shot; a bright road is a day."""
    deep = Ramp(-0.1, -0.03, 1.0)(-quality.luma) * Ramp(BLACK_LUMA, 0.025, 1.0)(quality.luma)
    return {
        "dark": 0.75 * deep,
        "night": 0.6 * deep if quality.sharpness > 0 else 0.0,
        "daylight": Ramp(0.28, 0.4, 0.5)(quality.luma) * Ramp(0.15, 0.4, 1.0)(vehicles),
    }


def _by_writing(words: Words, quality: ShotQuality, regions: Sequence[Region]) -> dict[str, float]:
    """What text in the picture shows by being there, and by where it stands."""
    large = WRITING(quality.text_area) if words.burnt_in.strip() else 0.0
    return {
        "text-overlay": max([large, *(BY_REGION[region.kind] for region in regions)]),
        "plate-visible": 0.7 if _CHINESE_PLATE.search(words.burnt_in.upper()) else 0.0,
    }


def _is_sentence(line: str) -> bool:
    return len(line.split()) >= 3 or sum("\u3400" <= c <= "\u9fff" for c in line) >= 6
