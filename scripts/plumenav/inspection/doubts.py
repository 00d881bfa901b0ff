"""Doubts about a recording, in words: one small rule each, over the facts that probe collected."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Report = dict[str, Any]

SATURATED = 1e-3  # share of pixel-frames that is worth a word
RATE_TOLERANCE = 5e-3
UNLIKELY_HZ = 10_000.0
UNLIKELY_ASPECT = 4.0
BACKGROUND_SHARE = 0.05


def _count(report: Report) -> str | None:
    promised, read = report["reader"]["frames_promised"], report["read"]
    if not read["complete"] or promised is None or promised == read["frames"]:
        return None
    return f"the header promises {promised} frames, {read['frames']} arrived"


def _depth(report: Report) -> str | None:
    reader, levels = report["reader"], report["intensity"]
    if reader["dtype"] != "uint16" or levels["maximum"] <= 0:
        return None
    step = levels["multiple_of"] or 1
    if step >= 4 and math.log2(step).is_integer():
        return (
            f"16-bit file whose values are all multiples of {step}: "
            f"{16 - int(math.log2(step))} bits, shifted up"
        )
    for bits in (8, 10, 12, 14):
        if levels["maximum"] < 2**bits:
            kind = "was it 8 bits once?" if bits == 8 else f"a {bits}-bit camera?"
            return (
                f"16-bit file with values below {2**bits}: {kind} "
                "Saturation would be there, not at 65535"
            )
    return None


def _cut(report: Report) -> str | None:
    deep, bits = report["reader"]["extra"].get("bits_per_channel"), report["reader"]["bits"]
    if deep is None or deep <= bits:
        return None
    return (
        f"the file has {deep} bits per channel and the decoder hands out {bits}: store gray FFV1, "
        "TIFF or HDF5 to keep them"
    )


def _saturated(report: Report) -> str | None:
    levels = report["intensity"]
    full = levels["saturated_fraction"]
    if full is not None and full > SATURATED:
        return (
            f"{100 * full:.2g} % of pixel-frames are saturated: concentration above that is lost "
            "(another exposure, or a copy before it was cut to fewer bits)"
        )
    at_top = levels["at_maximum_fraction"]
    if at_top > SATURATED and levels["maximum"] > levels["percentiles"]["50"]:
        return (
            f"{100 * at_top:.2g} % of pixel-frames have exactly the largest value "
            f"{levels['maximum']:g}: clipped before it was stored?"
        )
    return None


def _tv_range(report: Report) -> str | None:
    levels = report["intensity"]
    if report["reader"]["dtype"] != "uint8" or report["reader"]["reader"] != "video":
        return None
    if levels["minimum"] == 16 and levels["maximum"] <= 235:
        return "values start at exactly 16: video range (16 to 235)? Zero light is then 16, not 0"
    return None


def _not_finite(report: Report) -> str | None:
    bad = report["intensity"]["not_finite"]
    return f"{bad} values are not finite numbers: normalization will refuse them" if bad else None


def _background(report: Report) -> str | None:
    plume = report["plume"]
    if plume["background_share"] <= BACKGROUND_SHARE:
        return None
    return (
        f"something stands still at {plume['background_level']:.4g}, "
        f"{100 * plume['background_share']:.0f} % of the bright end of the movie: a background "
        "that nobody subtracted?"
    )


def _polarity(report: Report) -> str | None:
    if report["plume"]["polarity"] == "dark":
        return "the plume darkens the image: normalize.polarity must say so"
    if report["plume"]["polarity"] == "unclear" and not report["plume"]["all_quiet"]:
        return "whether the plume brightens or darkens the image is not clear from these frames"
    return None


def _plume(report: Report) -> str | None:
    if report["plume"]["all_quiet"] and not report["read"]["complete"]:
        return (
            f"no plume in the first {report['plume']['quiet_frames']} frames: "
            "read more (--frames, --full)"
        )
    return "no plume in the whole recording" if report["plume"]["all_quiet"] else None


def _clock(report: Report) -> str | None:
    nominal, time = report["reader"]["rate_nominal_hz"], report["time"]
    if "frame_rate_hz" in report["preset_knows"]:
        return None
    if time is None and nominal is None:
        candidates = report["reader"]["extra"].get("one_number_per_frame") or []
        if candidates:
            return (
                f"no clock is used, and {', '.join(candidates)} holds one number per frame:"
                " if these are seconds, set reader.time_dataset"
            )
        return "the file has neither time stamps nor a frame rate: frame_rate_hz must say it"
    if nominal is not None and nominal > UNLIKELY_HZ:
        return f"the file claims {nominal:g} frames per second: set frame_rate_hz"
    if time is None or nominal is None or time["rate_measured_hz"] is None:
        return None
    if abs(time["rate_measured_hz"] / nominal - 1) > RATE_TOLERANCE:
        return (
            f"nominally {nominal:.5g} Hz, but the stamps say "
            f"{time['rate_measured_hz']:.5g} Hz: the stamps are used unless frame_rate_hz is set"
        )
    return None


def _irregular(report: Report) -> str | None:
    time = report["time"]
    if time is None:
        return None
    parts = []
    if time["backwards"]:
        parts.append(f"time runs backwards {time['backwards']} times")
    if time["gaps"]:
        parts.append(f"{time['gaps']} gaps (the longest interval is {time['longest_s']:.4g} s)")
    if time["duplicates"]:
        parts.append(f"{time['duplicates']} intervals of 0 s")
    return "time stamps: " + ", ".join(parts) if parts else None


def _repeated(report: Report) -> str | None:
    repeated = report["read"]["repeated_frames"]
    if not repeated:
        return None
    return f"{repeated} frames equal the one before in every pixel: the camera or a copy repeats"


def _axes(report: Report) -> str | None:
    right = ["frame", "row", "column"]
    fits = report["presets"]
    if fits and all(fit["axes"] != right for fit in fits):
        order = ", ".join(fits[0]["axes"])
        return (
            f"the shape is that of preset {fits[0]['name']} with its axes in the order {order}: "
            f"reader.axes must say [{order}]"
        )
    reader = report["reader"]
    height, width = reader["rows"], reader["columns"]
    if reader["reader"] == "video" or max(height, width) <= UNLIKELY_ASPECT * min(height, width):
        return None
    return (
        f"images of {height} x {width} pixels are unlikely: does another axis count the frames? "
        "Then reader.axes must say so"
    )


def _colour(report: Report) -> str | None:
    colour = report["colour"]
    if colour is None or colour["equal"]:
        return None
    if colour["false_colour"]:
        return "looks like a picture in false colour: normalize.false_colour must name its map"
    if colour["coloured_fraction"] > 0.01:
        return (
            f"{100 * colour['coloured_fraction']:.0f} % of pixels have colour: which channel is "
            "the plume? reader.channel (gray weighs the three)"
        )
    return None


RULES: tuple[Callable[[Report], str | None], ...] = (
    _count,
    _axes,
    _clock,
    _irregular,
    _repeated,
    _depth,
    _cut,
    _saturated,
    _tv_range,
    _not_finite,
    _colour,
    _plume,
    _background,
    _polarity,
)


def doubts(report: Report) -> list[str]:
    """All doubts about a recording.

    Parameters
    ----------
    report : dict
        Sections reader, read, time, intensity, colour, plume and presets of
        :func:`plumenav.inspection.probe.probe`.
    """
    return [said for rule in RULES if (said := rule(report)) is not None]
