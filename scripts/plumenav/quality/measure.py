"""Everything that is measured of one movie, from a sample of it and one pass over all frames."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from plumenav.quality import maps, sensor_noise
from plumenav.quality.continuity import Continuity, continuity, unexplained
from plumenav.quality.isotropy import Widths, peak_widths
from plumenav.quality.sample import Sample, take_sample
from plumenav.quality.source import beginning
from plumenav.quality.stream import Stream, stream
from plumenav.quality.whiffs import correlation_time_s
from plumenav.quality.wind import Motion, correlation_surfaces, motion_of, nothing, small_scales
from plumenav.tables import PlumeReader
from plumenav.world import grid_of, x_of_column, y_of_row

THRESHOLD_SDS = 5.0
WATCHED, PLACES, AIR_PIXELS = 4000, 400, 200
# whiffs are timed where there is odour in at least this share of frames
IN_PLUME = 0.05
LEAST_PLUME_PIXELS = 50
LEAST_QUIET = 0.005  # share of the image
LEAST_FRAMES = 8
# fewer frames do not tell fluctuations from chance
LEAST_SAMPLED = 20


class Measures(NamedTuple):
    """What is measured of a movie; None where it does not give it.

    Attributes
    ----------
    frames_used : int
        Frames of the sample.
    motion : Motion
        In pixels of the sample.
    wind_mm_s, wind_deg : float or None
        Speed, and direction counter-clockwise from +x.
    widths : Widths
    moments : maps.Moments
        Of the sample.
    factor : int
        Pixels of the plume along the edge of one pixel of the sample.
    skewness, contrast : float or None
        Of the fluctuations in the outer plume; mean of the plume above plume-free pixels.
    residual_mean, residual_sd : float or None
        Mean over plume-free pixels of their means, and its standard deviation over space.
    source_mm : tuple of float or None
    source_at_edge : bool
    continuity : Continuity
    threshold : float or None
    stream : Stream
    correlation_s : float or None
    on_traces : dict
        ON in blank air over time, by dead zone ("none" or its number); empty without blank air.
    on_means : dict
    """

    frames_used: int
    motion: Motion
    wind_mm_s: float | None
    wind_deg: float | None
    widths: Widths
    moments: maps.Moments
    factor: int
    skewness: float | None
    contrast: float | None
    residual_mean: float | None
    residual_sd: float | None
    source_mm: tuple[float, float] | None
    source_at_edge: bool
    continuity: Continuity
    threshold: float | None
    stream: Stream
    correlation_s: float | None
    on_traces: dict[str, np.ndarray]
    on_means: dict[str, float]


class DeadZone(NamedTuple):
    """Dead zone of an agent's sensor: a number in concentration, or in sd of blank air."""

    value: float
    unit: str

    @property
    def name(self) -> str:
        """Name in the quality file."""
        return f"{self.value:g} {self.unit}"


