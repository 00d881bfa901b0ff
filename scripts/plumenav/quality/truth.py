"""A synthetic recording's plume against the concentration that is true of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from plumenav.config.recordings import Recording
from plumenav.normalization.geometry import geometry
from plumenav.quality.checks import Check, judged, unmeasured
from plumenav.recordings.synthesis._truth_frames import TrueFrames
from plumenav.tables import PlumeReader

if TYPE_CHECKING:
    from plumenav.quality.verdict import Context

# Inside the plume: true concentration above so many sd of the noise, and this share of the source.
NOISE_SDS, SHARE = 5.0, 0.01
LEAST_PIXELS = 100


class Truth(NamedTuple):
    """Normalized concentration regressed on the true one, inside the plume.

    Attributes
    ----------
    r : float
        Pearson correlation over pixels and frames.
    slope, offset : float
        Of the line through them (least squares; the true concentration has no error).
    pixels, frames : int
    """

    r: float
    slope: float
    offset: float
    pixels: int
    frames: int


def against_truth(reader: PlumeReader, truth: TrueFrames) -> Truth | None:
    """Compare a plume with the truth.

    Parameters
    ----------
    reader : PlumeReader
    truth : TrueFrames
        In the orientation of the file; its pixels go the way of the recording's.

    Returns
    -------
    Truth or None
        None if no true frame is in the plume, or there is no odour in them.
    """
    facts = reader.metadata
    recording = Recording.model_validate(facts["normalization"])
    shape = geometry(recording, int(facts["source_height"]), int(facts["source_width"]), "truth")
    reduce = shape.reducer(np.dtype(np.float64))
    r0, r1, c0, c1 = shape.window
    first = (recording.reader.frames or (0, None))[0]
    rate = recording.frame_rate_hz or (facts["quality"] or {}).get("rate_nominal_hz")
    if not rate:
        return None
    noise_sd = float(facts["noise"]["sd"]) if facts.get("noise") else 0.0
    level = max(NOISE_SDS * noise_sd, SHARE)
    ours, theirs, n = [], [], 0
    for number, image in zip(truth.number.tolist(), truth.concentration, strict=True):
        frame = _frame_at(reader, (number - first) / rate)
        if frame is None:
            continue
        real = reduce(image[r0:r1, c0:c1].astype(np.float64))
        inside = real > level
        theirs.append(real[inside])
        ours.append(frame[inside])
        n += 1
    x = np.concatenate(theirs) if theirs else np.empty(0)
    y = np.concatenate(ours) if ours else np.empty(0)
    if len(x) < LEAST_PIXELS or x.std() == 0 or y.std() == 0:
        return None
    slope = float(((x - x.mean()) * (y - y.mean())).mean() / x.var())
    return Truth(
        float(np.corrcoef(x, y)[0, 1]), slope, float(y.mean() - slope * x.mean()), len(x), n
    )


def _frame_at(reader: PlumeReader, time_s: float) -> np.ndarray | None:
    """Concentration of the frame with this time stamp, or None."""
    number = int(np.argmin(np.abs(reader.time_s - time_s)))
    if abs(reader.time_s[number] - time_s) > 0.25 * reader.frame_interval_s:
        return None
    group = int(np.searchsorted(reader.block_first, number, side="right")) - 1
    stored = reader.block(group).frames[number - reader.block_first[group]]
    return np.asarray(stored * float(reader.metadata["scale"]) + float(reader.metadata["offset"]))


def truth_checks(c: Context, truth: Truth | None) -> list[Check]:
    """Correlation, slope and offset against their limits; none without a truth."""
    if truth is None:
        return []
    noise = c.metadata.get("noise")
    says = (
        f"inside the plume, normalized = {truth.slope:.4f} x true {truth.offset:+.2g},"
        f" r = {truth.r:.4f} ({truth.pixels} pixels of {truth.frames} frames)"
    )
    bad = f"{says}: calibration, transfer or background are not those of the recording"
    checks = [
        judged("truth_r", truth.r, "r", c.limits["truth_r"], says, bad, falling=True),
        judged("truth_slope", abs(truth.slope - 1), "relative", c.limits["truth_slope"], says, bad),
    ]
    limits = c.limits["truth_offset"]
    if noise and noise["sd"] > 0:
        sds = abs(truth.offset) / float(noise["sd"])
        checks.append(judged("truth_offset", sds, "noise sd", limits, says, bad))
    else:
        why = "the noise of blank air is not known"
        checks.append(unmeasured("truth_offset", "noise sd", limits, why))
    return checks
