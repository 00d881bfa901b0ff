"""Detection models: hits that are known are counted, and a formula that is known is found again."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import k0

from factories import write_analytic, write_movie
from factories_detection import DETECTION, SENSOR, TRUE, blinking_movie, random_map, settings
from plumenav import registry
from plumenav.batch.detection import believed, detection_arrays
from plumenav.batch.prepare import read_prepared, write_prepared
from plumenav.detection.fit import deviance, fit, goodness
from plumenav.detection.formula import Parameters, log_gradient, rate_hz, shape
from plumenav.detection.hit_map import SEGMENTS, hit_map, in_odour
from plumenav.errors import UserError
from plumenav.tables import PlumeReader

LEVELS = {"threshold": 0.5, "dead_zone": None}
WHERE = "agents.x.detection"


def found(hits, wind_toward_rad=0.0, radius_mm=5.0):
    return fit(hits, wind_toward_rad, radius_mm, WHERE, "a movie")


def of_movie(path, frames, refractory_s=0.0, cell_mm=10.0, sensor=SENSOR, levels=LEVELS):
    with PlumeReader(path) as reader:
        return hit_map(reader, sensor, levels, frames, refractory_s, cell_mm, WHERE)


# ------------------------------------------------------------------------------- the formula


def test_the_formula_is_the_papers_and_that_of_the_fields():
    p = Parameters(2.0, 20.0, 0.03, 4.0)
    assert rate_hz(np.array(30.0), np.array(-40.0), p) == pytest.approx(
        2.0 * np.exp(0.9) * k0(2.5), rel=1e-12
    )
    assert rate_hz(np.array(0.0), np.array(1.0), p) == pytest.approx(2.0 * k0(0.2), rel=1e-12)
    for name in ("windy_detections", "isotropic_detections"):
        field = registry.get("field", name)
        known = Parameters(*field.detection(field.Constants()))
        for x, y in ((50.0, 0.0), (-20.0, 30.0), (0.2, 0.1)):
            expected = field.mean(x, y, field.Constants())
            assert rate_hz(np.array(x), np.array(y), known) == pytest.approx(expected, rel=1e-10)


def test_gradients_are_those_of_finite_differences():
    x, r = np.array([10.0, -30.0, 120.0]), np.array([11.0, 50.0, 125.0])
    by_log_length, by_drift = log_gradient(x, r, TRUE)
    h = 1e-6

    def log_shape(length, drift):
        return np.log(shape(x, r, Parameters(1.0, length, drift, 5.0)))

    length, drift = TRUE.length_mm, TRUE.drift_per_mm
    numeric = (log_shape(length * np.exp(h), drift) - log_shape(length * np.exp(-h), drift)) / (
        2 * h
    )
    np.testing.assert_allclose(by_log_length, numeric, rtol=1e-6)
    numeric = (log_shape(length, drift + h) - log_shape(length, drift - h)) / (2 * h)
    np.testing.assert_allclose(by_drift, numeric, rtol=1e-6)


# ----------------------------------------------------------------------------------- the map


def pulses(n=60, height=20, width=30):
    """A movie in which known pixels come into odour at known frames."""
    frames = np.zeros((n, height, width))
    frames[:6, 5, 8] = 1.0  # since the first frame: not known to be an onset
    frames[10:12, 5, 8] = 1.0
    frames[13, 5, 8] = 1.0  # 0.3 s later
    frames[40, 5, 8] = 1.0
    frames[30:, 12, 20] = 1.0
    return frames


def test_onsets_are_counted_where_and_when_they_are(tmp_path):
    path = write_movie(tmp_path / "p.parquet", pulses(), rate_hz=10.0, source=(9.5, 4.5))
    nearest = {**SENSOR, "interpolation": "nearest"}
    hits = of_movie(path, (0, 60), sensor=nearest)
    assert hits.exposure_s.sum() == pytest.approx(5.9)
    assert hits.exposure_s[1:] == pytest.approx(0.5)
    # a cell of 2 x 2 pixels holds 2 x 2 places, one in each pixel
    x, y = (8 - 4.5) * 5.0, (9.5 - 5) * 5.0
    row = int(np.argmin(np.abs(hits.y_mm - y)))
    column = int(np.argmin(np.abs(hits.x_mm - x)))
    assert hits.hits.sum() == 4
    assert list(np.flatnonzero(hits.hits[:, row, column])) == [2, 8]
    assert hits.hits[2, row, column] == 2
    assert hits.rate_hz[row, column] == pytest.approx(3 / 4 / 5.9)
    assert of_movie(path, (0, 60), 0.25, sensor=nearest).hits.sum() == 4
    assert of_movie(path, (0, 60), 0.3, sensor=nearest).hits.sum() == 3  # longer ago, not as long
    # a window begins without memory
    assert of_movie(path, (11, 60), sensor=nearest).hits.sum() == 3
    assert of_movie(path, (31, 60), sensor=nearest).hits.sum() == 1


def test_the_map_does_not_depend_on_blocks_or_chunks(tmp_path, monkeypatch):
    path = blinking_movie(tmp_path / "p.parquet", frames=120)
    once = of_movie(path, (13, 111), 0.15)
    monkeypatch.setattr("plumenav.detection.hit_map.CHUNK_VALUES", 1)
    again = of_movie(path, (13, 111), 0.15)
    np.testing.assert_array_equal(once.hits, again.hits)
    monkeypatch.setattr("plumenav.tables.plume.ROW_GROUP_BYTES", 40_000)
    path = blinking_movie(tmp_path / "q.parquet", frames=120)
    with PlumeReader(path) as reader:
        assert len(reader.block_sizes) > 5
    np.testing.assert_array_equal(once.hits, of_movie(path, (13, 111), 0.15).hits)


def test_a_place_reads_what_the_engine_reads(tmp_path):
    """The same pixels, weights and edges as a simulated agent's sensor."""
    from factories import engine_settings, run

    path = write_movie(tmp_path / "p.parquet")
    with PlumeReader(path) as reader:
        from plumenav.detection.hit_map import _Places

        x, y = np.array([31.3, 0.1, 197.2, 400.0]), np.array([22.2, -41.0, 69.8, 0.0])
        mine = _Places(reader, SENSOR, x, y).read(reader.block(0).frames[7:8])[0]
    plan = {
        "simulation": np.arange(4),
        "replicate": np.arange(4),
        "key": np.arange(4).astype(np.uint64),
        "x_mm": x,
        "y_mm": y,
        "heading_rad": np.zeros(4),
        "start_frame": np.full(4, 7, np.int32),
    }
    engine = engine_settings("correlated_random_walk", duration_s=0.02, success_radius_mm=0.01)
    engine["sensor"]["interpolation"] = "bilinear"
    columns, _ = run(path, plan, engine)
    first = columns["step"] == 0
    np.testing.assert_allclose(columns["odor"][first], mine, rtol=0, atol=1e-12)


