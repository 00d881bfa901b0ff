"""Plumes that are not movies: formulas and time series are checked and stored, nothing more."""

from __future__ import annotations

import hashlib
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from plumenav import registry
from plumenav.config.recordings import Analytic
from plumenav.config.signals import Signal
from plumenav.errors import UserError
from plumenav.normalization import quality, signals
from plumenav.tables import PlumeWriter, write_json
from plumenav.world import Grid

# A field by formula never ends; a movie's clock needs a number, and this one (30,000 years) is
# beyond every simulation while its frames per second are still representable.
ENDLESS_S = 1e12


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


def write_signal(
    plume: Path, unnamed: Path, settings: Signal, where: str, file: Path | None = None
) -> dict[str, Any]:
    """Write a plume that is a time series (frames of one pixel), and its quality file.

    Parameters
    ----------
    plume, unnamed : Path
        The plume, and the quality file under its temporary name.
    settings : Signal
    where : str
        Config key of the recording, for messages.
    file : Path, optional
        The file that `settings.file` names.

    Returns
    -------
    dict
        Its quality record. Statistics weigh each value by how long it holds.
    """
    series = signals.make(settings, f"{where}.signal", file)
    n, exact = len(series.odor), series.odor.astype(np.float64)
    seconds = float(series.time_s[-1] - series.time_s[0])
    weights = None if series.rate_hz else series.weights()
    record = quality.complete(
        "signal",
        recording=file and file.name,
        frames_read=n,
        frames_written=n,
        seconds=seconds,
        rate_nominal_hz=series.rate_hz,
        rate_measured_hz=series.rate_hz or ((n - 1) / seconds if n > 1 else None),
        gaps=0,
        duplicate_stamps=0,
        non_monotonic_stamps=0,
        concentration={
            "mean": float(np.average(exact, weights=weights)),
            **{
                name: float(np.percentile(exact, percent, method="inverted_cdf", weights=weights))
                for name, percent in (("median", 50), ("p95", 95), ("p99", 99))
            },
            "min": float(exact.min()),
            "max": float(exact.max()),
        },
        notes=series.notes,
    )
    origin = {}
    if file is not None:
        with open(file, "rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        origin = {"recording": file.name, "recording_sha256": digest}
    with PlumeWriter(plume, 1, 1, "float32", 1.0, 0.0) as writer:
        writer.write(series.time_s, series.odor.reshape(n, 1, 1))
        writer.metadata.update(
            kind="signal",
            **Grid(1, 1, 1.0, 0.0, 0.0)._asdict(),
            dtype="float32",
            scale=1.0,
            offset=0.0,
            period_s=series.period_s,
            field="signal",
            field_constants={},
            blank=None,
            noise=None,
            **origin,
            quality=record,
        )
        write_json(unnamed, record)
    return record
