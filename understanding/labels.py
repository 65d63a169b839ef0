"""The taxonomy of tags and the graph between them: names in two languages, parents, and who occurs with whom."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

TAXONOMY_FILE: Final = Path(__file__).parent / "data" / "taxonomy.yaml"
IMAGENET_CLASSES: Final = 1000
COARSE: Final = "scene"  # the facet of the coarse labels

_CJK = r"\u3400-\u9fff\uf900-\ufaff"
_BESIDE_CJK = re.compile(rf"(?<=[{_CJK}]) +| +(?=[{_CJK}])")
_NOT_WORD = re.compile(r"[\W_]+")
_PLURAL = re.compile(r"(?<=[a-z]{3})(?<![sui])s\b")


class TaxonomyError(ValueError):
    """A mistake in a taxonomy file; the message names the file, the line and the tag."""


def fold(text: str) -> str:
    """Return `text` as names are compared: lower case, no accents, one space for any punctuation, none beside Chinese
    characters, no English plural s (`Off-Roaders` and `off roader` fold alike)."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text)).casefold()
    plain = "".join(c for c in plain if unicodedata.category(c) != "Mn").replace("'", "").replace("’", "")
    words = _NOT_WORD.sub(" ", unicodedata.normalize("NFC", plain)).strip()
    return _PLURAL.sub("", _BESIDE_CJK.sub("", words))


@dataclass(frozen=True, slots=True)
class Label:
    """One tag. `synonyms` are found in running text, `asked` only resolve queries; `imagenet` are class indices,
    `camera` pairs of a motion and the logits by which it makes the tag likelier."""

    name: str
    facet: str
    zh: str
    en: str
    synonyms: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    parent: str | None = None
    imagenet: tuple[int, ...] = ()
    excludes: tuple[str, ...] = ()
    camera: tuple[tuple[str, float], ...] = ()

    def names(self) -> tuple[str, ...]:
        """Every name that resolves to this tag, canonical first, without repeats."""
        return tuple(dict.fromkeys((self.name, self.zh, self.en, *self.synonyms, *self.asked)))

    def spoken(self) -> tuple[str, ...]:
        """The names that mean this tag when they stand in a title or a sentence."""
        asked = {fold(name) for name in self.asked}
        return tuple(name for name in self.names() if fold(name) not in asked)


@dataclass(frozen=True)
class Taxonomy:
    """All tags in file order; `labels[i]` is class i of every network of the house."""

    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        if not self.labels:
            raise TaxonomyError("a taxonomy needs at least one tag")

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[Label]:
        return iter(self.labels)

    def __contains__(self, tag: object) -> bool:
        return tag in self._position

    def __getitem__(self, tag: str) -> Label:
        return self.labels[self._position[tag]]

    @property
    def tags(self) -> tuple[str, ...]:
        """Canonical names, in class order."""
        return tuple(self._position)

    def index(self, tag: str) -> int:
        """Class index of a canonical name; KeyError for any other word."""
        return self._position[tag]

    def facet(self, facet: str) -> tuple[str, ...]:
        """Tags of one facet, in file order; `facet("scene")` are the coarse labels."""
        return tuple(label.name for label in self.labels if label.facet == facet)

    def names(self, tag: str) -> tuple[str, ...]:
        """Every name of a tag: canonical, zh, en, synonyms."""
        return self[tag].names()

    def children(self, tag: str) -> tuple[str, ...]:
        """Every tag below `tag`, at any depth, in file order."""
        return tuple(label.name for label in self.labels if tag in self.ancestors(label.name))

    def ancestors(self, tag: str) -> tuple[str, ...]:
        """The parent, its parent and so on, nearest first."""
        chain: list[str] = []
        parent = self[tag].parent
        while parent is not None:
            chain.append(parent)
            parent = self[parent].parent
        return tuple(chain)

    def excluded(self, tag: str) -> frozenset[str]:
        """Every tag that no shot of `tag` can carry: what it or an ancestor excludes, and all below that."""
        return self._excluded[tag]

    def resolve(self, name: str) -> str | None:
        """Return the canonical tag that `name` means (tag, zh or en name, synonym), or None."""
        return self._meaning.get(fold(name))

    def nearest(self, name: str, count: int = 3) -> tuple[str, ...]:
        """Return up to `count` tags whose names look most like `name`, best first; empty where nothing is near."""
        near = difflib.get_close_matches(fold(name), list(self._meaning), n=4 * count, cutoff=0.6)
        return tuple(dict.fromkeys(self._meaning[found] for found in near))[:count]

    def spoken(self) -> Mapping[str, str]:
        """Folded name -> tag, of the names that mean their tag in running text."""
        return self._spoken

    @cached_property
    def digest(self) -> str:
        """Hex digest that changes when any tag, name, relation or sign changes."""
        rows = [astuple(label) for label in self.labels]
        return hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()

    @cached_property
    def _position(self) -> dict[str, int]:
        return {label.name: i for i, label in enumerate(self.labels)}

    @cached_property
    def _excluded(self) -> dict[str, frozenset[str]]:
        excluded: dict[str, set[str]] = {tag: set() for tag in self.tags}
        for label in self.labels:
            for other in label.excludes:
                for mine in (label.name, *self.children(label.name)):
                    for theirs in (other, *self.children(other)):
                        excluded[mine].add(theirs)
                        excluded[theirs].add(mine)
        return {tag: frozenset(others) for tag, others in excluded.items()}

    @cached_property
    def _meaning(self) -> dict[str, str]:
        return {fold(name): label.name for label in self.labels for name in label.names()}

    @cached_property
    def _spoken(self) -> dict[str, str]:
        return {fold(name): label.name for label in self.labels for name in label.spoken()}