def test_the_dead_zone_comes_before_the_threshold():
    reading = np.array([-0.1, 0.0, 0.2, 0.4])
    assert list(in_odour(reading, 0.1, None)) == [False, False, True, True]
    assert list(in_odour(reading, 0.1, 0.3)) == [False, False, False, True]
    assert list(in_odour(reading, 0.0, 0.3)) == [True, True, True, True]


def test_maps_that_cannot_be_made_are_refused(tmp_path):
    path = blinking_movie(tmp_path / "p.parquet", frames=48)
    with pytest.raises(UserError, match=r"detection\.cell_mm: found 200"):
        of_movie(path, (0, 48), cell_mm=200.0)
    with pytest.raises(UserError, match=r"detection\.cell_mm: found 0\.05"):
        of_movie(path, (0, 48), cell_mm=0.05)
    with pytest.raises(UserError, match=r"detection\.fit\.part: is 20 frames"):
        of_movie(path, (0, 20))


# ----------------------------------------------------------------------------------- the fit


@pytest.mark.parametrize(
    "p",
    [
        TRUE,
        Parameters(0.8, 40.0, 0.0, 5.0),
        Parameters(2.0, 12.0, 1.0 / 12.0, 5.0),
    ],
    ids=["windy", "isotropic", "eternal"],
)
def test_known_parameters_are_found_again_within_their_errors(p):
    pulls = []
    for seed in range(12):
        result = found(random_map(p, seed))
        got = result.parameters
        assert got.drift_per_mm <= 1.0 / got.length_mm * (1 + 1e-12)
        pulls.append((np.log(got.length_mm / p.length_mm)) / (result.length_se_mm / got.length_mm))
        assert got.scale_hz == pytest.approx(p.scale_hz, rel=0.15)
        assert got.length_mm == pytest.approx(p.length_mm, rel=0.15)
        assert got.drift_per_mm == pytest.approx(p.drift_per_mm, rel=0.15, abs=0.002)
    # standard errors from twelve stretches: their ratio to the true ones is right within a half
    assert 0.4 < np.sqrt(np.mean(np.square(pulls))) < 2.0


