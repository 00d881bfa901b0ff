"""What a recording's quality file says, and what a run makes of it."""

from __future__ import annotations

import functools
import json

import numpy as np
import pytest

from factories import write_analytic, write_movie, write_signal
from factories_quality import Assessed, declared, filmed, plume
from plumenav.batch.settings import on_off_dead_zones
from plumenav.config.quality import Quality
from plumenav.quality import records, verdict
from plumenav.quality.assess import assess
from plumenav.quality.checks import Check, explained, judged, worst
from plumenav.report.targets import quality_targets
from plumenav.tables import PlumeReader

LIMITS = Quality().model_dump(mode="json")


@functools.cache
def film() -> np.ndarray:
    return filmed(plume())


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Assessed:
    return Assessed(tmp_path_factory.mktemp("clean"), film())


def settings(**changes):
    base = {"quality": LIMITS, "wind": {"speed_mm_s": 75.0, "toward_deg": 0.0}}
    return {**base, "nominal": False, "dead_zones": [], **changes}


def context(made: Assessed, **record) -> verdict.Context:
    """A movie's context with other facts in its record; measures are left out."""
    with PlumeReader(made.plume) as reader:
        metadata = json.loads(json.dumps(reader.metadata))
    metadata["quality"] |= record
    return verdict.Context(None, metadata, made.settings)


def test_the_files_are_the_same_bytes_from_run_to_run(clean, tmp_path):
    again = tmp_path / "a.json", tmp_path / "a.npz"
    assess("trial", clean.settings, clean.plume, *again)
    assert again[0].read_bytes() == clean.json.read_bytes()
    assert again[1].read_bytes() == clean.npz.read_bytes()
    assert "NaN" not in clean.json.read_text()


def test_the_arrays_of_the_figure_are_there(clean):
    with np.load(clean.npz) as file:
        arrays = {name: file[name] for name in file.files}
    with PlumeReader(clean.plume) as reader:
        shape, n = reader.shape, reader.n_frames
    assert arrays["intermittency"].shape == arrays["whiff_rate_hz"].shape == shape
    assert arrays["mean"].shape == arrays["sd"].shape == shape  # small enough not to be averaged
    assert len(arrays["frame_mean"]) == len(arrays["frame_time_s"]) == n
    assert len(arrays["whiffs"]) == len(arrays["blanks"]) == len(arrays["duration_edges_s"]) - 1
    assert len(arrays["on_bare"]) == len(arrays["on_dead_zone_0"]) == len(arrays["on_time_s"])
    middle = np.array(arrays["wind_correlation"].shape) // 2
    row, column = np.unravel_index(
        np.nanargmax(arrays["wind_correlation"]), arrays["wind_correlation"].shape
    )
    assert abs(row - middle[0]) <= 1
    assert column - middle[1] in (2, 3)  # 2.5 pixels per frame
    # where the plume is, there is odour; upwind of the source, none
    assert arrays["intermittency"][38, 30] > 0.3
    assert arrays["intermittency"][38, :5].max() < 0.01


def test_intermittency_is_the_share_of_frames_above_the_threshold(clean):
    with PlumeReader(clean.plume) as reader:
        frames = np.concatenate([block.frames for block in reader.blocks()])
        scale, offset = reader.metadata["scale"], reader.metadata["offset"]
    threshold = clean.content["measures"]["threshold"]
    odor = frames * scale + offset > threshold
    with np.load(clean.npz) as file:
        assert file["intermittency"] == pytest.approx(odor.mean(axis=0), abs=1e-6)
        onsets = (odor[1:] & ~odor[:-1]).sum(axis=0)
        seconds = (len(frames) - 1) / 30.0
        assert file["whiff_rate_hz"] == pytest.approx(onsets / seconds, abs=1e-5)


def test_a_declared_threshold_wins(tmp_path):
    made = Assessed(tmp_path, film(), quality={"whiff_threshold": 0.4})
    assert made.content["measures"]["threshold"] == 0.4


def test_kinds_without_frames_have_no_quality(tmp_path):
    plumes = {
        "analytic": write_analytic(tmp_path / "a.parquet", "gaussian", sigma_mm=20.0),
        "signal": write_signal(tmp_path / "s.parquet", np.ones(50)),
    }
    for kind, path in plumes.items():
        assess(kind, settings(), path, tmp_path / "q.json", tmp_path / "q.npz")
        content = json.loads((tmp_path / "q.json").read_text())
        assert content["status"] == "not applicable"
        assert kind in content["says"]
        assert content["checks"] == []


