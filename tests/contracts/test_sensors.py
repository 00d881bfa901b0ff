"""Every sensor, by being registered, is held to the contract."""

import numpy as np
import pytest

from plumenav import registry
from plumenav.sensors._contract import SensorParams, is_paired


@pytest.mark.parametrize("name", registry.names("sensor"))
def test_sensor_is_what_the_contract_says(name):
    sensor = registry.get("sensor", name)
    assert sensor.__doc__
    assert issubclass(sensor.Params, SensorParams)
    for field in sensor.Params.model_fields.values():
        assert "mm" in field.description
    points = sensor.points(sensor.Params())
    assert points.shape == (len(points), 2)
    assert len(points) > 0
    assert np.isfinite(points).all()
    # no sensor prefers a side: its mirror image is itself
    mirror = points * [1.0, -1.0]
    assert np.allclose(sorted(mirror.tolist()), sorted(points.tolist()), atol=1e-12)
    if is_paired(sensor):
        left, right = np.split(points, 2)
        assert left[:, 1].mean() > 0.0
        assert np.allclose(left * [1.0, -1.0], right, atol=1e-12)
