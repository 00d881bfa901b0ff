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

The variants of FlyGym's code (time in odour for whiffs, exponential probabilities, turns that last)
are those of docs/conventions.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._loop import Action, Sensed, Wind, exceeds, normal, reaches, run
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
    "evidence": "onset",
    "event_probability": "linear",
    "turn_duration_s": 0.0,
}
STAND, WALK, TURN = 0, 1, 2


class WalkStopTurn:
    """The model's state and its update in one step of dt."""

    events = True

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.p = parameters
        self.dt_s = dt_s
        self.walking = bool(parameters["start_walking"])
        self.code, self.clipped = WALK if self.walking else STAND, 0
        self.was_in_odor = False
        self.last_whiff_s: float | None = None
        self.w = 0.0  # trace of whiffs that biases turns
        self.e = 0.0  # evidence, since the stop, for walking again
        self.turn_until_s, self.turn_deg_s = -math.inf, 0.0  # of a turn that lasts
        self.sums_time = parameters["evidence"] == "time_in_odor"

    def variables(self) -> dict[str, float]:
        """State at the start of the step to come."""
        return {"w": self.w, "evidence": self.e}

    def decide(self, now: Sensed) -> Action:
        """One step: whiff, traces, then stop or turn while walking, start while standing."""
        p, dt, t = self.p, self.dt_s, now.t_s
        u_stop, u_turn, u_start, u_direction, size_a, size_b, drift_a, drift_b = now.u

        hit = self.hit(t, now.in_odor)
        self.w = self.w * math.exp(-dt / p["tau_turn_s"]) + hit
        self.e = self.e * math.exp(-dt / p["tau_start_s"]) + hit

        heading = now.heading_rad
        if not reaches(t, self.turn_until_s):
            return self.go_on_turning(now)
        walked, stops, turns, starts = self.walking, False, False, False
        if walked:
            p_stop = self.probability(self.stop_rate_hz(t))
            p_turn = self.probability(p["turn_hz"])
            stops = u_stop < p_stop
            margin = abs(u_stop - p_stop)
            self.clipped += max(p_stop, p_turn) > 1.0
            if not stops:
                turns = u_turn < p_turn
                margin = min(margin, abs(u_turn - p_turn))
        else:
            p_start = self.probability(p["start_base_hz"] + p["start_gain_hz"] * self.e)
            starts = u_start < p_start
            margin = abs(u_start - p_start)
            self.clipped += p_start > 1.0

        new_heading = heading
        if turns:
            p_upwind = 1.0 / (1.0 + math.exp(-p["alpha"] * self.w))
            towards_upwind = u_direction < p_upwind
            left_of = now.wind_x_mm_s * math.sin(heading) - now.wind_y_mm_s * math.cos(heading)
            upwind_is_left = left_of >= 0.0
            margin = min(margin, abs(u_direction - p_upwind))
            wind_speed = math.hypot(now.wind_x_mm_s, now.wind_y_mm_s)
            if wind_speed > 0.0:
                margin = min(margin, abs(left_of) / wind_speed)
            side = 1.0 if towards_upwind == upwind_is_left else -1.0
            size_deg = side * (p["turn_mean_deg"] + p["turn_sd_deg"] * normal(size_a, size_b))
            if p["turn_duration_s"] > dt:
                self.turn_until_s = t + p["turn_duration_s"]
                self.turn_deg_s = size_deg / p["turn_duration_s"]
                size_deg = self.turn_deg_s * dt
            new_heading = heading + math.radians(size_deg)
        elif walked:
            drift_deg = p["drift_sd_deg"] * math.sqrt(dt) * normal(drift_a, drift_b)
            new_heading = heading + math.radians(drift_deg)

        # a fly that stops in this step still moves during it
        speed = p["speed_mm_s"] if walked else 0.0
        if stops:
            self.walking = False
            if not self.sums_time:
                self.e = 0.0
        elif starts:
            self.walking = True
        code = TURN if turns else WALK if self.walking else STAND
        return Action(
            speed * math.cos(heading), speed * math.sin(heading), new_heading, code, margin
        )

    def go_on_turning(self, now: Sensed) -> Action:
        """Walk and turn at the turn's rate until its time is over; nothing is decided."""
        step_s = min(self.dt_s, self.turn_until_s - now.t_s)
        speed = self.p["speed_mm_s"]
        return Action(
            speed * math.cos(now.heading_rad),
            speed * math.sin(now.heading_rad),
            now.heading_rad + math.radians(self.turn_deg_s * step_s),
            TURN,
            math.inf,
        )

    def probability(self, rate_hz: float) -> float:
        """Probability of an event in one step."""
        if self.p["event_probability"] == "exponential":
            return -math.expm1(-max(rate_hz, 0.0) * self.dt_s)
        return rate_hz * self.dt_s

    def hit(self, t_s: float, in_odor: bool) -> float:
        """What this step adds to the traces: a whiff, or its time in odour."""
        if not self.sums_time:
            return float(self.is_whiff(t_s, in_odor))
        if in_odor:
            self.last_whiff_s = t_s
            return self.dt_s
        return 0.0

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