def test_a_movie_of_noise_measures_what_it_can(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.01, (30, 40, 50))
    path = write_movie(tmp_path / "m.parquet", noise)
    assess("m", settings(), path, tmp_path / "q.json", tmp_path / "q.npz")
    checks = {c["name"]: c for c in json.loads((tmp_path / "q.json").read_text())["checks"]}
    for name in ("scale", "wind_direction", "source", "isotropy", "orientation", "noise_on"):
        assert checks[name]["status"] == "not measured"
        assert checks[name]["says"]


def test_two_frames_are_too_few(tmp_path):
    path = write_movie(tmp_path / "m.parquet", np.zeros((2, 10, 10)))
    assess("m", settings(), path, tmp_path / "q.json", tmp_path / "q.npz")
    assert "too few" in json.loads((tmp_path / "q.json").read_text())["says"]


def test_nominal_scale_and_wind_are_not_judged_but_the_rest_is(tmp_path):
    made = Assessed(
        tmp_path,
        film(),
        nominal=True,
        mm_per_px=3.0,
        normalize={**declared()["normalize"], "background": {"method": "none"}},
    )
    for name in ("scale", "wind_direction", "orientation"):
        assert made.checks[name]["status"] == "not judged"
        assert "nominal" in made.checks[name]["says"]
    assert set(made.bad) == {"residual_background"}


def test_statistics_that_are_not_as_expected_are_told(tmp_path):
    normalize = {**declared()["normalize"], "background": {"method": "none"}}
    made = Assessed(
        tmp_path,
        film(),
        normalize=normalize,
        expected={"median": 0.0, "mean": 0.03, "frame_rate_hz": 29.97},
    )
    says = made.checks["statistics"]["says"]
    assert made.checks["statistics"]["status"] == "fail"
    assert "median 0.5" in says
    assert "expected 0" in says
    assert "background was not subtracted" in says
    assert made.checks["file"]["says"] == "frame_rate_hz 30, expected 29.97"


# ------------------------------------------------------------------ noise that steers a fly


def zones(*values):
    return [None if v is None else {"value": v, "unit": "noise_sd"} for v in values]


@pytest.mark.parametrize(
    ("dead_zones", "status"),
    [
        (zones(3.0), "pass"),
        (zones(None), "fail"),  # bare: noise steers
        (zones(3.0, None), "fail"),
        (zones(0.5, 3.0), "fail"),  # the smallest counts
        ([], "warn"),  # nobody to be steered
    ],
)
def test_noise_alone_must_not_steer_the_fly(clean, tmp_path, dead_zones, status):
    told = {**clean.settings, "dead_zones": dead_zones}
    assess("trial", told, clean.plume, tmp_path / "q.json", tmp_path / "q.npz")
    content = json.loads((tmp_path / "q.json").read_text())
    check = {c["name"]: c for c in content["checks"]}["noise_on"]
    assert check["status"] == status
    assert content["measures"]["on_in_blank_air"]["none"] > 0.02
    if status != "pass":
        assert "sensor.dead_zone" in check["says"]


def test_the_dead_zones_of_a_run_are_those_of_its_flies():
    def agent(model, zone, control="none"):
        return {"model": model, "control": control, "sensor": {"dead_zone": zone}}

    three, one = zones(3.0, 1.0)
    agents = {
        "a": agent("on_off", three),
        "b": agent("on_off", three),
        "c": agent("on_off", one, "blind"),
        "d": agent("surge_cast", one),
        "e": agent("on_off", None),
    }
    assert on_off_dead_zones(agents) == [three, None]


# ------------------------------------------------------------------- what normalization found


