"""Everything that can be said of a recording by looking at it, as plain data."""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from plumenav.config.presets import load_preset
from plumenav.errors import UserError
from plumenav.inspection import DEFAULT_FRAMES, findings, presets
from plumenav.inspection.block import block, label_of
from plumenav.inspection.doubts import doubts
from plumenav.inspection.measure import Levels, Measured, measure
from plumenav.inspection.motion import drift
from plumenav.recordings._contract import AXES, Facts, Recording, Settings
from plumenav.recordings._recognize import open_recording

COLOUR_FRAMES, COLOUR_EVERY = 100, 20  # frames whose channels are looked at: every so many
WILDCARDS = set("*?[")
# An interval is a gap if it exceeds the median interval by this factor, as in normalization.
GAP = 1.5


class Request(NamedTuple):
    """What is probed, and how.

    Attributes
    ----------
    path : Path
        A file, a folder of images, or a folder and a pattern of names (frames/img_*.png).
    frames : int or None
        Frames to read; None: all.
    preset : str or None
        Published recording that this is thought to be.
    dataset, time_dataset : str or None
    axes : tuple of str, or None
        As in the config's section `reader`.
    """

    path: Path
    frames: int | None = DEFAULT_FRAMES
    preset: str | None = None
    dataset: str | None = None
    time_dataset: str | None = None
    axes: tuple[str, str, str] | None = None


def _settings(request: Request, expected: dict[str, Any], reader: dict[str, Any]) -> Settings:
    pattern = request.path.name if WILDCARDS & set(request.path.name) else None
    axes = request.axes or reader.get("axes")
    if axes is not None and sorted(axes) != sorted(AXES):
        raise UserError("--axes", f"found {','.join(axes)}", "frame, row and column, each once")
    return Settings(
        dataset=request.dataset or reader.get("dataset"),
        time_dataset=request.time_dataset or reader.get("time_dataset"),
        axes=None if axes is None else (axes[0], axes[1], axes[2]),
        channel=reader.get("channel", "gray"),
        pattern=pattern,
        shape=(expected.get("frames"), expected.get("rows"), expected.get("columns")),
    )


def _open(path: Path, settings: Settings) -> Recording:
    """Open a recording; one whose shape is not the expected one, as it is."""
    try:
        return open_recording(path, settings)
    except UserError:
        if settings.shape == (None, None, None):
            raise
        return open_recording(path, settings._replace(shape=(None, None, None)))


def _reader(facts: Facts, settings: Settings) -> dict[str, Any]:
    return {
        "reader": facts.reader,
        "decoder": facts.decoder,
        "decoder_version": facts.decoder_version,
        "format": facts.format,
        "frames_promised": facts.frames_header,
        "rate_nominal_hz": facts.rate_hz,
        "rows": facts.height,
        "columns": facts.width,
        "dtype": facts.dtype,
        "bits": facts.bits,
        "channels": facts.channels,
        "dataset": settings.dataset,
        "time_dataset": settings.time_dataset,
        "axes": list(settings.axes) if settings.axes else None,
        "extra": facts.extra,
    }


def intervals(time_s: np.ndarray | None) -> dict[str, Any] | None:
    """What the time stamps look like; None without at least two.

    Parameters
    ----------
    time_s : ndarray, shape (n,), or None
    """
    if time_s is None or len(time_s) < 2:
        return None
    steps = np.diff(time_s)
    seconds, median = float(time_s[-1] - time_s[0]), float(np.median(steps))
    return {
        "seconds": seconds,
        "rate_measured_hz": len(steps) / seconds if seconds > 0 else None,
        "median_interval_s": median,
        "longest_s": float(steps.max()),
        "gaps": int(np.count_nonzero(steps > GAP * median + 1e-9)) if median > 0 else 0,
        "duplicates": int(np.count_nonzero(steps == 0)),
        "backwards": int(np.count_nonzero(steps < 0)),
    }


def _levels(levels: Levels, noise_sd: float | None) -> dict[str, Any]:
    return {
        "minimum": levels.minimum,
        "maximum": levels.maximum,
        "mean": levels.mean,
        "percentiles": {f"{percent:g}": value for percent, value in levels.percentiles.items()},
        "saturated_fraction": levels.saturated,
        "at_maximum_fraction": levels.at_maximum,
        "not_finite": levels.not_finite,
        "multiple_of": levels.multiple_of,
        "noise_sd": noise_sd,
    }


