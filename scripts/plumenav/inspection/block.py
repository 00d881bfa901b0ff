"""A block of config for a recording that was probed: what is known is filled in, the rest is empty.

Keys that only their owner can know (scale, source, wind) are there without a value. A check of
the config asks for each of them by name; no default steps in silently.
"""

from __future__ import annotations

import json
import re
from typing import Any

MEASURE = "# measure this:"


def label_of(name: str) -> str:
    """A label for a recording, from the name of its file.

    Examples
    --------
    >>> label_of("2018-09-12 smoke.avi")
    'recording_2018_09_12_smoke'
    """
    words = re.sub(r"[^A-Za-z0-9]+", "_", name.rsplit(".", 1)[0]).strip("_")
    return (words if words[:1].isalpha() else f"recording_{words}")[:40].rstrip("_")


def _value(value: Any) -> str:
    """A value in YAML's flow style (JSON is YAML)."""
    return json.dumps(value, ensure_ascii=False)


def _reader(report: dict[str, Any]) -> list[str]:
    reader = report["reader"]
    keys = {key: reader[key] for key in ("dataset", "time_dataset", "axes") if reader.get(key)}
    if not keys:
        return []
    inner = ", ".join(f"{key}: {_value(value)}" for key, value in keys.items())
    return [f"reader: {{{inner}}}"]


def _scale(report: dict[str, Any], known: set[str]) -> list[str]:
    peak, motion = report["plume"]["peak_px"], report["motion"]
    source, toward, speed = "", "", ""
    if peak:
        source = f" (mean plume: strongest at row {peak['row']}, column {peak['column']})"
    if motion:
        toward = f" (the pattern moves towards {motion['toward']})"
        speed = f" (the pattern moves {motion['px_s']:.3g} px/s)"
    empty = {
        "mm_per_px": f"mm_per_px:      {MEASURE} mm between two marks / pixels between them",
        "source_px": f"source_px:      {MEASURE} {{row: , column: }} in the image{source}",
        "wind_toward": f'wind_toward:    {MEASURE} "+column" is right, "-column" left, "+row" down,'
        f' "-row" up{toward}',
        "wind": f"wind: {{speed_mm_s: }}   {MEASURE} mm/s{speed}",
    }
    return [line for key, line in empty.items() if key not in known]


def _rate(report: dict[str, Any], known: set[str]) -> list[str]:
    nominal = report["reader"]["rate_nominal_hz"]
    no_clock = report["time"] is None and nominal is None
    if "frame_rate_hz" in known or not (no_clock or (nominal or 0) > 1e4):
        return []
    return [f"frame_rate_hz:  {MEASURE} frames per second; the file does not say"]


def _normalize(report: dict[str, Any]) -> list[str]:
    plume, levels = report["plume"], report["intensity"]
    lines = []
    colour = report["colour"]
    if colour and colour["false_colour"]:
        lines.append(
            f"false_colour: {{map: , low: , high: }}   {MEASURE} the map, and what its ends mean"
        )
    if plume["background_frames"] and not plume["all_quiet"]:
        lines.append(
            f"background: {{method: mean, frames: {_value(plume['background_frames'])}}}"
            f"   # {plume['quiet_frames']} frames at the start show no plume"
        )
    elif plume["background_share"] > 0.02:
        lines.append(
            "# background: the start shows plume. {method: image, image: FILE}, or a percentile"
        )
        clear = 95 if plume["polarity"] == "dark" else 5
        lines.append(
            f"#   of frames: {{method: percentile, percentile: {clear}, frames: [first, end]}}"
        )
    if plume["polarity"] == "dark":
        lines.append("polarity: {kind: dark}   # or absorbance, where light passes through")
    fraction = levels["minimum"] > -0.5 and levels["percentiles"]["99.9"] <= 2
    if report["reader"]["dtype"].startswith("float") and fraction:
        lines.append(
            "calibration: {zero: 0, one: 1}   # the numbers look like a fraction of the source"
        )
    else:
        lines.append(
            f"calibration: {{zero: 0, one: }}   {MEASURE} intensity at the source above background"
        )
    return lines


def block(report: dict[str, Any], label: str) -> str:
    """YAML that goes into a config file.

    Parameters
    ----------
    report : dict
        Of :func:`plumenav.inspection.probe.probe`.
    label : str
        Of the recording.

    Returns
    -------
    str
        Parses as YAML: {"recordings": {label: {...}}}; keys to be measured are empty.
    """
    preset = report["preset"]
    known = set(report["preset_knows"])
    lines = [f"path: {_value(report['path'])}"]
    if preset:
        lines.append(f"preset: {preset}")
    lines += _reader(report)
    lines += _scale(report, known)
    lines += _rate(report, known)
    if "normalize" not in known:
        lines += ["normalize:", *(f"  {line}" for line in _normalize(report))]
    return "\n".join(["recordings:", f"  {label}:", *(f"    {line}" for line in lines)]) + "\n"