def test_the_fit_maximizes_the_likelihood():
    hits = random_map(TRUE, 3)
    best = found(hits).parameters
    counts = hits.hits.sum(axis=0)

    def loss(p):
        expected = rate_hz(hits.place_x_mm, hits.place_y_mm, p).sum(axis=-1) * hits.exposure_s.sum()
        return deviance(counts, expected)

    at = loss(best)
    assert goodness(hits, best, 0.0).predicted == pytest.approx(counts.sum(), rel=1e-9)
    for i in range(3):
        for factor in (0.99, 1.01):
            other = list(best)
            other[i] *= factor
            assert loss(Parameters(*other)) > at


def test_the_wind_turns_the_model():
    turned = found(random_map(TRUE, 4, wind_toward_rad=0.7), wind_toward_rad=0.7)
    assert turned.parameters.drift_per_mm == pytest.approx(TRUE.drift_per_mm, rel=0.1)
    straight = found(random_map(TRUE, 4, wind_toward_rad=0.7), wind_toward_rad=0.0)
    assert straight.parameters.drift_per_mm < 0.9 * turned.parameters.drift_per_mm


def test_goodness_of_the_truth_and_of_nonsense():
    hits = random_map(TRUE, 5)
    assert goodness(hits, TRUE, 0.0).deviance_explained > 0.9
    assert goodness(hits, TRUE, 0.0).ratio == pytest.approx(1.0, abs=0.1)
    assert goodness(hits, TRUE, np.pi).deviance_explained < 0
    double = TRUE._replace(scale_hz=2 * TRUE.scale_hz)
    assert goodness(hits, double, 0.0).ratio == pytest.approx(2.0, abs=0.2)
    assert deviance(np.array([3.0, 0.0]), np.array([3.0, 0.0])) == 0.0
    assert deviance(np.array([1.0]), np.array([2.0])) == pytest.approx(2 * (1 - np.log(2)))


def test_what_cannot_be_fitted_is_refused_with_what_to_do():
    hits = random_map(TRUE, 6)
    nowhere = hits._replace(hits=np.zeros_like(hits.hits))
    with pytest.raises(UserError, match=r"hit nowhere of a movie.*Lower sensor\.threshold"):
        found(nowhere)
    one_cell = np.zeros_like(hits.hits)
    one_cell[:, 8, 6] = 40
    with pytest.raises(UserError, match=r"in 1 of 510 cells of a movie \(480 hits\)"):
        found(hits._replace(hits=one_cell))
    even = np.full_like(hits.hits, 3)
    with pytest.raises(UserError, match=r"upper limit.*Raise sensor\.threshold"):
        found(hits._replace(hits=even))
    thin = np.zeros_like(hits.hits)
    thin[:, 8, 5:] = 30
    with pytest.raises(UserError, match=r"lower limit.*detection\.cell_mm"):
        found(hits._replace(hits=thin))
    edges = np.zeros_like(hits.hits)
    edges[:, [0, 1, -2, -1]] = 5
    with pytest.raises(UserError, match=r"upper limit.*edges"):
        found(hits._replace(hits=edges))


# --------------------------------------------------------------------- what an agent is given


def prepared(path, other=None, **changes):
    with PlumeReader(path) as reader:
        fitted = PlumeReader(other) if other else None
        try:
            return detection_arrays(reader, fitted, "x", {**settings(), **changes})
        finally:
            if fitted:
                fitted.close()


