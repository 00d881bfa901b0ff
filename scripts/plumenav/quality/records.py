"""Checks of what normalization found while it read, and of the sequence of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plumenav.quality.checks import PASS, WARN, Check, judged, unmeasured
from plumenav.quality.expected import file_disagreements

if TYPE_CHECKING:
    from plumenav.quality.verdict import Context

SHOWN = 5


def _first(frames: np.ndarray) -> str:
    """The first few frame numbers in words."""
    shown = ", ".join(str(k) for k in frames[:SHOWN].tolist())
    return shown + (", ..." if len(frames) > SHOWN else "")


def missing_frames(c: Context) -> Check:
    """Frames that the content says are missing."""
    limits, found = c.limits["missing_frames"], c.measures.continuity
    if not found.can_tell_missing:
        why = "the picture changes too much, or too little, from frame to frame to tell"
        return unmeasured("missing_frames", "share", limits, why)
    n = len(found.missing)
    bad = (
        f"the picture jumps as if a frame were missing at {n} places (before frames"
        f" {_first(found.missing)}): give true time stamps (reader.time_file, reader.time_dataset)"
    )
    share = n / len(c.measures.stream.frame_mean)
    return judged("missing_frames", share, "share", limits, "no frame is missing", bad)


def repeated_frames(c: Context) -> Check:
    """Frames that repeat the one before."""
    limits, found = c.limits["repeated_frames"], c.measures.continuity
    if not found.can_tell_repeated:
        return unmeasured("repeated_frames", "share", limits, "the picture never changes")
    n = len(found.repeated)
    bad = f"{n} frames repeat the one before (frames {_first(found.repeated)})"
    resample = ((c.declared.get("normalize") or {}).get("resample") or {}).get("frame_rate_hz")
    if resample:
        bad += f": normalize.resample.frame_rate_hz {resample:g} may be more than was recorded"
    else:
        bad += ": the recorder had none to give, or frame_rate_hz is more than was recorded"
    share = n / len(c.measures.stream.frame_mean)
    return judged("repeated_frames", share, "share", limits, "no frame repeats another", bad)


def frames_read(c: Context) -> Check:
    """Frames that were read against those that the header promises."""
    read, promised = c.record.get("frames_read"), c.record.get("frames_header")
    none = {"warn": None, "fail": None}
    if read is None or promised is None:
        return unmeasured("frames_read", "frames", none, "the file does not say how many it has")
    window = (c.declared.get("reader") or {}).get("frames")
    if window:
        says = (
            f"frames {window[0]} to {window[1] - 1} of {promised} are used, as reader.frames asks"
        )
        return Check("frames_read", float(read), "frames", None, None, PASS, says)
    status = PASS if read == promised else WARN
    says = f"{read} frames were read, the header promises {promised}"
    return Check("frames_read", float(read), "frames", None, None, status, says)


def missing_numbers(c: Context) -> Check:
    """Numbers that are missing among the files of an image sequence."""
    limits, n = {"warn": 0.0, "fail": None}, c.record.get("missing_numbers")
    if n is None and c.record.get("reader") != "image_sequence":
        return unmeasured("missing_numbers", "files", limits, "the frames are not numbered files")
    bad = (
        f"{n} numbers are missing among the names of the images: frames after them are early unless"
        " reader.time_file says when each was taken"
    )
    good = "the numbers of the images have no gap"
    return judged("missing_numbers", float(n or 0), "files", limits, good, bad)


def file_facts(c: Context) -> Check:
    """Size, length, rate and type of the file against what is known beforehand."""
    limits, expected = c.limits["file"], c.declared.get("expected") or {}
    facts = ("frames", "rows", "columns", "dtype", "frame_rate_hz")
    if not any(expected.get(key) is not None for key in facts):
        why = "nothing is expected of the file (recordings.<label>.expected)"
        return unmeasured("file", "facts", limits, why)
    found = {
        "frames": c.record.get("frames_header") or c.record.get("frames_read"),
        "rows": c.metadata.get("source_height"),
        "columns": c.metadata.get("source_width"),
        "dtype": c.metadata.get("source_dtype"),
        "frame_rate_hz": c.record.get("rate_nominal_hz"),
    }
    off = file_disagreements(found, expected)
    good = "the file is what is expected"
    return judged("file", float(len(off)), "facts", limits, good, "; ".join(off))


def lost_frames(c: Context) -> Check:
    """Frames lost with the damaged end of a file."""
    limits = c.limits["lost_frames"]
    n, why = c.record.get("frames_lost"), c.record.get("loss")
    if not n and not why:
        return judged("lost_frames", 0.0, "frames", limits, "nothing was lost", "")
    many = f"{n} frames were" if n else "an unknown number of frames was"
    bad = f"{many} lost with the damaged end of the file ({why}): get a whole copy"
    # a file without a header's promise may have lost any number
    return judged("lost_frames", float(n or 1), "frames", limits, "", bad)


def irregular_stamps(c: Context) -> Check:
    """Gaps and duplicates among the time stamps."""
    limits, n = c.limits["irregular_stamps"], c.record.get("frames_read")
    gaps, twice = c.record.get("gaps"), c.record.get("duplicate_stamps")
    if gaps is None or twice is None or not n:
        return unmeasured("irregular_stamps", "share", limits, "the plume has no record of them")
    longest = c.record.get("longest_interval_s")
    bad = f"time stamps have {gaps} gaps and {twice} duplicates"
    if longest is not None:
        bad += f", the longest interval is {longest:.3g} s"
    bad += ": they are kept as they are (normalize.resample makes them even)"
    good = "time stamps are regular"
    return judged("irregular_stamps", (gaps + twice) / n, "share", limits, good, bad)


def _share(c: Context, name: str, value: float | None, bad: str, good: str) -> Check:
    limits = c.limits[name]
    if value is None:
        return unmeasured(name, "share", limits, "the numbers of the file have no largest one")
    return judged(name, value, "share", limits, good, f"{100 * value:.2g} % {bad}")


def saturation(c: Context) -> Check:
    """Pixels at the largest number of the file."""
    value = c.record.get("saturated_fraction")
    bad = "of pixel-frames are at the largest number of the file: the top of whiffs is cut off"
    return _share(c, "saturation", value, bad, "the camera did not saturate")


def colour_map(c: Context) -> list[Check]:
    """Colours that are not of the map; none where there is no map."""
    value = c.record.get("not_of_the_colour_map_fraction")
    if value is None:
        return []
    bad = (
        "of pixel-frames have a colour that is not of normalize.false_colour.map: another map,"
        " lettering (crop or mask it), or a smaller tolerance than the codec needs"
    )
    return [_share(c, "colour_map", value, bad, "the colours are those of the map")]


def constant(c: Context) -> list[Check]:
    """A movie that holds one number only; nothing of others."""
    found = c.record.get("concentration")
    if not found or found["max"] > found["min"]:
        return []
    says = (
        f"every pixel of every frame is at {found['max']:.4g}: no odour was recorded, or another"
        " reader.dataset, reader.channel, crop or calibration is needed to see it"
    )
    return [Check("constant", None, "", None, None, WARN, says)]


def clipping(c: Context) -> Check:
    """Concentrations outside what is stored."""
    low, high = c.record.get("clipped_low_fraction"), c.record.get("clipped_high_fraction")
    value = None if low is None or high is None else low + high
    bad = (
        "of pixel-frames are outside what is stored: normalize.storage.minimum and maximum, or"
        " calibration"
    )
    return _share(c, "clipping", value, bad, "nothing that matters is outside what is stored")


def noise(c: Context) -> Check:
    """Noise of a pixel in blank air."""
    limits, found = c.limits["noise"], c.metadata.get("noise")
    if not found:
        how = c.record.get("blank_found") or "no part of the image is free of plume"
        return unmeasured("noise", "concentration", limits, f"no blank air: {how}")
    share = found["sd"]
    says = f"a pixel in blank air has a standard deviation of {share:.3g}"
    bad = f"{says}: average pixels (normalize.resample.mm_per_px), and give sensors a dead zone"
    return judged("noise", share, "concentration", limits, says, bad)


def conservation(c: Context) -> Check:
    """Total concentration through resampling."""
    limits = c.limits["conservation"]
    ratio = (c.record.get("conservation") or {}).get("ratio")
    if ratio is None:
        why = "the plume has no record of it"
        return unmeasured("conservation", "relative", limits, why)
    says = f"resampling keeps {100 * ratio:.4g} % of total concentration"
    bad = f"{says}: part of the plume is cut off (crop, mask), or resample.mm_per_px is too coarse"
    return judged("conservation", abs(ratio - 1), "relative", limits, says, bad)


def fidelity(c: Context) -> Check:
    """The normalized movie, sent back through its chain, against the file's frames."""
    limits = c.limits["fidelity"]
    found = c.record.get("fidelity") or {}
    r = found.get("r")
    if r is None:
        return unmeasured("fidelity", "r", limits, "the plume has no record of it")
    says = f"sent back through its chain, the plume correlates with the file at r = {r:.4f}"
    bad = f"{says}: a step of normalize loses what the file shows"
    return judged("fidelity", r, "r", limits, says, bad, falling=True)


def record_checks(c: Context) -> list[Check]:
    """All of them."""
    return [
        frames_read(c),
        missing_numbers(c),
        file_facts(c),
        lost_frames(c),
        irregular_stamps(c),
        missing_frames(c),
        repeated_frames(c),
        saturation(c),
        *colour_map(c),
        *constant(c),
        clipping(c),
        noise(c),
        conservation(c),
        fidelity(c),
    ]