class _Entry(BaseModel):
    """One tag as written in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str
    en: str
    synonyms: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    parent: str | None = None
    imagenet: dict[int | str, str] = {}
    excludes: tuple[str, ...] = ()
    camera: dict[Literal["forward", "static", "moving"], float] = {}

    @field_validator("imagenet")
    @classmethod
    def _known_classes(cls, value: dict[int | str, str]) -> dict[int | str, str]:
        if any(not 0 <= index < IMAGENET_CLASSES for key in value for index in _indices(key)):
            raise ValueError(f"class indices lie in 0..{IMAGENET_CLASSES - 1}")
        return value

    def label(self, name: str, facet: str) -> Label:
        classes = tuple(sorted({index for key in self.imagenet for index in _indices(key)}))
        return Label(
            name=name,
            facet=facet,
            zh=self.zh,
            en=self.en,
            synonyms=self.synonyms,
            asked=self.asked,
            parent=self.parent,
            imagenet=classes,
            excludes=self.excludes,
            camera=tuple(self.camera.items()),
        )


def _indices(key: int | str) -> range:
    """`817` is one class, `"0-397"` a closed range."""
    first, _, last = str(key).partition("-")
    return range(int(first), int(last or first) + 1)


@dataclass(frozen=True, slots=True)
class _Written:
    """One tag of the file before validation."""

    facet: str
    line: int
    raw: Any


def load_taxonomy(path: Path | None = None) -> Taxonomy:
    """Read a taxonomy file (the house's own by default) or raise TaxonomyError naming file, line and tag."""
    source = path or TAXONOMY_FILE
    try:
        root = yaml.compose(source.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TaxonomyError(f"{source}: not YAML: {error}") from error
    written = _written_tags(source, root)
    labels = tuple(_read_entry(source, name, entry) for name, entry in written.items())
    lines = {name: entry.line for name, entry in written.items()}
    _refuse_unclear_names(source, lines, labels)
    _refuse_lost_parents(source, lines, labels)
    _refuse_lost_exclusions(source, lines, Taxonomy(labels))
    return Taxonomy(labels)


def _written_tags(source: Path, root: yaml.Node | None) -> dict[str, _Written]:
    """Return tag -> its entry. YAML keeps the last of two equal keys silently, so equal keys are refused here."""
    if not isinstance(root, yaml.MappingNode):
        raise TaxonomyError(f"{source}: a taxonomy maps facets to tags")
    tags: dict[str, _Written] = {}
    for facet, entries in root.value:
        line = facet.start_mark.line + 1
        if facet.value in {entry.facet for entry in tags.values()}:
            raise TaxonomyError(f"{source}:{line}: facet {facet.value!r} stands twice")
        if not isinstance(entries, yaml.MappingNode):
            raise TaxonomyError(f"{source}:{line}: facet {facet.value!r} holds no tags")
        for key, value in entries.value:
            line = key.start_mark.line + 1
            if key.value in tags:
                raise TaxonomyError(f"{source}:{line}: tag {key.value!r} stands already in line {tags[key.value].line}")
            tags[key.value] = _Written(facet.value, line, yaml.BaseLoader("").construct_object(value, deep=True))
    return tags


def _read_entry(source: Path, name: str, entry: _Written) -> Label:
    where = f"{source}:{entry.line}: tag {name!r}"
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise TaxonomyError(f"{where} must be lower case words joined by hyphens")
    try:
        return _Entry.model_validate(entry.raw).label(name, entry.facet)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "entry"
        raise TaxonomyError(f"{where}: {field}: {first['msg']}") from error


def _refuse_unclear_names(source: Path, lines: Mapping[str, int], labels: tuple[Label, ...]) -> None:
    owner: dict[str, str] = {}
    for label in labels:
        for name in label.names():
            key = fold(name)
            if not key:
                raise TaxonomyError(f"{source}:{lines[label.name]}: tag {label.name!r} has an empty name {name!r}")
            other = owner.setdefault(key, label.name)
            if other != label.name:
                raise TaxonomyError(
                    f"{source}:{lines[label.name]}: tag {label.name!r}: name {name!r} belongs to "
                    f"{other!r} already (line {lines[other]})"
                )


def _refuse_lost_parents(source: Path, lines: Mapping[str, int], labels: tuple[Label, ...]) -> None:
    parents = {label.name: label.parent for label in labels}
    for label in labels:
        where = f"{source}:{lines[label.name]}: tag {label.name!r}"
        if label.parent is not None and label.parent not in parents:
            raise TaxonomyError(f"{where}: unknown parent {label.parent!r}")
    for label in labels:
        chain, step = [label.name], label.parent
        while step is not None and step not in chain:
            chain.append(step)
            step = parents[step]
        if step is not None:
            cycle = " -> ".join([*chain, step])
            raise TaxonomyError(f"{source}:{lines[label.name]}: tag {label.name!r}: its parents form a cycle: {cycle}")


def _refuse_lost_exclusions(source: Path, lines: Mapping[str, int], taxonomy: Taxonomy) -> None:
    for label in taxonomy:
        where = f"{source}:{lines[label.name]}: tag {label.name!r}"
        for other in label.excludes:
            if other not in taxonomy:
                raise TaxonomyError(f"{where}: it excludes the unknown tag {other!r}")
    for label in taxonomy:
        family = {label.name, *taxonomy.ancestors(label.name)}
        if wrong := sorted(family & taxonomy.excluded(label.name)):
            where = f"{source}:{lines[label.name]}: tag {label.name!r}"
            raise TaxonomyError(f"{where}: it excludes {wrong[0]!r}, which it is or implies itself")


@dataclass(frozen=True)
class LabelGraph:
    """Conditional probabilities between labels: `conditional[i, j]` = P(j | i), (C, C) float64, zero diagonal."""

    conditional: NDArray[np.float64]

    @classmethod
    def from_labels(
        cls, positive: NDArray[Any], annotated: NDArray[Any] | None = None, *, pseudo_count: float = 0.0
    ) -> LabelGraph:
        """Count P(j | i) over rows (N, C) of 0/1 `positive`; a pair counts only where both cells are `annotated`.

        `pseudo_count` rows with the overall share of j are added to each pair, so that a pair seen twice says little.
        """
        known = np.ones(positive.shape) if annotated is None else (np.asarray(annotated) > 0).astype(np.float64)
        yes = (np.asarray(positive) > 0) * known
        together, seen = yes.T @ yes, yes.T @ known
        share = yes.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        together, seen = together + pseudo_count * share, seen + pseudo_count
        conditional = np.divide(together, seen, out=np.zeros_like(together), where=seen > 0)
        np.fill_diagonal(conditional, 0.0)
        return cls(conditional)

    @classmethod
    def from_taxonomy(cls, taxonomy: Taxonomy) -> LabelGraph:
        """The graph before any statistics: a child implies its parents, a parent each of its n children with 1/n."""
        conditional = np.zeros((len(taxonomy), len(taxonomy)))
        for label in taxonomy:
            children = [child.name for child in taxonomy if child.parent == label.name]
            for child in children:
                conditional[taxonomy.index(label.name), taxonomy.index(child)] = 1 / len(children)
            for above in taxonomy.ancestors(label.name):
                conditional[taxonomy.index(label.name), taxonomy.index(above)] = 1.0
        return cls(conditional)

    def adjacency(self, tau: float = 0.4, weight: float = 0.25) -> NDArray[np.float32]:
        """Return the normalised adjacency of ML-GCN (Chen et al., CVPR 2019), (C, C) float32.

        P is binarised at `tau`; A = weight * B / column sums + I; A_hat = (A D)^T D with D = diag(row sums ^ -1/2),
        as in the published code (its weight is 0.25 where the paper says 0.2).
        """
        binary = (self.conditional >= tau).astype(np.float64)
        np.fill_diagonal(binary, 0.0)
        mixed = weight * binary / (binary.sum(axis=0, keepdims=True) + 1e-6) + np.eye(len(binary))
        scale = mixed.sum(axis=1) ** -0.5
        normalised: NDArray[np.float32] = ((mixed * scale).T * scale).astype(np.float32)
        return normalised
