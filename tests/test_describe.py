"""A net told in numbers: the paper's counts and cost, and shapes that fit what really runs."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from factory.cli import app
from understanding.describe import describe, told
from understanding.sizes import SIZES


@pytest.mark.parametrize(
    ("name", "count", "giga"), [("paper-k128", 88_889_378, 2.92), ("paper-k112", 78_643_170, 2.72)]
)
def test_the_papers_nets_have_their_counts_and_cost(name: str, count: int, giga: float) -> None:
    about = describe(name)
    assert about["parameters"] == about["trainable"] == count
    assert about["flops_per_video"] / 1e9 == pytest.approx(giga, abs=0.005)
    assert about["shapes"]["inputs"]["picture"] == ["B", 300, 1024]
    assert about["shapes"]["output"] == ["B", 3862]


def test_the_cost_of_the_first_net_is_the_sum_of_its_products() -> None:
    def stream(n: int, groups: int, clusters: int) -> int:  # expand, attention, assign, sum over the rows
        wide = 2 * n
        return 300 * (n * wide + wide * groups + wide * groups * clusters + wide * clusters)

    gate = 2 * 2048 * 256
    products = stream(1024, 8, 128) + stream(128, 4, 64) + 36_864 * 2048 + gate + 2048 * 3862
    assert describe("paper-k128")["flops_per_video"] == 2 * products


def test_many_videos_at_once_cost_less_each() -> None:
    assert describe("paper-k112", videos=80)["flops_per_video"] < 0.8 * describe("paper-k112")["flops_per_video"]


def test_the_mix_is_three_nets_and_a_mixer() -> None:
    about, one = describe("paper-mix3"), describe("paper-k112")
    assert about["trainable"] == 3 * one["trainable"] + 5_763 == 235_935_273
    assert about["flops_per_video"] == 3 * one["flops_per_video"] + 2 * (300 * 1152 + 1152 * 3 + 3 * 3862)
    assert about["shapes"]["stages"]["mixer"] == ["B", 3]


@pytest.mark.parametrize("name", SIZES)
def test_every_net_can_be_described(name: str) -> None:
    about = describe(name)
    assert about["parameters"] >= about["trainable"] > 0
    assert about["shapes"]["output"] == ["B", about["classes"]]
    assert about["rows"] == (1 if name.startswith("video") else 300)
    assert f"{about['parameters']:,} parameters" in told(about)
    assert all(stage in told(about) for stage in about["shapes"]["stages"])


def test_a_frozen_bert_counts_but_is_not_trained() -> None:
    about = describe("desk-small")
    assert about["trainable"] < 8_000_000 < 22_000_000 < about["parameters"]
    assert about["shapes"]["inputs"]["tokens"] == ["B", 128]


def test_the_data_may_say_how_many_classes() -> None:
    assert describe("video-small", classes=7)["shapes"]["output"] == ["B", 7]


def test_the_command_answers_in_json_and_in_lines() -> None:
    run = CliRunner().invoke(app, ["model", "describe", "paper-k112", "--json"])
    assert json.loads(run.stdout) == describe("paper-k112")
    assert "78,643,170" in CliRunner().invoke(app, ["model", "describe", "paper-k112"]).stdout


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no size 'paper-k1'"):
        describe("paper-k1")
    run = CliRunner().invoke(app, ["model", "describe", "paper-k1"])
    assert run.exception is not None
    assert "there is no net 'paper-k1'" in str(run.exception)
