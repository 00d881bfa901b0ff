"""The counter-turning moth: angles, memory, sweeps, waiting, and the reference at every choice."""

import math

import numpy as np
import pytest

import factories
from plumenav.models import moth
from plumenav.references._run import run_sample

DT = 0.01


def moth_run(tmp_path, odor, n=1, toward_rad=0.0, dt_s=DT, heading_rad=1.0, **parameters):
    """Tracks of moths that all smell the same series, one sample a step; wind to toward_rad."""
    plume = factories.write_signal(tmp_path / "signal.parquet", np.asarray(odor, float), 1.0 / dt_s)
    plan = factories.plan_columns(n, 1)
    plan["start_frame"] = np.zeros(n, np.int32)
    plan["heading_rad"] = np.full(n, heading_rad)
    settings = factories.engine_settings(
        "moth",
        dt_s=dt_s,
        duration_s=len(odor) * dt_s,
        parameters={"speed_mm_s": 100.0, **parameters},
        wind_toward_rad=toward_rad,
        arrival="continue",
    )
    track, _ = factories.run(plume, plan, settings)
    track = {name: column.reshape(n, -1) for name, column in track.items()}
    velocity = (np.diff(track["x_mm"]) + 1j * np.diff(track["y_mm"])) / dt_s
    # along the wind, and to the left of it
    return track["state"][:, 1:], velocity * np.exp(-1j * toward_rad)


def pulse(first, n_odor, n):
    odor = np.zeros(n)
    odor[first : first + n_odor] = 1.0
    return odor


def sweeps(codes, velocity):
    """Lengths, in steps, of the sweeps of a cast that lasts until the end, but the last."""
    casting = np.flatnonzero(codes == 2)
    sides = np.sign(velocity.imag[casting])
    turns = np.flatnonzero(np.diff(sides)) + 1
    return np.diff([0, *turns]).tolist()


@pytest.mark.parametrize("toward", [0.0, 1.0, math.pi, -2.5, math.pi / 2])
def test_upwind_is_against_the_wind_whatever_its_direction(tmp_path, toward):
    codes, velocity = moth_run(tmp_path, pulse(10, 40, 100), 1, toward, navigation="upwind")
    assert np.allclose(velocity[0][codes[0] == 1], -100.0)


def test_memory_lasts_and_then_it_casts(tmp_path):
    codes, _ = moth_run(tmp_path, pulse(10, 5, 100), navigation="upwind")
    # odour in steps 10 to 14; 0.1 s after 0.14 s is over in step 24
    assert np.flatnonzero(codes[0] == 1).tolist() == list(range(10, 24))
    assert set(codes[0][:10]) == {0}
    assert set(codes[0][24:]) == {2}


def test_liberzon_remembers_a_crossing_time_and_sweeps_for_one_and_a_half(tmp_path):
    for n_odor in (1, 8, 20):
        codes, velocity = moth_run(tmp_path, pulse(10, n_odor, 300))
        # memory n steps after the last step in odour, which is step 10 + n - 1
        assert np.flatnonzero(codes[0] == 1).tolist() == list(range(10, 10 + 2 * n_odor - 1))
        expected = math.ceil(1.5 * n_odor)
        assert set(sweeps(codes[0], velocity[0])) == {expected}
        assert np.allclose(velocity[0][codes[0] == 1], -100.0)


def test_liberzon_takes_the_last_puff(tmp_path):
    odor = pulse(10, 20, 400)
    odor[60:64] = 1.0
    codes, velocity = moth_run(tmp_path, odor)
    assert np.flatnonzero(codes[0] == 1).tolist() == [*range(10, 49), *range(60, 67)]
    codes[0][:67] = 0
    assert set(sweeps(codes[0], velocity[0])) == {6}


def test_angles_of_navigation(tmp_path):
    def angles(navigation, memory_s):
        codes, velocity = moth_run(
            tmp_path, pulse(0, 20, 80), navigation=navigation, memory_s=memory_s
        )
        chosen = velocity[0][codes[0] == 1]
        assert np.allclose(np.abs(chosen), 100.0)
        assert len(set(np.sign(np.round(chosen.imag, 6))) - {0.0}) <= 1
        return np.degrees(np.arccos(np.clip(-chosen.real / 100.0, -1, 1)))

    assert np.allclose(angles("angled", 0.2), 30.0)
    constant = angles("li_constant", 0.2)
    assert np.allclose(constant, [0.0] * 20 + [30.0] * 19, atol=1e-5)
    # 10 degrees while t - t_last < 0.1 s, 65 while < 0.3 s
    assert np.allclose(angles("li_progressive", 0.5), [10.0] * 29 + [65.0] * 20 + [80.0] * 20)