def spread(candidates: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the candidates, evenly spaced among them."""
    if len(candidates) <= most:
        return candidates
    chosen = np.linspace(0, len(candidates) - 1, most).round().astype(int)
    return np.asarray(candidates[chosen])


def full_pixels(mask: np.ndarray, factor: int, width: int) -> np.ndarray:
    """Flat indices in the plume's image of the middles of the sample's pixels in a mask."""
    row, column = np.nonzero(mask)
    middle = factor // 2
    return np.asarray((row * factor + middle) * width + column * factor + middle)


def blank_slices(blank: dict[str, int] | None, factor: int) -> tuple[slice, slice] | None:
    """Blank rectangle in pixels of the sample; None without one."""
    if blank is None:
        return None
    rows = slice(-(-blank["row_start"] // factor), blank["row_stop"] // factor)
    columns = slice(-(-blank["column_start"] // factor), blank["column_stop"] // factor)
    return rows, columns


def _motion(
    sample: Sample, noise: tuple[slice, slice] | None, least: float
) -> tuple[Motion, Widths]:
    fine = small_scales(sample.frames)
    moments = maps.moments(fine)
    plume = maps.plume_mask(moments.sd, maps.noise_sd_of(moments.sd, noise), least)
    if plume.sum() < LEAST_PLUME_PIXELS:
        return nothing("nothing fluctuates more than noise"), Widths(None, None)
    surfaces = correlation_surfaces(fine, moments.sd, plume, sample.burst, sample.time_s)
    motion = motion_of(surfaces)
    if motion.row_px_s is None or not surfaces:
        return motion, Widths(None, None)
    return motion, peak_widths(surfaces[0].correlation)


def _skewness(moments: maps.Moments, plume: np.ndarray) -> float | None:
    """Skewness of the less lively half of the plume's pixels, pooled.

    Where odour is rare, every whiff is an excursion in its direction; in the dense middle of a
    plume it is the gaps that stand out, and a recording that is clipped there would mislead.
    """
    if not plume.any():
        return None
    outer = plume & (moments.sd <= np.median(moments.sd[plume]))
    power = float((moments.sd[outer] ** 2).mean())
    return float(moments.third[outer].mean()) / power**1.5 if power > 0 else None


def _air(
    reader: PlumeReader, blank: dict[str, int] | None
) -> tuple[np.ndarray | None, tuple[int, int]]:
    """Pixels of blank air, and the frames in which they are followed."""
    if blank is None:
        return None, (0, 0)
    rows = np.arange(blank["row_start"], blank["row_stop"])
    columns = np.arange(blank["column_start"], blank["column_stop"])
    pixels = (rows[:, None] * reader.shape[1] + columns).ravel()
    first, stop = int(blank["frame_start"]), int(blank["frame_stop"])
    late = np.searchsorted(reader.time_s, reader.time_s[first] + sensor_noise.SECONDS)
    return spread(pixels, AIR_PIXELS), (first, min(stop, max(int(late), first + 2)))


def _responses(
    gathered: Stream, dead_zones: list[DeadZone]
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    if gathered.air is None or gathered.air_time_s is None:
        return {}, {}
    readings = sensor_noise.held(gathered.air, gathered.air_time_s)
    mean, sd = float(gathered.air.mean()), float(gathered.air.std())
    traces = {"none": sensor_noise.on_response(readings)}
    for zone in dead_zones:
        level = mean + zone.value * sd if zone.unit == "noise_sd" else zone.value
        traces[zone.name] = sensor_noise.on_response(readings, level)
    return traces, {name: sensor_noise.mean_on(trace) for name, trace in traces.items()}


def measure(reader: PlumeReader, threshold: float | None, dead_zones: list[DeadZone]) -> Measures:
    """Measure a movie.

    Parameters
    ----------
    reader : PlumeReader
        Of a plume of kind movie.
    threshold : float or None
        Concentration above which there is odour; None: blank air's mean plus 5 sd.
    dead_zones : list of DeadZone
        Of this run's agents of the fly ON/OFF model.
    """
    metadata = reader.metadata
    blank, noise = metadata["blank"], metadata.get("noise")
    if threshold is None and noise:
        threshold = noise["mean"] + THRESHOLD_SDS * noise["sd"]
    sample = take_sample(reader)
    factor = sample.factor
    air = blank_slices(blank, factor)
    moments = maps.moments(sample.frames)
    noise_sd = maps.noise_sd_of(moments.sd, air)
    least = maps.LEAST_SD
    plume = maps.plume_mask(moments.sd, noise_sd, least)
    quiet = maps.quiet_mask(moments.sd, noise_sd, least)
    if len(sample.frames) < LEAST_SAMPLED:
        plume = np.zeros_like(plume)
    motion, widths = _motion(sample, air, least)
    grid = grid_of(metadata)
    wind_mm_s = wind_deg = None
    if motion.row_px_s is not None and motion.column_px_s is not None:
        wind_mm_s = math.hypot(motion.row_px_s, motion.column_px_s) * factor * grid.mm_per_px
        wind_deg = math.degrees(math.atan2(-motion.row_px_s, motion.column_px_s))
    enough = quiet.mean() >= LEAST_QUIET
    level = float(moments.mean[quiet].mean()) if enough else None
    contrast = None
    if plume.any() and level is not None:
        contrast = float(moments.mean[plume].mean()) - level
    skewness = _skewness(moments, plume)
    base = level if level is not None else float(np.percentile(moments.mean, 5))
    sign = -1.0 if contrast is not None and contrast < 0 else 1.0
    toward = (0.0, 1.0) if wind_deg is None else _image_vector(wind_deg)
    begins = beginning(np.where(quiet, 0.0, sign * (moments.mean - base)), toward)
    source_mm = None
    if begins is not None and plume.sum() >= LEAST_PLUME_PIXELS:
        row, column = ((v + 0.5) * factor - 0.5 for v in (begins.row, begins.column))
        source_mm = (float(x_of_column(column, grid)), float(y_of_row(row, grid)))
    gathered = _pass(reader, sample, plume, moments.sd, threshold, blank)
    traces, means = _responses(gathered, dead_zones)
    return Measures(
        frames_used=len(sample.frames),
        motion=motion,
        wind_mm_s=wind_mm_s,
        wind_deg=wind_deg,
        widths=widths,
        moments=moments,
        factor=factor,
        skewness=skewness,
        contrast=contrast,
        residual_mean=level,
        residual_sd=float(moments.mean[quiet].std()) if enough else None,
        source_mm=source_mm,
        source_at_edge=begins is not None and begins.at_edge,
        continuity=_continuity(gathered, reader.time_s),
        threshold=threshold,
        stream=gathered,
        correlation_s=_correlation_s(gathered, reader.frame_interval_s, noise),
        on_traces=traces,
        on_means=means,
    )


def _image_vector(wind_deg: float) -> tuple[float, float]:
    """Direction counter-clockwise from +x as rows and columns of the image."""
    angle = math.radians(wind_deg)
    return -math.sin(angle), math.cos(angle)


def _pass(
    reader: PlumeReader,
    sample: Sample,
    plume: np.ndarray,
    sd: np.ndarray,
    threshold: float | None,
    blank: dict[str, int] | None,
) -> Stream:
    width = reader.shape[1]
    lively = plume if plume.any() else np.ones_like(plume)
    watched = spread(full_pixels(lively, sample.factor, width), WATCHED)
    watched_sd = spread(sd[lively], WATCHED)
    share = np.zeros(plume.shape)
    if threshold is not None:
        share = (sample.frames > threshold).mean(axis=0)
    places = full_pixels(share >= IN_PLUME, sample.factor, width)
    air_pixels, air_frames = _air(reader, blank)
    return stream(
        reader,
        watched,
        watched_sd,
        spread(places, PLACES),
        threshold,
        air_pixels,
        air_frames,
    )


def _continuity(gathered: Stream, time_s: np.ndarray) -> Continuity:
    found = continuity(gathered.change_one, gathered.change_two)
    return found._replace(missing=unexplained(found.missing, time_s))


def _correlation_s(
    gathered: Stream, interval_s: float, noise: dict[str, Any] | None
) -> float | None:
    if not gathered.stretches.shape[2] or gathered.stretches.shape[1] < LEAST_FRAMES:
        return None
    mean = gathered.stretches.mean(axis=(0, 1))
    sd = float(noise["sd"]) if noise else 0.0
    return correlation_time_s(gathered.stretches, interval_s, sd, mean)
