"""The Arrow schema of every Parquet file, with its version.

A schema is a constant. A table is written with it and checked against it when read, so that two
stages can never disagree silently about a column, a type or a unit. Units are in the names.
"""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa


class Schema(NamedTuple):
    """A named, versioned Arrow schema and the rule that writes such files."""

    name: str
    version: int
    arrow: pa.Schema
    written_by: str


def _schema(name: str, version: int, written_by: str, fields: dict[str, pa.DataType]) -> Schema:
    return Schema(name, version, pa.schema(list(fields.items())), written_by)


# `concentration` (fixed-size binary, height*width*itemsize bytes) is added when the size is known.
PLUME = _schema(
    "plume",
    1,
    "normalize",
    {"frame": pa.int32(), "time_s": pa.float64(), "mean": pa.float32(), "max": pa.float32()},
)

PLAN = _schema(
    "plan",
    1,
    "simulate",
    {
        "simulation": pa.int64(),
        "replicate": pa.int64(),
        "key": pa.uint64(),
        "x_mm": pa.float64(),
        "y_mm": pa.float64(),
        "heading_rad": pa.float64(),
        "start_frame": pa.int32(),
    },
)

TRAJECTORIES = _schema(
    "trajectories",
    1,
    "simulate",
    {
        "simulation": pa.int64(),
        "step": pa.int32(),
        "frame": pa.int32(),
        "time_s": pa.float64(),
        "x_mm": pa.float64(),
        "y_mm": pa.float64(),
        "heading_rad": pa.float64(),
        "odor": pa.float32(),
        "state": pa.int8(),
    },
)

SIMULATIONS = _schema(
    "simulations",
    1,
    "simulate",
    {
        **{field.name: field.type for field in PLAN.arrow},
        "status": pa.string(),  # ok, or what went wrong
        "success": pa.bool_(),
        "time_to_source_s": pa.float64(),  # null: not within the horizon
        "end": pa.string(),  # source, horizon, left (absorbing edge), movie (ended)
        "duration_s": pa.float64(),  # simulated until the end
        "wraps": pa.int32(),  # how often the movie started again
        "path_mm": pa.float64(),
        "net_upwind_mm": pa.float64(),  # start x minus final x
        "path_efficiency": pa.float64(),  # shortest way to the circle / path; null: failed
        "mean_speed_mm_s": pa.float64(),
        "closest_mm": pa.float64(),  # smallest distance to the source
        "encounters": pa.int32(),  # rises of the sensor above its threshold
        "encounter_rate_hz": pa.float64(),
        "time_in_plume_s": pa.float64(),  # sensor at or above its threshold
        "time_outside_s": pa.float64(),  # outside the recorded arena
        "final_x_mm": pa.float64(),
        "final_y_mm": pa.float64(),
        "clipped_rates": pa.int32(),  # steps whose event probability exceeded 1
    },
)

# Every step of a sample of simulations, for engine and reference alike.
REFERENCE = _schema(
    "reference",
    1,
    "reference",
    {
        "simulation": pa.int64(),
        "step": pa.int32(),
        "x_mm": pa.float64(),
        "y_mm": pa.float64(),
        "heading_rad": pa.float64(),
        "odor": pa.float64(),
        "state": pa.int8(),
        # distance of the step's closest decision from its threshold; below TIE it is a tie
        "margin": pa.float64(),
    },
)

AGREEMENT = _schema(
    "agreement",
    1,
    "validate",
    {
        "recording": pa.string(),
        "agent": pa.string(),
        "simulation": pa.int64(),
        "steps": pa.int64(),  # compared
        "steps_recorded": pa.int64(),
        "max_error_mm": pa.float64(),
        "max_odor_error": pa.float64(),
        "states_equal": pa.bool_(),
        "lengths_equal": pa.bool_(),
        "r_dx": pa.float64(),
        "r_dy": pa.float64(),
        "r_dheading": pa.float64(),
        "r_x": pa.float64(),  # shown, not gated: positions are autocorrelated
        "r_y": pa.float64(),
        "constant_series": pa.int32(),  # how many of the three had no variance
        "tie_step": pa.int64(),  # null: no tie
        "encounters": pa.int64(),
        "end": pa.string(),
        "passed": pa.bool_(),
    },
)