def _plume(measured: Measured) -> dict[str, Any]:
    early, spread = np.nan_to_num(measured.early), np.nan_to_num(measured.spread)
    lead_in = findings.quiet_start(early, float(measured.levels.multiple_of or 0))
    top = measured.levels.percentiles[99.9]
    kind = findings.polarity(early, spread, lead_in)
    empty = findings.empty_image(early, spread, lead_in, kind)
    still = findings.background(empty, top if math.isfinite(top) else 0.0)
    peak = findings.peak_of_mean(spread, empty, kind, measured.shrink)
    return {
        "quiet_frames": lead_in.frames,
        "background_frames": list(lead_in.suggested) if lead_in.suggested else None,
        "all_quiet": lead_in.all_quiet,
        "background_level": still.level,
        "background_share": still.share,
        "background_texture_sd": still.texture_sd,
        "polarity": kind,
        "peak_px": peak._asdict() if peak and not lead_in.all_quiet else None,
    }


def _motion(measured: Measured, rate_hz: float | None) -> dict[str, Any] | None:
    """Motion of the pattern in the first frames; None without a clock, or if nothing moves."""
    frames = np.nan_to_num(measured.early)
    time_s = measured.time_s
    if time_s is None and rate_hz is not None:
        time_s = np.arange(measured.frames) / rate_hz
    if time_s is None or len(frames) < 2 or not np.all(np.diff(time_s) >= 0):
        return None
    found = drift(frames, time_s[: len(frames)], measured.shrink)
    return None if found is None else found._asdict()


def _colour(path: Path, settings: Settings, n_frames: int) -> dict[str, Any] | None:
    """The channels of some of the first frames; None where the recording has only one."""
    some = []
    try:
        with closing(_open(path, settings._replace(colour=True))) as opened:
            for block in opened.blocks(0, min(n_frames, COLOUR_FRAMES)):
                if block.frames.ndim != 4:
                    return None
                some.append(block.frames[-block.first % COLOUR_EVERY :: COLOUR_EVERY].copy())
    except UserError:  # an array of numbers has no colours, and its reader says so
        return None
    colour = findings.colour_of(np.concatenate(some))
    return {
        "equal": colour.equal,
        "largest_difference": colour.largest_difference,
        "coloured_fraction": colour.coloured,
        "false_colour": colour.false_colour,
    }


def probe(request: Request) -> dict[str, Any]:
    """Look at a recording.

    Parameters
    ----------
    request : Request

    Returns
    -------
    dict
        JSON-able. Sections: `reader` (what the file says of itself), `read` (what arrived), `time`
        (None without time stamps), `intensity` (numbers as in the file), `colour` (None for gray),
        `plume` (guesses from pictures), `presets` that fit, `notes` of the reader, `doubts` in
        words, `traps` that the preset knows of, and `config`, a block of YAML.

    Raises
    ------
    UserError
        If the recording cannot be read as far as was asked.
    """
    published = load_preset(request.preset, "--preset") if request.preset else None
    preset = published.recording if published else {}
    expected = preset.get("expected", {})
    settings = _settings(request, expected, preset.get("reader", {}))
    path = request.path.expanduser()
    opened_path = path.parent if settings.pattern else path
    with closing(_open(opened_path, settings)) as opened:
        facts = opened.facts
        measured = measure(opened, request.frames)
        notes = list(opened.notes)
    shape = (facts.frames_header, facts.height, facts.width)
    report: dict[str, Any] = {
        "file": path.name,
        "path": str(path.absolute()),
        "preset": request.preset,
        "preset_knows": sorted(preset),
        "reader": _reader(facts, settings),
        "read": {
            "frames": measured.frames,
            "complete": measured.complete,
            "repeated_frames": measured.repeated,
        },
        "time": intervals(measured.time_s),
        "intensity": _levels(measured.levels, measured.noise_sd),
        "colour": _colour(opened_path, settings, measured.frames),
        "plume": _plume(measured),
        "motion": _motion(measured, facts.rate_hz),
        "presets": [{**fit._asdict(), "axes": list(fit.axes)} for fit in presets.fitting(shape)],
        "traps": list(published.traps) if published else [],
        "notes": notes,
    }
    report["doubts"] = doubts(report)
    if request.preset:
        report["doubts"] += presets.disagreements(
            request.preset,
            expected,
            {
                "frames": facts.frames_header or (measured.frames if measured.complete else None),
                "rows": facts.height,
                "columns": facts.width,
                "dtype": facts.dtype,
                "frame_rate_hz": _rate(report),
            },
        )
    report["config"] = block(report, label_of(path.name))
    return report


def _rate(report: dict[str, Any]) -> float | None:
    """Frames per second: measured, or else nominal."""
    time = report["time"]
    rate = time["rate_measured_hz"] if time else None
    nominal: float | None = report["reader"]["rate_nominal_hz"]
    return nominal if rate is None else float(rate)