@pytest.mark.parametrize(
    ("check", "record", "status", "word"),
    [
        (records.conservation, {"conservation": {"ratio": 1.003}}, "pass", "100.3 %"),
        (records.conservation, {"conservation": {"ratio": 0.95}}, "warn", "95 %"),
        (records.conservation, {"conservation": {"ratio": 0.8}}, "fail", "80 %"),
        (records.conservation, {"conservation": None}, "not measured", "no record"),
        (records.fidelity, {"fidelity": {"r": 0.999}}, "pass", "0.9990"),
        (records.fidelity, {"fidelity": {"r": 0.96}}, "warn", "normalize"),
        (records.fidelity, {"fidelity": {"r": 0.90}}, "fail", "normalize"),
        (records.lost_frames, {"frames_lost": 0}, "pass", "nothing"),
        (records.lost_frames, {"frames_lost": 7, "loss": "cut"}, "warn", "7 frames"),
        (records.lost_frames, {"frames_lost": None, "loss": "cut"}, "warn", "unknown number"),
        (records.frames_read, {"frames_header": 320, "frames_read": 320}, "pass", "320"),
        (records.frames_read, {"frames_header": 321, "frames_read": 320}, "warn", "promises 321"),
        (records.irregular_stamps, {"gaps": 0, "duplicate_stamps": 0}, "pass", "regular"),
        (records.irregular_stamps, {"gaps": 3, "duplicate_stamps": 2}, "warn", "3 gaps and 2"),
        (records.irregular_stamps, {"gaps": 100, "duplicate_stamps": 2}, "fail", "100 gaps"),
        (records.saturation, {"saturated_fraction": 0.0}, "pass", "not saturate"),
        (records.saturation, {"saturated_fraction": 0.01}, "warn", "1 %"),
        (records.saturation, {"saturated_fraction": None}, "not measured", "largest"),
    ],
)
def test_records_of_normalization_are_judged(clean, check, record, status, word):
    found = check(context(clean, **record))
    assert found.status == status
    assert word in found.says


@pytest.mark.parametrize(
    ("share", "status"), [(0.0, "pass"), (0.1, "warn"), (0.9, "fail"), (None, None)]
)
def test_a_wrong_colour_map_is_seen(clean, share, status):
    found = records.colour_map(context(clean, not_of_the_colour_map_fraction=share))
    assert [check.status for check in found] == ([status] if status else [])
    if status == "fail":
        assert "90 % of pixel-frames" in found[0].says


def test_a_movie_of_one_number_is_told(clean, tmp_path):
    made = Assessed(tmp_path, np.zeros((30, 40, 56), np.uint8), normalize={})
    assert made.content["status"] == "warn"
    assert "every pixel of every frame" in made.bad["constant"]
    assert "constant" not in clean.checks


def test_limits_judge_both_ways():
    rising, falling = {"warn": 1.0, "fail": 2.0}, {"warn": 0.97, "fail": 0.95}
    status = [judged("x", v, "", rising, "", "").status for v in (1.0, 1.1, 2.0, 2.1)]
    assert status == ["pass", "warn", "warn", "fail"]
    status = [judged("x", v, "", falling, "", "", falling=True).status for v in (0.97, 0.96, 0.9)]
    assert status == ["pass", "warn", "fail"]
    never = {"warn": None, "fail": None}
    assert judged("x", 1e9, "", never, "good", "").says == "good"


def test_a_fault_takes_the_blame_for_what_it_spoils():
    def check(name, status):
        return Check(name, 1.0, "", None, None, status, "")

    checks = [check("isotropy", "fail"), check("scale", "fail"), check("polarity", "pass")]
    found = {c.name: c for c in explained(checks)}
    assert found["scale"].status == "not judged"
    assert "isotropy" in found["scale"].says
    assert worst(found.values()) == "fail"
    checks[0] = check("isotropy", "warn")
    assert {c.name: c.status for c in explained(checks)}["scale"] == "fail"
    assert worst([]) == "not measured"


def test_a_run_fails_with_its_recordings_unless_the_gate_is_off():
    entry = {"status": "fail", "checks": [{"name": "scale", "status": "fail"}]}
    good = {"status": "warn", "checks": [{"name": "noise", "status": "warn"}]}
    (target,) = quality_targets({"a": entry, "b": good}, True)
    assert not target["passed"]
    assert target["measured"] == "a (scale)"
    assert quality_targets({"b": good}, True)[0]["passed"]
    assert quality_targets({"a": entry}, False) == []


def test_a_bright_plume_with_gaps_is_not_called_dark(tmp_path):
    # it stands there, saturated, and tears open now and then: skewness is negative
    rng = np.random.default_rng(3)
    movie = rng.normal(0, 0.003, (120, 60, 80))
    solid = 0.8 - 0.5 * (rng.random((120, 1, 1)) < 0.1) * rng.random((120, 20, 60))
    movie[:, 20:40, 10:70] += solid
    path = write_movie(tmp_path / "m.parquet", movie)
    assess("m", settings(), path, tmp_path / "q.json", tmp_path / "q.npz")
    checks = {c["name"]: c for c in json.loads((tmp_path / "q.json").read_text())["checks"]}
    assert checks["polarity"]["value"] < -0.2
    assert checks["polarity"]["status"] == "pass"
    assert "brighter than clean air" in checks["polarity"]["says"]
