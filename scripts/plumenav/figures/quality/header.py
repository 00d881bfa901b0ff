"""What the recording is, how it was read, and the verdict."""

from __future__ import annotations

from plumenav.figures.quality.contents import Contents
from plumenav.figures.quality.placing import NOTE_PT, WIDTH_MM, Sheet, short, width_mm, wrapped
from plumenav.figures.quality.table import mark_of

LINE_MM = 2.75
TOP_MM = 6.0


def draw_header(sheet: Sheet, c: Contents, lines: list[str]) -> None:
    """Label and verdict, and the facts below."""
    sheet.text(0, 0.3, c.label, fontsize=10, fontweight="bold")
    sheet.text(width_mm(c.label, 10) * 1.16 + 4, 1.1, "quality of the recording", fontsize=7)
    text, colour = mark_of(c.quality["status"])
    sheet.text(WIDTH_MM, 0.3, text, ha="right", fontsize=10, fontweight="bold", color=colour)
    sheet.rule(5.0, lw=0.8)
    sheet.text(0, TOP_MM, "\n".join(lines), fontsize=NOTE_PT, linespacing=1.25)


def height_mm(lines: list[str]) -> float:
    """Height of the header."""
    return TOP_MM + LINE_MM * len(lines) + 1.5


def facts(c: Contents) -> list[str]:
    """Facts in lines that fit the page."""
    sentences = [file_fact(c), plume_fact(c), concentration_fact(c), *warnings(c)]
    return [
        line for sentence in sentences if sentence for line in wrapped(sentence, WIDTH_MM, NOTE_PT)
    ]


def file_fact(c: Contents) -> str:
    """The file, and what read it."""
    m = c.metadata
    parts = [str(m.get("recording") or "no file")]
    if m.get("recording_format"):
        parts.append(str(m["recording_format"]))
    if m.get("source_height"):
        parts.append(f"{m['source_height']} x {m['source_width']} pixels")
    # some formats say it themselves
    if m.get("source_bits") and str(m.get("source_dtype")) not in str(m.get("recording_format")):
        parts.append(f"{m['source_bits']} bits")
    said = ", ".join(parts)
    if m.get("reader"):
        said += f"; reader {m['reader']}, {m.get('decoder', '')} {m.get('decoder_version', '')}"
    if m.get("recording_sha256"):
        said += f"; sha256 {m['recording_sha256'][:10]}"
    return f"File: {said.strip()}."


def plume_fact(c: Contents) -> str:
    """The plume: size, scale, frames, rate."""
    m, record = c.metadata, c.record
    n = len(c.time_s)
    length = float(c.time_s[-1] - c.time_s[0]) if n else 0.0
    said = f"Plume: {m['height']} x {m['width']} pixels of {m['mm_per_px']:g} mm, {m['dtype']}"
    said += f", {n} frames in {short(length, 4)} s"
    rate = record.get("rate_measured_hz")
    if rate:
        said += f", {short(rate, 4)} Hz by its time stamps"
    nominal = record.get("rate_nominal_hz")
    if nominal:
        said += f" ({short(nominal, 4)} Hz in the header)"
    preset = (m.get("normalization") or {}).get("preset")
    return said + (f"; preset {preset}" if preset else "") + "."


def concentration_fact(c: Contents) -> str:
    """Concentration: what 1 is, and its distribution."""
    found = c.record.get("concentration") or {}
    unit = c.metadata.get("unit")
    said = []
    if unit:
        said.append(f"1 is {'the source' if unit == 'fraction of source' else unit}")
    values = [
        f"{name} {short(round(found[key], 6) + 0.0)}"
        for key, name in (
            ("min", "min"),
            ("median", "median"),
            ("mean", "mean"),
            ("p95", "95 %"),
            ("p99", "99 %"),
            ("max", "max"),
        )
        if found.get(key) is not None
    ]
    said += values
    correlation = c.measures.get("correlation_time_s")
    if correlation is not None:
        said.append(f"correlation time {short(correlation, 2)} s")
    return f"Concentration: {', '.join(said)}." if said else ""


def warnings(c: Contents) -> list[str]:
    """What is nominal, and what was lost."""
    said = []
    if c.nominal:
        said.append(
            "Nominal: scale and wind were assumed, not measured; distances, speeds and times show"
            " only that the workflow runs."
        )
    lost = loss_of(c)
    return [*said, f"Lost: {lost}."] if lost else said


def loss_of(c: Contents) -> str:
    """What was lost with the damaged end of a file; empty if nothing was."""
    lost, why = c.record.get("frames_lost"), c.record.get("loss")
    if not lost and not why:
        return ""
    many = f"{lost} frames" if lost else "an unknown number of frames"
    return f"{many} at the damaged end of the file ({why})"
