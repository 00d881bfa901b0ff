"""Checks of a movie: its measures against what is declared and what is allowed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav.quality.checks import (
    FAIL,
    NOT_JUDGED,
    PASS,
    Check,
    explained,
    judged,
    unjudged,
    unmeasured,
)
from plumenav.quality.expected import disagreements
from plumenav.quality.measure import DeadZone, Measures
from plumenav.quality.orientation import (
    DIRECTION_DEG,
    MIRRORINGS,
    Declared,
    Measured,
    explanations,
)

Limits = Mapping[str, Any]
LEAST_CONFIDENCE = 0.15
# Small whiffs are a little longer along the wind than across: synthetic plumes gave 0.9 to 1.7, a
# real one 0.9 to 1.0; this is the middle.
USUAL_LENGTH = 1.25


class Context:
    """What a check may look at: measures, the plume's metadata, and the job's settings.

    Parameters
    ----------
    measures : Measures
    metadata : dict
        Of the plume.
    settings : dict
        `quality` (the config's section), `wind` (of the recording), `nominal`, `dead_zones`.
    """

    def __init__(
        self, measures: Measures, metadata: dict[str, Any], settings: dict[str, Any]
    ) -> None:
        self.measures, self.metadata, self.settings = measures, metadata, settings
        self.limits: dict[str, Any] = settings["quality"]
        self.record: dict[str, Any] = metadata.get("quality") or {}
        self.declared: dict[str, Any] = metadata.get("normalization") or {}
        shorter = min(int(metadata["height"]), int(metadata["width"]))
        self.shorter_mm = shorter * float(metadata["mm_per_px"])

    @property
    def wind_known(self) -> bool:
        """The movie gives its wind, reliably enough to be compared."""
        measures = self.measures
        return measures.wind_mm_s is not None and measures.motion.confidence >= LEAST_CONFIDENCE

    @property
    def why_no_wind(self) -> str:
        """Why not."""
        confidence = f"confidence {self.measures.motion.confidence:.2f}"
        return self.measures.motion.reason or f"the movie's motion is not clear ({confidence})"


def scale(c: Context) -> Check:
    """Declared wind speed against the measured one."""
    limits, wind = c.limits["scale"], c.settings["wind"]
    if not c.wind_known or c.measures.wind_mm_s is None:
        return unmeasured("scale", "1", limits, c.why_no_wind)
    declared, found = float(wind["speed_mm_s"]), c.measures.wind_mm_s
    if declared <= 0:
        why = f"no wind is declared; the pattern moves at {found:.4g} mm/s"
        return unmeasured("scale", "1", limits, why)
    factor = declared / found
    off = max(factor, 1 / factor) - 1
    both = f"the pattern moves at {found:.4g} mm/s, declared are {declared:g} mm/s"
    bad = (
        f"{both}: mm_per_px x frame_rate_hz should be {factor:.3g} times what it is, or"
        " wind.speed_mm_s is wrong"
    )
    return judged("scale", off, "relative", limits, both, bad)


def wind_direction(c: Context) -> Check:
    """Declared wind direction against the measured one."""
    limits = c.limits["wind_direction_deg"]
    if not c.wind_known or c.measures.wind_deg is None:
        return unmeasured("wind_direction", "degrees", limits, c.why_no_wind)
    declared = float(c.settings["wind"]["toward_deg"])
    off = (c.measures.wind_deg - declared + 180) % 360 - 180
    both = (
        f"the pattern moves towards {c.measures.wind_deg:.1f} degrees from +x, declared are"
        f" {declared:g}"
    )
    bad = f"{both}: wind_toward (an angle is possible) or wind.toward_deg is wrong"
    return judged("wind_direction", abs(off), "degrees", limits, both, bad)


def source(c: Context) -> Check:
    """Where the plume begins against the declared source."""
    limits, found = c.limits["source_offset"], c.measures.source_mm
    if found is None:
        why = "no plume stands out from its surroundings"
        return unmeasured("source", "share of the shorter side", limits, why)
    off_mm = source_off_mm(found, c.measures.source_at_edge, c.measures.wind_deg)
    edge = ", at the edge of the image or upstream of it" if c.measures.source_at_edge else ""
    both = (
        f"the plume begins at x {found[0]:.1f}, y {found[1]:.1f} mm from the declared source{edge}"
    )
    bad = f"{both}: {off_mm:.3g} mm off: source_px (or crop) is wrong"
    return judged("source", off_mm / c.shorter_mm, "share of the shorter side", limits, both, bad)


def source_off_mm(found_mm: tuple[float, float], at_edge: bool, wind_deg: float | None) -> float:
    """Distance of the declared source from the estimated one, mm.

    A plume that is already there at the image's edge may begin anywhere upstream of it.

    Examples
    --------
    >>> source_off_mm((3.0, 4.0), False, 0.0), source_off_mm((3.0, 4.0), True, 0.0)
    (5.0, 4.0)
    """
    if not at_edge:
        return math.hypot(*found_mm)
    angle = math.radians(wind_deg or 0.0)
    along = found_mm[0] * math.cos(angle) + found_mm[1] * math.sin(angle)
    across = -found_mm[0] * math.sin(angle) + found_mm[1] * math.cos(angle)
    return math.hypot(min(0.0, along), across)


def declared_of(metadata: dict[str, Any], toward_deg: float) -> Declared | None:
    """How the settings describe the file; None if the plume does not say."""
    told = metadata.get("normalization")
    if not told or not told.get("source_px"):
        return None
    edges = told["mm_per_px"]
    per_px = (edges["row"], edges["column"]) if isinstance(edges, dict) else (edges, edges)
    toward = told["wind_toward"]
    sides = (metadata.get("source_height"), metadata.get("source_width"))
    return Declared(
        (told["source_px"]["row"], told["source_px"]["column"]),
        DIRECTION_DEG[toward] if isinstance(toward, str) else float(toward),
        bool(told["mirrored"]),
        per_px,
        (int(sides[0]), int(sides[1])) if sides[0] and sides[1] else None,
        toward_deg,
    )


def orientation(c: Context) -> Check:
    """Whether the file is turned or mirrored against the settings."""
    no_limits = {"warn": None, "fail": None}
    declared = declared_of(c.metadata, float(c.settings["wind"]["toward_deg"]))
    if not c.wind_known or c.measures.wind_deg is None or declared is None:
        why = c.why_no_wind if declared is not None else "the plume does not say how it was made"
        return unmeasured("orientation", "", no_limits, why)
    measured = Measured(c.measures.wind_deg, c.measures.source_mm, c.measures.source_at_edge)
    most_deg = c.limits["wind_direction_deg"]["fail"]
    most_share = c.limits["source_offset"]["fail"]
    fits, others = explanations(
        declared,
        measured,
        180.0 if most_deg is None else most_deg,
        math.inf if most_share is None else most_share * c.shorter_mm,
    )
    if fits:
        says = "wind and source are where they are declared to be"
        if any(other.what.endswith(MIRRORINGS) for other in others):
            says += (
                "; whether the image is mirrored cannot be told, because the source is in its"
                " middle"
            )
        return Check("orientation", None, "", None, None, PASS, says)
    if others:
        says = "; or ".join(f"{other.what}: change {other.change}" for other in others)
        return Check("orientation", None, "", None, None, FAIL, says)
    says = "no turning or mirroring of the image would make wind and source fit"
    return Check("orientation", None, "", None, None, NOT_JUDGED, says)


def isotropy(c: Context) -> Check:
    """Whether pixels are square."""
    limits, widths = c.limits["isotropy"], c.measures.widths
    if widths.row is None or widths.column is None:
        why = c.measures.motion.reason or "whiffs are larger than the image"
        return unmeasured("isotropy", "times the usual", limits, why)
    ratio = widths.column / widths.row
    says = f"small whiffs are {ratio:.2g} times as long along x as across"
    bad = (
        f"{says}: pixels are not square as declared; give mm_per_px for row and column (were they"
        " exchanged?)"
    )
    off = max(ratio / USUAL_LENGTH, USUAL_LENGTH / ratio)
    return judged("isotropy", off, "times the usual", limits, says, bad)


def residual_background(c: Context) -> Check:
    """Mean of plume-free pixels."""
    limits, found = c.limits["residual_background"], c.measures.residual_mean
    if found is None:
        why = "the plume leaves no part of the image free"
        return unmeasured("residual_background", "concentration", limits, why)
    says = f"plume-free pixels are at {found:.3g} of concentration 1"
    noise = c.metadata.get("noise")
    if noise and noise["sd"] > 0:
        says += f", {found / noise['sd']:.2g} times the noise"
    bad = f"{says}: a background was not subtracted (normalize.background, or calibration.zero)"
    return judged("residual_background", abs(found), "concentration", limits, says, bad)


def background_structure(c: Context) -> Check:
    """Differences between plume-free pixels."""
    limits, found = c.limits["background_structure"], c.measures.residual_sd
    if found is None:
        why = "the plume leaves no part of the image free"
        return unmeasured("background_structure", "concentration", limits, why)
    says = f"plume-free pixels differ by {found:.2g} (standard deviation)"
    bad = (
        f"{says}: the background is not even; subtract an image of it (normalize.background) and"
        " correct the light (normalize.flat_field)"
    )
    return judged("background_structure", found, "concentration", limits, says, bad)


def polarity(c: Context) -> Check:
    """Whether odour makes pixels brighter."""
    limits, found = c.limits["skewness"], c.measures.skewness
    if found is None:
        return unmeasured("polarity", "skewness", limits, "nothing fluctuates")
    says = f"odour comes in bright whiffs (skewness {found:.2g})"
    contrast = c.measures.contrast
    if contrast is not None and contrast > 0:
        # a plume that stands, or that a camera saturates in, has more gaps than whiffs
        says = f"the plume is {contrast:.3g} brighter than clean air (skewness {found:.2g})"
        low, fail = limits["warn"], limits["fail"]
        return Check("polarity", found, "skewness", low, fail, PASS, says)
    bad = (
        f"odour makes pixels darker (skewness {found:.2g}): normalize.polarity should be dark (or"
        " bright, if it is dark now)"
    )
    return judged("polarity", found, "skewness", limits, says, bad, falling=True)


def geometry_checks(c: Context) -> list[Check]:
    """What is said of scale, wind, source, orientation; nominal ones are not judged."""
    checks = [isotropy(c), orientation(c), scale(c), wind_direction(c), source(c)]
    if not c.settings["nominal"]:
        return checks
    named = {"orientation", "scale", "wind_direction"}
    why = "scale and wind are nominal"
    return [unjudged(k, f"not judged ({why}): {k.says}") if k.name in named else k for k in checks]


def noise_on(c: Context) -> Check:
    """What noise alone does to the fly ON/OFF model."""
    limits, means = c.limits["noise_on"], c.measures.on_means
    if not means:
        return unmeasured("noise_on", "ON", limits, "there is no blank air to measure it in")
    bare = means["none"]
    zones: list[DeadZone | None] = [
        DeadZone(**zone) if zone else None for zone in c.settings["dead_zones"]
    ]
    if not zones:
        says = f"noise keeps a bare ON filter at {bare:.2g} (no agent of this run has one)"
        bad = f"{says}: give an on_off agent a dead zone (sensor.dead_zone) here"
        return judged("noise_on", bare, "ON", {**limits, "fail": None}, says, bad)
    with_zone = {zone.name: means[zone.name] for zone in zones if zone is not None}
    found = bare if None in zones else max(with_zone.values())
    how = (
        "without dead zone"
        if None in zones
        else f"with the dead zone {max(with_zone, key=with_zone.__getitem__)}"
    )
    says = f"noise alone keeps ON at {found:.2g} {how} (bare: {bare:.2g})"
    bad = f"{says}: noise alone steers agents of model on_off upwind; raise sensor.dead_zone"
    return judged("noise_on", found, "ON", limits, says, bad)


def statistics(c: Context) -> Check:
    """Statistics of concentration against what is known beforehand."""
    limits = c.limits["statistics"]
    expected = c.declared.get("expected") or {}
    found = c.record.get("concentration") or {}
    if not any(expected.get(k) is not None for k in ("mean", "median", "p95", "p99", "maximum")):
        why = "no statistics are expected (recordings.<label>.expected)"
        return unmeasured("statistics", "relative", limits, why)
    off = disagreements(found, expected, limits["warn"] or 0.0)
    if not off:
        return judged("statistics", 0.0, "relative", limits, "statistics are as expected", "")
    parts = [f"{d.statistic} {d.found:.4g}, expected {d.expected:.4g}" for d in off]
    causes = dict.fromkeys(d.cause for d in off if d.cause)
    bad = "; ".join(parts) + (f": {', '.join(causes)}" if causes else "")
    return judged("statistics", max(d.relative for d in off), "relative", limits, "", bad)


def all_checks(c: Context) -> list[Check]:
    """Every check of a movie, those not judged that another fault spoils."""
    from plumenav.quality.records import record_checks

    checks = [
        *geometry_checks(c),
        polarity(c),
        residual_background(c),
        background_structure(c),
        *record_checks(c),
        noise_on(c),
        statistics(c),
    ]
    return explained(checks)
