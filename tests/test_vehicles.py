"""The picture net asked at every place: exported once, sure of a drawn car and of nothing beside it."""

from __future__ import annotations

import numpy as np
import pytest

from factory.samples.stage import Stage
from tests.drawn_cars import HEIGHT, STEMS, car_boxes
from understanding import vehicles
from understanding.vehicles import COLUMNS, SURE, VehicleNet, looked_size


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> VehicleNet:
    model = tmp_path_factory.mktemp("model") / f"{vehicles.model_key()}.onnx"
    vehicles.export(model)
    return VehicleNet(lambda: model)


@pytest.mark.parametrize(
    ("size", "looked"),
    [((1920, 1080), (576, 320)), ((1080, 1920), (320, 576)), ((720, 480), (480, 320)), ((9, 90), (320, 960))],
)
def test_a_picture_is_looked_at_in_whole_cells(size: tuple[int, int], looked: tuple[int, int]) -> None:
    assert looked_size(*size) == looked


def test_a_car_is_seen_where_it_is(net: VehicleNet) -> None:
    stem = "exterior-northwind-x5-suv-mountain-dusk-front"
    canvas = Stage(HEIGHT).canvas()
    STEMS[stem].setting(canvas.stage)(canvas, 3.0)
    (box,) = car_boxes(stem, [3.0])
    assert box is not None
    odds = net.evidence(np.ascontiguousarray(canvas.pixels[..., :3]))
    assert odds.shape == (72, COLUMNS)
    assert np.abs(odds).max() <= SURE
    inside = odds[round(box.top * 72) : round(box.bottom * 72), round(box.left * COLUMNS) : round(box.right * COLUMNS)]
    assert inside.max() > 3
    beside = np.concatenate(
        [odds[:, : round((box.left - 0.12) * COLUMNS)], odds[:, round((box.right + 0.12) * COLUMNS) :]], 1
    )
    assert beside.max() < 0


def test_a_plain_picture_shows_no_vehicle(net: VehicleNet) -> None:
    assert net.evidence(np.full((90, 160, 3), 90, np.uint8)).max() < 0
