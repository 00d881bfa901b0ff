"""Reference for walk_stop_turn: odour encounters time a fly's stops, walks and turns.

Source: Demir, Kadakia, Anderson, Clark & Emonet (2020) "Walking Drosophila navigate complex plumes
using stochastic decisions biased by the timing of odor encounters", eLife 9:e57524,
https://doi.org/10.7554/eLife.57524. Angles in the parameters are degrees.

Poisson processes (an event in a step has probability rate * dt), t_k the times of whiffs:

    walk -> stop: stop_base + stop_gain exp(-(t - t_last) / tau_stop)     ("last whiff")
    stop -> walk: start_base + start_gain sum_k exp(-(t - t_k) / tau_start), whiffs since the stop
                                                                     ("accumulated evidence")
    turn while walking: constant rate; towards upwind with probability 1 / (1 + exp(-alpha w)),
                        w = sum_k exp(-(t - t_k) / tau_turn); size normal
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._loop import Action, Sensed, Wind, exceeds, normal, run
from plumenav.references._plume import Plume

SOURCE = "Demir et al. 2020, eLife 9:e57524"
DRAWS = ("stop", "turn", "start", "direction", "size_a", "size_b", "drift_a", "drift_b")
# values of the published simulations, at which the contract tests run this file
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "stop_base_hz": 0.78,
    "stop_gain_hz": -0.61,
    "tau_stop_s": 0.25,
    "start_base_hz": 0.29,
    "start_gain_hz": 0.41,
    "tau_start_s": 0.52,
    "turn_hz": 1.0 / 0.75,
    "turn_mean_deg": 30.0,
    "turn_sd_deg": 8.0,
    "alpha": 0.242,
    "tau_turn_s": 2.0,
    "refractory_s": 0.1,
    "drift_sd_deg": 20.0 / math.sqrt(89.94),  # 20/89.94 degrees in each sample of 1/89.94 s
    "speed_mm_s": 10.1,
    "start_walking": True,
}
STAND, WALK, TURN = 0, 1, 2


class WalkStopTurn:
    """The model's state and its update in one step of dt."""

    events = True

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.p = parameters
        self.wind_x = wind.speed_mm_s * math.cos(wind.toward_rad)
        self.wind_y = wind.speed_mm_s * math.sin(wind.toward_rad)
        self.wind_speed, self.dt_s = wind.speed_mm_s, dt_s
        self.walking = bool(parameters["start_walking"])
        self.code, self.clipped = WALK if self.walking else STAND, 0
        self.was_in_odor = False
        self.last_whiff_s: float | None = None
        self.w = 0.0  # trace of whiffs that biases turns
        self.e = 0.0  # evidence, since the stop, for walking again

    def variables(self) -> dict[str, float]:
        """State at the start of the step to come."""
        return {"w": self.w, "evidence": self.e}

    def decide(self, now: Sensed) -> Action:
        """One step: whiff, traces, then stop or turn while walking, start while standing."""
        p, dt, t = self.p, self.dt_s, now.t_s
        u_stop, u_turn, u_start, u_direction, size_a, size_b, drift_a, drift_b = now.u

        whiff = self.is_whiff(t, now.in_odor)
        self.w = self.w * math.exp(-dt / p["tau_turn_s"]) + whiff
        self.e = self.e * math.exp(-dt / p["tau_start_s"]) + whiff

        heading = now.heading_rad
        walked, stops, turns, starts = self.walking, False, False, False
        if walked:
            p_stop = self.stop_rate_hz(t) * dt
            p_turn = p["turn_hz"] * dt
            stops = u_stop < p_stop
            margin = abs(u_stop - p_stop)
            self.clipped += max(p_stop, p_turn) > 1.0
            if not stops:
                turns = u_turn < p_turn
                margin = min(margin, abs(u_turn - p_turn))
        else:
            p_start = (p["start_base_hz"] + p["start_gain_hz"] * self.e) * dt
            starts = u_start < p_start
            margin = abs(u_start - p_start)
            self.clipped += p_start > 1.0

        new_heading = heading
        if turns:
            p_upwind = 1.0 / (1.0 + math.exp(-p["alpha"] * self.w))
            towards_upwind = u_direction < p_upwind
            left_of = self.wind_x * math.sin(heading) - self.wind_y * math.cos(heading)
            upwind_is_left = left_of >= 0.0
            margin = min(margin, abs(u_direction - p_upwind))
            if self.wind_speed > 0.0:
                margin = min(margin, abs(left_of) / self.wind_speed)
            side = 1.0 if towards_upwind == upwind_is_left else -1.0
            size_deg = p["turn_mean_deg"] + p["turn_sd_deg"] * normal(size_a, size_b)
            new_heading = heading + side * math.radians(size_deg)
        elif walked:
            drift_deg = p["drift_sd_deg"] * math.sqrt(dt) * normal(drift_a, drift_b)
            new_heading = heading + math.radians(drift_deg)

        # a fly that stops in this step still moves during it
        speed = p["speed_mm_s"] if walked else 0.0
        if stops:
            self.walking, self.e = False, 0.0
        elif starts:
            self.walking = True
        code = TURN if turns else WALK if self.walking else STAND
        return Action(
            speed * math.cos(heading), speed * math.sin(heading), new_heading, code, margin
        )

    def is_whiff(self, t_s: float, in_odor: bool) -> bool:
        """Onset of odour, more than the refractory time after the last whiff."""
        onset = in_odor and not self.was_in_odor
        self.was_in_odor = in_odor
        last = self.last_whiff_s
        if onset and (last is None or exceeds(t_s - last, self.p["refractory_s"])):
            self.last_whiff_s = t_s
            return True
        return False

    def stop_rate_hz(self, t_s: float) -> float:
        """Rate of stopping: its base, and what the last whiff adds to it."""
        base: float = self.p["stop_base_hz"]
        if self.last_whiff_s is None:
            return base
        fading = math.exp(-(t_s - self.last_whiff_s) / self.p["tau_stop_s"])
        gain: float = self.p["stop_gain_hz"]
        return base + gain * fading


MODEL = WalkStopTurn


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, WalkStopTurn, DRAWS)
