"""quality.json: what a recording was like, and what normalization did to it."""

from __future__ import annotations

from typing import Any

from plumenav.normalization.blank import Rectangle
from plumenav.normalization.clock import Clock
from plumenav.normalization.statistics import Statistics

INTERMITTENCY_SD = 5.0

# Every quality file has these keys; null where a kind of plume has no such thing.
KEYS = (
    "kind",
    "recording",  # base name of the file
    "reader",
    "frames_header",
    "frames_lost",  # promised but not readable, where on_damage: truncate used what there is
    "loss",  # why, in words
    "missing_numbers",  # of an image sequence whose file names count
    "frames_read",
    "frames_written",
    "seconds",
    "rate_nominal_hz",
    "rate_measured_hz",
    "gaps",
    "duplicate_stamps",
    "non_monotonic_stamps",
    "longest_interval_s",
    "clipped_low",
    "clipped_high",
    "clipped_low_fraction",
    "clipped_high_fraction",
    "saturated_fraction",
    "not_of_the_colour_map_fraction",
    "fidelity",  # {r, r_min, r_moving, frames}: the plume sent back, against the recording
    "conservation",  # {ratio, frames}: total concentration times area, plume over recording
    "calibration",  # {zero, one}: as declared or found
    "concentration",  # {mean, median, p95, p99, min, max}
    "intermittency",
    "noise",  # {mean, sd}
    "blank",
    "blank_found",
    "residual_background",
    "notes",
)


def complete(kind: str, **known: Any) -> dict[str, Any]:
    """A quality record with every key.

    Raises
    ------
    KeyError
        If a key is not one of :data:`KEYS`.
    """
    record: dict[str, Any] = dict.fromkeys(KEYS)
    record["notes"] = []
    for key, value in {"kind": kind, **known}.items():
        if key not in record:
            raise KeyError(key)
        record[key] = value
    return record


def clock_part(clock: Clock) -> dict[str, Any]:
    """Rates and faults of the time stamps.

    (Time that runs backwards stops normalization: that count is 0 in every file that exists.)
    """
    seen = clock.intervals()
    return {
        "frames_read": sum(len(stamps) for stamps in clock.stamps),
        "seconds": seen.seconds,
        "rate_nominal_hz": clock.rate_hz or clock.nominal_hz,
        "rate_measured_hz": seen.measured_rate_hz,
        "gaps": seen.gaps,
        "duplicate_stamps": seen.duplicates,
        "non_monotonic_stamps": 0,
        "longest_interval_s": seen.longest_s,
    }


def concentration_part(statistics: Statistics) -> dict[str, Any]:
    """Distribution of the plume's concentration over all pixel-frames.

    Median and percentiles are exact for stored integers; for floats they are known to 1/65536 of
    the range between storage minimum and maximum.
    """
    histogram = statistics.histogram()
    least, most = statistics.extremes()
    return {
        "concentration": {
            "mean": statistics.mean(),
            "median": histogram.percentile(0.5),
            "p95": histogram.percentile(0.95),
            "p99": histogram.percentile(0.99),
            "min": least,
            "max": most,
        }
    }


def blank_part(
    statistics: Statistics,
    rectangle: Rectangle | None,
    frames: tuple[int, int],
    how: str,
) -> dict[str, Any]:
    """Noise in blank air, and what depends on it.

    `intermittency` is the fraction of pixel-frames above the mean plus 5 standard deviations of
    blank air; `residual_background` the mean of blank air over the plume's maximum.
    """
    if rectangle is None:
        return {"blank": None, "blank_found": how, "noise": None}
    mean, sd = statistics.noise(rectangle[:2], rectangle[2:])
    most = statistics.extremes()[1]
    return {
        "blank": {**rectangle._asdict(), "frame_start": frames[0], "frame_stop": frames[1]},
        "blank_found": how,
        "noise": {"mean": mean, "sd": sd},
        "intermittency": statistics.histogram().fraction_above(mean + INTERMITTENCY_SD * sd),
        "residual_background": mean / most if most > 0 else None,
    }