def test_sweeps_of_every_casting(tmp_path):
    lengths = {}
    for casting in ("regular", "growing", "carde1", "carde2", "straight"):
        codes, velocity = moth_run(
            tmp_path, pulse(0, 5, 1600), navigation="upwind", casting=casting, sweep_s=0.2
        )
        casts = velocity[0][codes[0] == 2]
        assert np.allclose(np.abs(casts.imag), 100.0)
        assert np.allclose(casts.real, 0.0, atol=1e-9)
        lengths[casting] = sweeps(codes[0], velocity[0])
    assert set(lengths["regular"]) == {20}
    # each is 1.5 times the one before from the third on, in whole steps
    assert lengths["growing"][:6] == [20, 20, 30, 45, 68, 102]
    assert lengths["carde1"][:13] == [20] * 5 + [60] + [20] * 5 + [60] + [20]
    assert lengths["carde2"][:15] == [20] * 6 + [140] + [20] * 6 + [140] + [20]
    assert lengths["straight"] == []
    codes, velocity = moth_run(tmp_path, pulse(0, 5, 50), navigation="upwind", casting="still")
    assert not velocity[0][codes[0] == 2].any()


def test_a_cast_begins_on_the_other_side_than_the_moth_navigated(tmp_path):
    codes, velocity = moth_run(tmp_path, pulse(0, 20, 80), navigation="angled")
    side = np.sign(velocity[0].imag)
    first = int(np.flatnonzero(codes[0] == 2)[0])
    assert side[first] == -side[first - 1] != 0.0


def test_first_sides_are_fair(tmp_path):
    _, velocity = moth_run(tmp_path, np.zeros(3), 400, waiting="straight")
    left = (velocity[:, 0].imag > 0.0).mean()
    assert abs(left - 0.5) < 4.0 * math.sqrt(0.25 / 400)


@pytest.mark.parametrize("dt_s", [0.01, 0.04])
def test_waiting_walk_turns_as_published_at_001_s_and_spreads_alike_at_other_steps(tmp_path, dt_s):
    n, steps = 400, round(0.8 / dt_s)
    _, velocity = moth_run(tmp_path, np.zeros(steps + 2), n, dt_s=dt_s, waiting="random_walk")
    heading = np.unwrap(np.angle(velocity), axis=1)
    turns = np.degrees(np.diff(heading))
    scale = math.sqrt(dt_s / 0.01)
    assert abs(np.abs(turns).mean() - 5.0 * scale) < 4.0 * scale / math.sqrt(turns.size)
    assert np.abs(turns).std() == pytest.approx(scale, rel=0.05)
    assert abs((turns > 0).mean() - 0.5) < 4.0 * math.sqrt(0.25 / turns.size)
    # variance after 0.8 s: (5^2 + 1) deg^2 per 0.01 s
    after = np.degrees(heading[:, steps] - heading[:, 0])
    expected = 26.0 * 0.8 / 0.01
    assert after.var() == pytest.approx(expected, rel=4.0 * math.sqrt(2.0 / n))


def test_still_waiting_does_not_move_or_turn(tmp_path):
    codes, velocity = moth_run(tmp_path, np.zeros(20))
    assert not velocity.any()
    assert set(codes[0]) == {0}


CHOICES = [
    *moth.PRESETS.values(),
    {"navigation": "angled", "waiting": "straight", "casting": "straight"},
    {"navigation": "li_progressive", "memory_s": 0.5, "waiting": "random_walk"},
    {"casting": "still", "waiting": "random_walk"},
]


@pytest.mark.parametrize("chosen", CHOICES)
def test_every_choice_equals_the_reference(tmp_path, chosen):
    movie = factories.write_movie(tmp_path / "movie.parquet")
    settings = factories.engine_settings(
        "moth",
        parameters={"speed_mm_s": 60.0, **chosen},
        boundary="reflect",
        sensor={"threshold": 0.4},
    )
    columns = factories.plan_columns(4, 40, y_mm=(-10.0, 10.0))
    ours, _ = factories.run(movie, columns, settings)
    rows = [{k: v[i].item() for k, v in columns.items()} for i in range(4)]
    theirs, _ = run_sample(rows, settings, movie)
    for column in ("x_mm", "y_mm", "heading_rad"):
        assert np.abs(theirs.column(column).to_numpy() - ours[column]).max() < 1e-6
    assert np.array_equal(theirs.column("state").to_numpy(), ours["state"])
    assert set(ours["state"]) >= {1, 2}


def test_sweeps_shorter_than_a_step_are_refused():
    chosen = moth.Params(navigation="upwind", sweep_s=0.005)
    assert moth.problem(chosen, DT) == "sweep_s = 0.005 is shorter than a step of 0.01 s"
    assert moth.problem(moth.Params(sweep_s=0.005), DT) is None
