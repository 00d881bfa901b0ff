"""Schemas of the tables that the analyze stage writes."""

from __future__ import annotations

import pyarrow as pa

from plumenav.tables import Schema


def _schema(name: str, fields: dict[str, pa.DataType]) -> Schema:
    return Schema(name, 1, pa.schema(list(fields.items())), "analyze")


_TEXT, _INT, _FLOAT = pa.string(), pa.int64(), pa.float64()

# One row per recording and agent. Rates are of completed simulations, conditional on the recording.
SUMMARY = _schema(
    "summary",
    {
        "recording": _TEXT,
        "agent": _TEXT,
        "condition": _TEXT,  # recordings of one condition are replicates; else the recording
        "n": _INT,  # simulations with a row
        "completed": _INT,
        "failed": _INT,
        "successes": _INT,
        "success_rate": _FLOAT,  # of completed; null: none completed
        "ci_low": _FLOAT,  # Wilson, 95 %
        "ci_high": _FLOAT,
        "median_time_s": _FLOAT,  # of those that arrived; null: none
        "incidence": _FLOAT,  # Aalen-Johansen at restricted_to_s: censoring heeded
        "incidence_ci_low": _FLOAT,
        "incidence_ci_high": _FLOAT,
        "restricted_mean_time_s": _FLOAT,  # who does not arrive counts as restricted_to_s
        "restricted_to_s": _FLOAT,
        "left": _INT,  # ended at an absorbing edge
        "censored": _INT,  # the movie ended before the horizon
        "path_efficiency_median": _FLOAT,
        "path_efficiency_q25": _FLOAT,
        "path_efficiency_q75": _FLOAT,
        "encounters_mean": _FLOAT,
        "smelled_nothing": _INT,  # completed simulations without an encounter
        "net_upwind_mm_mean": _FLOAT,
        "net_upwind_mm_median": _FLOAT,
        "upwind_velocity_mm_s_mean": _FLOAT,
        "clipped_simulations": _INT,  # with a step whose event probability exceeded 1
        "blank_n": _INT,  # completed, in plume-free air; 0: not run
        "blank_successes": _INT,
        "blank_success_rate": _FLOAT,
        "blank_ci_low": _FLOAT,
        "blank_ci_high": _FLOAT,
        "blank_net_upwind_mm_mean": _FLOAT,
        "blank_upwind_velocity_mm_s_mean": _FLOAT,
    },
)

# Every measure, long form: one row per recording, agent, air (plume or blank) and measure.
MEASURES = _schema(
    "measures",
    {
        "recording": _TEXT,
        "agent": _TEXT,
        "air": _TEXT,
        "measure": _TEXT,
        "unit": _TEXT,
        "n": _INT,  # simulations for which it is defined
        "mean": _FLOAT,
        "sd": _FLOAT,
        "minimum": _FLOAT,
        "q25": _FLOAT,
        "median": _FLOAT,
        "q75": _FLOAT,
        "maximum": _FLOAT,
    },
)

ARRIVAL = _schema(
    "arrival",
    {
        "recording": _TEXT,
        "agent": _TEXT,
        "time_s": _FLOAT,
        "incidence": _FLOAT,
        "ci_low": _FLOAT,
        "ci_high": _FLOAT,
        "at_risk": _INT,
    },
)

# Success against the null agent from the same starts and frames.
AGAINST_NULL = _schema(
    "against_null",
    {
        "recording": _TEXT,
        "agent": _TEXT,
        "null_agent": _TEXT,
        "pairs": _INT,  # simulations that both completed
        "both": _INT,
        "agent_only": _INT,
        "null_only": _INT,
        "neither": _INT,
        "difference": _FLOAT,  # success rate of the agent minus that of the null, over pairs
        "p_value": _FLOAT,  # exact McNemar, two-sided
    },
)

# Open-loop recordings (kind signal): means over simulations at each frame of the signal.
TIME_COURSES = _schema(
    "time_courses",
    {
        "recording": _TEXT,
        "agent": _TEXT,
        "frame": _INT,
        "time_s": _FLOAT,  # on the signal's clock
        "signal": _FLOAT,  # concentration of the signal itself
        "odor_mean": _FLOAT,  # what the sensors said
        "n": _INT,  # trajectory intervals in the mean
        "upwind_speed_mm_s": _FLOAT,
        "ground_speed_mm_s": _FLOAT,
        "angular_speed_deg_s": _FLOAT,
    },
)