def test_a_fit_is_tested_where_the_agent_lives(tmp_path):
    path = blinking_movie(tmp_path / "p.parquet")
    arrays = prepared(path)
    write_prepared(
        str(tmp_path / "x.npz"), {**LEVELS, "blank_mean": None, "blank_sd": None}, arrays
    )
    stored = read_prepared(str(tmp_path / "x.npz")).arrays
    assert {name: float(stored[name]) for name in stored if name.startswith("detection_")} == {
        "detection_rate_hz_scale": float(arrays["fit_scale_hz"]),
        "detection_length_mm": float(arrays["fit_length_mm"]),
        "detection_drift_per_mm": float(arrays["fit_drift_per_mm"]),
        "detection_radius_mm": 5.0,
    }
    assert all(array.dtype == np.float64 for array in stored.values())
    assert (stored["fit_first_frame"], stored["fit_stop_frame"]) == (0, 120)
    assert (stored["test_first_frame"], stored["test_stop_frame"]) == (120, 240)
    # a pixel that stays lit has no second onset: near the source the rate is a little too low
    assert float(stored["fit_length_mm"]) == pytest.approx(TRUE.length_mm, rel=0.25)
    assert float(stored["test_deviance_explained"]) > 0.5
    assert stored["fit_rate_hz"].shape == stored["fit_model_hz"].shape
    assert stored["fit_rate_hz"].mean() == pytest.approx(stored["fit_model_hz"].mean(), rel=1e-9)


def test_held_out_hits_are_described_less_well_but_described(tmp_path):
    path = blinking_movie(tmp_path / "p.parquet")
    first = prepared(path)
    second = prepared(
        path,
        movie_part="first_half",
        detection={**DETECTION, "fit": {"recording": None, "part": "second_half"}},
    )
    for fitted, other in ((first, second), (second, first)):
        # the same frames, described by the model that was fitted to them and by the other one
        inside, outside = fitted["fit_deviance_explained"], other["test_deviance_explained"]
        assert fitted["fit_hits"] == other["test_hits"]
        assert 0.5 < outside < inside


def test_a_fit_on_another_recording_is_tested_on_the_own_one(tmp_path):
    own = blinking_movie(tmp_path / "own.parquet", seed=1)
    other = blinking_movie(tmp_path / "other.parquet", seed=2)
    arrays = prepared(own, other, movie_part="whole")
    assert (arrays["fit_stop_frame"], arrays["test_stop_frame"]) == (120, 240)
    assert float(arrays["test_deviance_explained"]) > 0.3
    alone = prepared(own, detection={**DETECTION, "fit": {"recording": None, "part": "whole"}})
    assert "test_rate_hz" not in alone
    assert "test_deviance_explained" not in alone


def test_a_control_believes_what_is_wrong_by_its_factors(tmp_path):
    path = blinking_movie(tmp_path / "p.parquet")
    right = prepared(path)
    wrong = prepared(path, detection={**DETECTION, "misfit": {"rate": 0.5, "length": 2.0}})
    for name, factor in (
        ("detection_rate_hz_scale", 0.5),
        ("detection_length_mm", 2.0),
        ("detection_drift_per_mm", 0.5),
        ("detection_radius_mm", 1.0),
        ("fit_length_mm", 1.0),
    ):
        assert float(wrong[name]) == pytest.approx(factor * float(right[name]), rel=1e-12)
    with pytest.raises(UserError, match=r"misfit\.length.*above 0\.2"):
        believed(TRUE, {"rate": 1.0, "length": 0.1}, WHERE)


def test_of_a_field_of_detections_the_constants_are_known(tmp_path):
    path = write_analytic(
        tmp_path / "p.parquet", "windy_detections", emission_hz=3.0, wind_mm_s=50.0
    )
    arrays = prepared(path)
    field = registry.get("field", "windy_detections")
    c = field.Constants(emission_hz=3.0, wind_mm_s=50.0)
    p = Parameters(
        *(
            float(arrays[f"detection_{name}"])
            for name in ("rate_hz_scale", "length_mm", "drift_per_mm", "radius_mm")
        )
    )
    assert rate_hz(np.array(70.0), np.array(20.0), p) == pytest.approx(field.mean(70.0, 20.0, c))
    assert "fit_hits" not in arrays


def test_stretches_divide_the_window(tmp_path: Path):
    path = blinking_movie(tmp_path / "p.parquet", frames=100)
    hits = of_movie(path, (10, 90))
    assert len(hits.exposure_s) == SEGMENTS
    assert hits.exposure_s.sum() == pytest.approx(7.9)
