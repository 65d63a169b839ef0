"""The taxonomy answers in two languages, refuses mistakes by line, and its graph follows ML-GCN."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understanding.labels import LabelGraph, Taxonomy, TaxonomyError, fold, load_taxonomy

COARSE = (
    "exterior interior detail driving-view traffic off-road race accident parking charging servicing aerial night "
    "non-automotive"
)


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


def write(folder: Path, text: str) -> Path:
    path = folder / "taxonomy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_coarse_scenes_are_those_of_the_desk(taxonomy: Taxonomy) -> None:
    assert taxonomy.facet("scene") == tuple(COARSE.split())


@pytest.mark.parametrize(
    ("word", "tag"),
    [
        ("越野", "off-road"),
        ("四驱", "off-road"),
        ("4x4", "off-road"),
        ("Off Road", "off-road"),
        ("off_road", "off-road"),
        ("泥地", "mud"),
        ("涉水", "water-crossing"),
        ("夜景", "night"),
        ("车祸", "accident"),
        ("追尾", "crash"),
        ("内饰", "interior"),
        ("方向盘", "steering-wheel"),
        ("Steering Wheels", "steering-wheel"),
        ("driving-pov", "driving-view"),
        ("4S 店", "garage"),
        ("ＳＵＶ", "suv"),
        ("coupé", "coupe"),
        ("bird’s-eye view", "aerial-view"),
        ("sport", "sport"),
        ("车", "car"),
    ],
)
def test_editors_words_resolve(taxonomy: Taxonomy, word: str, tag: str) -> None:
    assert taxonomy.resolve(word) == tag


def test_every_name_resolves_to_its_own_tag(taxonomy: Taxonomy) -> None:
    for label in taxonomy:
        assert {taxonomy.resolve(name) for name in taxonomy.names(label.name)} == {label.name}


def test_unknown_words_resolve_to_nothing_and_have_neighbours(taxonomy: Taxonomy) -> None:
    assert taxonomy.resolve("submarine") is None
    assert taxonomy.resolve("") is None
    assert taxonomy.nearest("of-rod")[0] == "off-road"
    assert taxonomy.nearest("方向盆")[0] == "steering-wheel"
    assert taxonomy.nearest("qqqqqq") == ()


def test_children_and_ancestors(taxonomy: Taxonomy) -> None:
    assert {"mud", "dune", "water-crossing"} <= set(taxonomy.children("off-road"))
    assert taxonomy.ancestors("suv") == ("car",)
    assert taxonomy.children("suv") == ()
    assert "indoor" not in taxonomy.children("non-automotive")  # cars stand indoors, too


def test_exclusion_holds_both_ways_and_for_what_is_below(taxonomy: Taxonomy) -> None:
    assert {"daylight", "sunny"} <= taxonomy.excluded("night")
    assert "night" in taxonomy.excluded("daylight")
    assert "steering-wheel" in taxonomy.excluded("aerial-view")  # it implies an interior, which excludes it
    assert "dashcam" in taxonomy.excluded("aerial")
    assert taxonomy.excluded("car") == frozenset()


def test_words_that_are_only_asked_are_not_spoken(taxonomy: Taxonomy) -> None:
    assert {"sport", "water", "seat", "rock", "车"}.isdisjoint(taxonomy.spoken())
    assert taxonomy.spoken()["真皮座椅"] == "seat"


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing_that_resolves(text: str) -> None:
    once = fold(text)
    assert "  " not in once
    assert once == once.strip()


def test_the_digest_follows_the_content(taxonomy: Taxonomy, tmp_path: Path) -> None:
    one = load_taxonomy(write(tmp_path, "scene:\n  night: {zh: 夜, en: night}\n"))
    two = load_taxonomy(write(tmp_path, "scene:\n  night: {zh: 夜, en: night, synonyms: [黑夜]}\n"))
    assert len({taxonomy.digest, one.digest, two.digest}) == 3
    assert load_taxonomy().digest == taxonomy.digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scene:\n  a: {zh: 甲, en: a, parent: nowhere}\n", r":2: tag 'a': unknown parent 'nowhere'"),
        (
            "scene:\n  a: {zh: 甲, en: x}\n  b: {zh: 乙, en: X}\n",
            r":3: tag 'b': name 'X' belongs to 'a' already \(line 2\)",
        ),
        (
            "scene:\n  a: {zh: 甲, en: a, parent: b}\n  b: {zh: 乙, en: b, parent: a}\n",
            r":2: tag 'a': its parents form a cycle: a -> b -> a",
        ),
        ("scene:\n  a: {zh: 甲, en: a, parent: a}\n", r"cycle: a -> a"),
        ("scene:\n  a: {zh: 甲, en: a}\n  a: {zh: 乙, en: b}\n", r":3: tag 'a' stands already in line 2"),
        ("s:\n  a: {zh: 甲, en: a}\ns:\n  b: {zh: 乙, en: b}\n", r":3: facet 's' stands twice"),
        ("scene:\n  a: {zh: 甲}\n", r":2: tag 'a': en: Field required"),
        ("scene:\n  a: {zh: 甲, en: a, synonim: []}\n", r":2: tag 'a': synonim: Extra inputs"),
        ("scene:\n  a: {zh: 甲, en: a, imagenet: {1000: x}}\n", r":2: tag 'a': imagenet: .*0\.\.999"),
        ("scene:\n  a: {zh: 甲, en: a, imagenet: {x-y: x}}\n", r":2: tag 'a': imagenet"),
        ("scene:\n  A b: {zh: 甲, en: a}\n", r":2: tag 'A b' must be lower case"),
        ("scene:\n  a: {zh: 甲, en: a, synonyms: ['--']}\n", r":2: tag 'a' has an empty name"),
        ("scene:\n  a: {zh: 甲, en: a, excludes: [b]}\n", r":2: tag 'a': it excludes the unknown tag 'b'"),
        (
            "scene:\n  a: {zh: 甲, en: a}\n  b: {zh: 乙, en: b, parent: a, excludes: [a]}\n",
            r":3: tag 'b': it excludes 'a', which it is or implies itself",
        ),
        ("scene:\n  a: {zh: 甲, en: a, camera: {sideways: 1}}\n", r":2: tag 'a': camera"),
        ("scene:\n", r":1: facet 'scene' holds no tags"),
        ("- a\n", r"maps facets to tags"),
        ("", r"maps facets to tags"),
        ("scene: {\n", r"not YAML"),
    ],
)
def test_mistakes_are_named_by_line_and_tag(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TaxonomyError, match=message):
        load_taxonomy(write(tmp_path, text))


def test_conditional_probabilities_count_rows_annotated_in_both() -> None:
    positive = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 1, 0]])
    plain = LabelGraph.from_labels(positive).conditional
    assert plain[0].tolist() == [0, 2 / 3, 1 / 3]
    assert plain[1].tolist() == [2 / 3, 0, 1 / 3]
    annotated = np.array([[1, 0, 1], [1, 1, 1], [1, 1, 0], [1, 1, 1]])
    partial = LabelGraph.from_labels(positive, annotated).conditional
    assert partial[0].tolist() == [0, 1 / 2, 0]
    assert partial[2].tolist() == [0, 0, 0]  # never seen as positive: no statement


def test_adjacency_equals_the_published_code() -> None:
    rng = np.random.default_rng(5)
    conditional = rng.random((7, 7))
    np.fill_diagonal(conditional, 0)
    edges = conditional.copy()
    edges[edges < 0.4] = 0
    edges[edges >= 0.4] = 1
    edges = edges * 0.25 / (edges.sum(0, keepdims=True) + 1e-6) + np.identity(7)
    scale = np.diag(edges.sum(1) ** -0.5)
    expected = (edges @ scale).T @ scale
    np.testing.assert_allclose(LabelGraph(conditional).adjacency(), expected, atol=1e-6)


def test_prior_graph_sends_children_to_parents(taxonomy: Taxonomy) -> None:
    graph = LabelGraph.from_taxonomy(taxonomy)
    mud, off_road = taxonomy.index("mud"), taxonomy.index("off-road")
    assert graph.conditional[mud, off_road] == 1
    assert 0 < graph.conditional[off_road, mud] < 1
    assert np.diag(graph.conditional).max() == 0
    assert graph.adjacency().shape == (len(taxonomy), len(taxonomy))
