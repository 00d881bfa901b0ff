"""Plumes that are not movies: formulas and time series are checked and stored, nothing more."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from plumenav import registry
from plumenav.config.recordings import Analytic, Pulse
from plumenav.errors import UserError
from plumenav.normalization import quality
from plumenav.tables import PlumeWriter, write_json
from plumenav.world import Grid

# A field by formula never ends; a movie's clock needs a number, and this one (30,000 years) is
# beyond every simulation while its frames per second are still representable.
ENDLESS_S = 1e12
SLACK_S = 1e-9


def _common_pixel(lengths_mm: list[Fraction]) -> Fraction:
    """1 mm if it divides all lengths, else the largest length that does."""
    one = Fraction(1)
    common = lengths_mm[0]
    for length in lengths_mm[1:]:
        # greatest common divisor of fractions
        top = math.gcd(common.numerator * length.denominator, length.numerator * common.denominator)
        common = Fraction(top, common.denominator * length.denominator)
    return one if (common / one).denominator == 1 else common


def arena(settings: Analytic, where: str) -> Grid:
    """Pixels whose outer edges are exactly the given intervals.

    Parameters
    ----------
    settings : Analytic
    where : str
        Config key, for messages.

    Returns
    -------
    Grid
        Pixels of 1 mm, or smaller ones if the lengths are no whole millimetres.

    Raises
    ------
    UserError
        If an interval is empty.
    """
    ends = {"x_mm": settings.x_mm, "y_mm": settings.y_mm}
    for key, (low, high) in ends.items():
        if not low < high:
            raise UserError(f"{where}.{key}", f"[{low}, {high}]", "an interval that is not empty")
    # decimal text, not the binary number: 0.1 means a tenth
    x0, x1, y0, y1 = (Fraction(str(v)) for pair in ends.values() for v in pair)
    pixel = _common_pixel([x1 - x0, y1 - y0])
    return Grid(
        height=int((y1 - y0) / pixel),
        width=int((x1 - x0) / pixel),
        mm_per_px=float(pixel),
        source_row=float(y1 / pixel - Fraction(1, 2)),
        source_column=float(-x0 / pixel - Fraction(1, 2)),
    )


def write_analytic(plume: Path, unnamed: Path, settings: Analytic, where: str) -> dict[str, Any]:
    """Write a plume that is a formula (metadata, no frames), and its quality file.

    Returns
    -------
    dict
        Its quality record.
    """
    registry.file_of("field", settings.field)
    grid = arena(settings, f"{where}.analytic")
    record = quality.complete("analytic", frames_read=0, frames_written=0)
    with PlumeWriter(plume, grid.height, grid.width, "float32", 1.0, 0.0) as writer:
        writer.metadata.update(
            kind="analytic",
            **grid._asdict(),
            dtype="float32",
            scale=1.0,
            offset=0.0,
            period_s=ENDLESS_S,
            field=settings.field,
            field_constants=dict(settings.parameters),
            blank=None,
            noise=None,
            quality=record,
        )
        write_json(unnamed, record)
    return record


def pulse(settings: Pulse, where: str) -> np.ndarray:
    """Samples of a square pulse.

    Sample i, at i / frame_rate_hz, is inside if it is at or after start_s and before stop_s (with
    1e-9 s of slack against rounding); there are samples for times before duration_s.

    Returns
    -------
    ndarray, shape (n,), float32

    Raises
    ------
    UserError
        If the pulse does not end after it starts.
    """
    if not settings.start_s < settings.stop_s:
        raise UserError(
            f"{where}.stop_s", f"{settings.stop_s} s", f"more than start_s ({settings.start_s} s)"
        )
    n = max(1, math.ceil(settings.duration_s * settings.frame_rate_hz - 1e-6))
    time_s = np.arange(n) / settings.frame_rate_hz
    inside = (time_s >= settings.start_s - SLACK_S) & (time_s < settings.stop_s - SLACK_S)
    return np.where(inside, np.float32(settings.level), np.float32(0)).astype(np.float32)


def write_signal(plume: Path, unnamed: Path, settings: Pulse, where: str) -> dict[str, Any]:
    """Write a plume that is a time series (frames of one pixel), and its quality file.

    Returns
    -------
    dict
        Its quality record.
    """
    samples = pulse(settings, f"{where}.signal")
    n, rate = len(samples), settings.frame_rate_hz
    exact = samples.astype(np.float64)
    notes = []
    if settings.stop_s > settings.duration_s:
        notes.append(f"the pulse is cut at the end of the signal ({settings.duration_s} s)")
    record = quality.complete(
        "signal",
        frames_read=n,
        frames_written=n,
        seconds=(n - 1) / rate,
        rate_nominal_hz=rate,
        rate_measured_hz=rate,
        gaps=0,
        duplicate_stamps=0,
        non_monotonic_stamps=0,
        concentration={
            "mean": float(exact.mean()),
            **{
                name: float(np.percentile(exact, percent, method="inverted_cdf"))
                for name, percent in (("median", 50), ("p95", 95), ("p99", 99))
            },
            "min": float(exact.min()),
            "max": float(exact.max()),
        },
        notes=notes,
    )
    with PlumeWriter(plume, 1, 1, "float32", 1.0, 0.0) as writer:
        writer.write(np.arange(n) / rate, samples.reshape(n, 1, 1))
        writer.metadata.update(
            kind="signal",
            **Grid(1, 1, 1.0, 0.0, 0.0)._asdict(),
            dtype="float32",
            scale=1.0,
            offset=0.0,
            period_s=n / rate,
            field="signal",
            field_constants={},
            blank=None,
            noise=None,
            quality=record,
        )
        write_json(unnamed, record)
    return record
