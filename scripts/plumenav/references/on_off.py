"""Reference for on_off: a walking fly surges upwind at odour onset and searches at its loss.

Source: Alvarez-Salvado, Licata, Connor, McHugh, King, Stavropoulos, Victor, Crimaldi & Nagel (2018)
"Elementary sensory-motor transformations underlying olfactory navigation in walking
fruit-flies", eLife 7:e37815, https://doi.org/10.7554/eLife.37815, and the order of operations of
its published simulation. Angles in the parameters are degrees.

The equations, with C the odour, C + beta + A the adapting Hill compression:

    tau_A_on dA_on/dt = C - A_on           K_on  = C / (C + beta + A_on)
    tau_A_off dA_off/dt = C - A_off        K_off = C / (C + beta + A_off)
    tau_on dON/dt = K_on - ON
    tau_fast dR/dt = K_off - R,  tau_slow dS/dt = K_off - S,  OFF = max(0, S - R)
    turn rate = base - k ON + k' OFF       speed = v0 (1 + m ON - m' OFF)
    dh/dt = (k_down - k_up ON) D(h),  D(h) = -sin(h - phi)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.references._loop import Action, Sensed, Wind, normal, run
from plumenav.references._plume import Plume

SOURCE = "Alvarez-Salvado et al. 2018, eLife 7:e37815"
DRAWS = ("turn", "sign", "size_a", "size_b")
# values of the published simulations, at which the contract tests run this file
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "fidelity": "published",
    "beta": 0.01,
    "tau_a_on_s": 9.8,
    "tau_a_off_s": 10.08,
    "tau_on_s": 0.72,
    "tau_off_fast_s": 0.62,
    "tau_off_slow_s": 4.84,
    "turn_base_hz": 6.0,
    "turn_on_hz": 1.5,
    "turn_off_hz": 37.5,
    "turn_sd_deg": 20.0,
    "speed_mm_s": 6.0,
    "speed_on_gain": 0.45,
    "speed_off_gain": 0.80,
    "drive_upwind_deg_s": 250.0,
    "drive_downwind_deg_s": 25.0,
}
WALK = 0


class OnOff:
    """The model's state and its update in one step of dt (explicit Euler)."""

    events = False

    def __init__(self, parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> None:
        self.p = parameters
        self.dt_s = dt_s
        if parameters["fidelity"] not in ("published", "corrected"):
            raise ValueError(f"fidelity {parameters['fidelity']!r}; known: published, corrected")
        self.published = parameters["fidelity"] == "published"
        self.code, self.clipped = WALK, 0
        self.a_on = self.a_off = 0.0
        self.on = self.off = 0.0
        self.k_off = 0.0
        self.r_fast = self.s_slow = 0.0

    def variables(self) -> dict[str, float]:
        """State at the start of the step to come."""
        return {
            "a_on": self.a_on,
            "a_off": self.a_off,
            "on": self.on,
            "k_off": self.k_off,
            "r_fast": self.r_fast,
            "s_slow": self.s_slow,
            "off": self.off,
        }

    def decide(self, now: Sensed) -> Action:
        """Turn, steer and choose a speed from the state before the update."""
        p, dt = self.p, self.dt_s
        turn, sign, size_a, size_b = now.u

        rate_hz = p["turn_base_hz"] - p["turn_on_hz"] * self.on + p["turn_off_hz"] * self.off
        probability = rate_hz * dt
        self.clipped += probability > 1.0
        margin = abs(turn - probability)
        jump_deg = 0.0
        if turn < probability:
            margin = min(margin, abs(sign - 0.5))
            g = normal(size_a, size_b)
            size = g * g if self.published else g
            jump_deg = (1.0 if sign < 0.5 else -1.0) * p["turn_sd_deg"] * size

        drive_deg = 0.0
        if now.wind_x_mm_s or now.wind_y_mm_s:
            D, closeness = self.downwind_direction(now.heading_rad, now.phi)
            margin = min(margin, closeness)
            drive_deg = (p["drive_downwind_deg_s"] * D - p["drive_upwind_deg_s"] * self.on * D) * dt

        gain = 1.0 + p["speed_on_gain"] * self.on - p["speed_off_gain"] * self.off
        speed = max(0.0, p["speed_mm_s"] * gain)
        self.update(max(0.0, now.odor))
        return Action(
            speed * math.cos(now.heading_rad),
            speed * math.sin(now.heading_rad),
            now.heading_rad + math.radians(jump_deg + drive_deg),
            WALK,
            margin,
        )

    def downwind_direction(self, heading_rad: float, phi: float) -> tuple[float, float]:
        """D(h) = -sin(h - phi), and the distance from where rounding would change it, degrees.

        The published code looks D up in a table, by the heading in whole degrees after mod 359.
        """
        if not self.published:
            return -math.sin(heading_rad - phi), math.inf
        wrapped = (math.degrees(heading_rad) - math.degrees(phi)) % 359.0
        degrees = math.floor(wrapped + 0.5)
        part = wrapped + 0.5 - degrees
        return -math.sin(math.radians(degrees)), min(part, 1.0 - part, wrapped, 359.0 - wrapped)

    def update(self, C: float) -> None:
        """Adaptation, compression and filters; every right-hand side uses the old values."""
        p, dt = self.p, self.dt_s
        k_on = C / (C + p["beta"] + self.a_on)
        k_off = C / (C + p["beta"] + self.a_off)
        # published: filters see the compression, and OFF sees the filters, one slot late each
        filtered = self.k_off if self.published else k_off
        late_off = max(0.0, self.s_slow - self.r_fast)
        self.a_on += (C - self.a_on) * dt / p["tau_a_on_s"]
        self.a_off += (C - self.a_off) * dt / p["tau_a_off_s"]
        self.on += (k_on - self.on) * dt / p["tau_on_s"]
        self.r_fast += (filtered - self.r_fast) * dt / p["tau_off_fast_s"]
        self.s_slow += (filtered - self.s_slow) * dt / p["tau_off_slow_s"]
        self.k_off = k_off
        self.off = late_off if self.published else max(0.0, self.s_slow - self.r_fast)


MODEL = OnOff


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return run(start, settings, plume, OnOff, DRAWS)
