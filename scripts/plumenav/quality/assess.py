"""The quality of one recording: quality/{recording}.json and quality/{recording}.npz."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plumenav.quality.checks import as_rows, worst
from plumenav.quality.measure import DeadZone, Measures, measure
from plumenav.quality.truth import against_truth, truth_checks
from plumenav.quality.verdict import Context, all_checks
from plumenav.quality.whiffs import EDGES_S
from plumenav.recordings.synthesis._truth_frames import read_true_frames
from plumenav.tables import PlumeReader, atomic, write_json

NOT_APPLICABLE = "not applicable"
LEAST_FRAMES = 3


def assess(
    label: str,
    settings: dict[str, Any],
    plume: Path,
    quality: Path,
    arrays: Path,
    truth: Path | None = None,
) -> None:
    """Measure and judge a plume; write its quality and the arrays for its figure.

    Parameters
    ----------
    label : str
        Of the recording in the config.
    settings : dict
        `quality` (the config's section), `wind` and `nominal` (of the recording), `dead_zones`
        (of the run's on_off agents; None for one without).
    plume : Path
        The normalized plume.
    quality, arrays : Path
        JSON and npz that are written; the same bytes for the same plume and settings.
    truth : Path, optional
        True frames of a synthetic recording.
    """
    with PlumeReader(plume) as reader:
        kind = reader.metadata["kind"]
        if kind != "movie" or reader.n_frames < LEAST_FRAMES:
            why = f"a plume of kind {kind} has no frames to measure"
            if kind == "movie":
                why = f"{reader.n_frames} frames are too few to measure anything"
            content = {
                "recording": label,
                "kind": kind,
                "status": NOT_APPLICABLE,
                "says": why,
                "checks": [],
            }
            write_json(quality, content)
            write_arrays(arrays, {})
            return
        zones = [DeadZone(**zone) for zone in settings["dead_zones"] if zone]
        measures = measure(reader, settings["quality"]["whiff_threshold"], zones)
        context = Context(measures, reader.metadata, settings)
        real = against_truth(reader, read_true_frames(truth)) if truth else None
        checks = [*all_checks(context), *truth_checks(context, real)]
        content = {
            "recording": label,
            "kind": kind,
            "status": worst(checks),
            "says": summary([check for check in checks if check.status in ("fail", "warn")]),
            "checks": as_rows(checks),
            "measures": {
                **numbers(measures, reader.n_frames),
                "truth": real._asdict() if real else None,
            },
        }
        write_json(quality, content)
        write_arrays(arrays, arrays_of(measures, reader.time_s))


def summary(bad: list[Any]) -> str:
    """What is wrong, in one line."""
    if not bad:
        return "nothing found wrong"
    return "; ".join(f"{check.name}: {check.says}" for check in bad)


def numbers(m: Measures, n_frames: int) -> dict[str, Any]:
    """Measures as JSON-able numbers."""
    found = m.continuity
    durations = m.stream.durations
    return {
        "frames": n_frames,
        "frames_sampled": m.frames_used,
        "wind_mm_s": m.wind_mm_s,
        "wind_deg": m.wind_deg,
        "wind_confidence": m.motion.confidence,
        "wind_reason": m.motion.reason,
        "source_x_mm": m.source_mm[0] if m.source_mm else None,
        "source_y_mm": m.source_mm[1] if m.source_mm else None,
        "source_at_edge": m.source_at_edge,
        "width_along_px": m.widths.column,
        "width_across_px": m.widths.row,
        "skewness": m.skewness,
        "contrast": m.contrast,
        "residual_mean": m.residual_mean,
        "residual_sd": m.residual_sd,
        "missing_frames": len(found.missing),
        "missing_before": found.missing[:10].tolist(),
        "repeated_frames": len(found.repeated),
        "repeated": found.repeated[:10].tolist(),
        "threshold": m.threshold,
        "intermittency": _mean(m.stream.intermittency),
        "whiff_rate_hz": _mean(m.stream.whiff_rate_hz),
        "whiff_places": m.stream.stretches.shape[2],
        **(durations.summary() if durations else {}),
        "correlation_time_s": m.correlation_s,
        "on_in_blank_air": m.on_means,
    }


def _mean(image: np.ndarray | None) -> float | None:
    return None if image is None else float(image.mean())


def arrays_of(m: Measures, time_s: np.ndarray) -> dict[str, np.ndarray]:
    """Maps and series for the quality figure.

    Returns
    -------
    dict
        `mean`, `sd` (maps of the sample, `factor` pixels of the plume to one), `intermittency`,
        `whiff_rate_hz` (maps in the plume's pixels), `duration_edges_s`, `whiffs`, `blanks`
        (histograms), `frame_time_s`, `frame_mean`, `frame_change` (per frame), `wind_correlation`
        (displacement 0 in the middle; NaN where too little overlaps), `wind_correlation_lag_s`,
        `wind_lags_s`, `wind_rows_px`, `wind_columns_px`, `wind_correlations` (points of the fit),
        `on_time_s`, `on_bare`, `on_dead_zone_0`, ... (ON in blank air), `on_dead_zones` (their
        names). What a movie does not give is not in the file.
    """
    result: dict[str, np.ndarray] = {
        "factor": np.array(m.factor),
        "mean": m.moments.mean.astype(np.float32),
        "sd": m.moments.sd.astype(np.float32),
        "duration_edges_s": EDGES_S,
        "frame_time_s": time_s,
        "frame_mean": m.stream.frame_mean.astype(np.float32),
        "frame_change": m.stream.change_one[:, 0].astype(np.float32),
        "missing_before": m.continuity.missing,
        "repeated": m.continuity.repeated,
        "wind_lags_s": np.array(m.motion.lags_s),
        "wind_rows_px": np.array(m.motion.rows_px),
        "wind_columns_px": np.array(m.motion.columns_px),
        "wind_correlations": np.array(m.motion.correlations),
    }
    if m.stream.intermittency is not None and m.stream.whiff_rate_hz is not None:
        result["intermittency"] = m.stream.intermittency.astype(np.float32)
        result["whiff_rate_hz"] = m.stream.whiff_rate_hz.astype(np.float32)
    if m.stream.durations is not None:
        result["whiffs"], result["blanks"] = m.stream.durations.whiffs, m.stream.durations.blanks
    if m.motion.surfaces:
        first = m.motion.surfaces[0]
        result["wind_correlation"] = first.correlation.astype(np.float32)
        result["wind_correlation_lag_s"] = np.array(first.lag_s)
    result["on_dead_zones"] = np.array([name for name in m.on_traces if name != "none"], str)
    for k, trace in enumerate(m.on_traces.values()):
        name = "on_bare" if k == 0 else f"on_dead_zone_{k - 1}"
        result[name] = trace.astype(np.float32)
        result["on_time_s"] = np.arange(len(trace)) * 0.02
    return result


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as npz, atomically; the same bytes for the same arrays."""
    with atomic(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
