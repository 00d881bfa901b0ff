"""report.html: one page that stands alone, readable without network, scripts or plumenav."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from plumenav.performance.usage import job_files, read_jobs
from plumenav.tables import read_json, write_text

logger = logging.getLogger(__name__)

SVG_LIMIT = 700_000  # bytes; a larger drawing is embedded as PNG if that is smaller
PAGE_LIMIT = 10_000_000


def number(value: Any, digits: int = 3) -> str:
    """A number for readers: significant digits, a dash for what does not exist.

    Examples
    --------
    >>> number(0.98765), number(None), number(1234567.0), number(True)
    ('0.988', '–', '1234567', 'yes')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e9:
            return f"{value:.0f}"
        text = f"{value:.{digits}g}"
        return f"{value:.0f}" if "e+" in text and abs(value) < 1e9 else text
    return str(value)


def close_to_one(value: float) -> str:
    """A correlation for readers: never rounded up to 1.

    Examples
    --------
    >>> close_to_one(1.0), close_to_one(0.99999999), close_to_one(0.951)
    ('1', '1 − 1e-08', '0.951')
    """
    if 0 < 1 - value < 1e-3:
        return f"1 − {1 - value:.1g}"
    return number(float(value))


def concentration(value: float | None) -> str:
    """A concentration for readers: what is below a millionth of the source is 0.

    Examples
    --------
    >>> concentration(-2.8e-17), concentration(0.0391), concentration(None)
    ('0', '0.0391', '–')
    """
    return number(None if value is None else round(value, 6) + 0.0)


def percent(value: float | None) -> str:
    """A share as a percentage with one decimal; a dash for what does not exist.

    Examples
    --------
    >>> percent(0.1234), percent(None)
    ('12.3', '–')
    """
    return "–" if value is None else f"{100 * value:.1f}"


def interval(row: dict[str, Any], prefix: str = "") -> str:
    """A success rate with its interval, in percent.

    Examples
    --------
    >>> interval({"success_rate": 0.5, "ci_low": 0.4, "ci_high": 0.6})
    '50.0 (40.0 to 60.0)'
    """
    rate = row[f"{prefix}success_rate"]
    if rate is None:
        return "–"
    low, high = row[f"{prefix}ci_low"], row[f"{prefix}ci_high"]
    return f"{percent(rate)} ({percent(low)} to {percent(high)})"


def _level(level: dict[str, Any]) -> str:
    return f"{number(float(level['value']))}{' noise sd' if level['unit'] == 'noise_sd' else ''}"


def senses(agent: dict[str, Any]) -> str:
    """What an agent of a resolved config smells with, and whether it feels the wind.

    Examples
    --------
    >>> level = {"value": 5.0, "unit": "noise_sd"}
    >>> sensor = {"shape": "pair", "parameters": {"separation_mm": 2.0}, "threshold": level,
    ...           "interpolation": "nearest", "dead_zone": None, "noise": None,
    ...           "adaptation": {"tau_s": 2.0, "half_level": 0.1}}
    >>> senses({"sensor": sensor, "wind": "off"})
    'pair (separation_mm 2), nearest; threshold 5 noise sd; adapts in 2 s (half at 0.1); no wind'
    """
    sensor = agent["sensor"]
    sizes = ", ".join(f"{k} {number(float(v))}" for k, v in (sensor["parameters"] or {}).items())
    parts = [f"{sensor['shape']}{f' ({sizes})' if sizes else ''}, {sensor['interpolation']}"]
    for name, words in (("threshold", "threshold"), ("dead_zone", "dead zone"), ("noise", "noise")):
        if sensor[name] is not None:
            parts.append(f"{words} {_level(sensor[name])}")
    if sensor["adaptation"] is not None:
        tau_s, half = (float(sensor["adaptation"][k]) for k in ("tau_s", "half_level"))
        parts.append(f"adapts in {number(tau_s)} s (half at {number(half)})")
    if agent["wind"] == "off":
        parts.append("no wind")
    return "; ".join(parts)


def data_uri(path: Path) -> str:
    """A picture as a data URI."""
    kind = {"svg": "image/svg+xml", "png": "image/png"}[path.suffix[1:]]
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def picture(base: Path) -> Path:
    """SVG or PNG of a figure (path without suffix): the drawing unless it is large."""
    svg, png = base.with_name(base.name + ".svg"), base.with_name(base.name + ".png")
    large = svg.stat().st_size > SVG_LIMIT and png.stat().st_size < svg.stat().st_size
    return png if large else svg


def figure_entry(base: Path) -> dict[str, str]:
    """Title, caption and embedded picture of a figure (path without suffix)."""
    record = read_json(base.with_name(base.name + ".json"))
    return {
        "name": record["name"],
        "title": record["title"],
        "caption": record["caption"],
        "uri": data_uri(picture(base)),
    }


def figure_entries(root: Path, folder: str, names: Sequence[str] | None = None) -> list[Any]:
    """Figures of a folder of the run, in the given order or sorted by name."""
    if names is None:
        names = sorted(
            path.stem
            for path in (root / folder).glob("*.json")
            if path.with_suffix(".svg").is_file()
        )
    return [figure_entry(root / folder / name) for name in names]


def started_utc(root: Path) -> str:
    """When the first job began, UTC; the only date in the report, in its performance part."""
    jobs = read_jobs(job_files(root))
    if not jobs:
        return ""
    return datetime.fromtimestamp(jobs[0]["start_s"], UTC).strftime("%Y-%m-%d %H:%M UTC")


def page_text(
    root: Path,
    config: dict[str, Any],
    numbers: dict[str, Any],
    figures: Sequence[str] | None = None,
) -> str:
    """The page.

    Parameters
    ----------
    root : Path
        results/<run>.
    config : dict
        Resolved config.
    numbers : dict
        Content of numbers.json.
    figures : sequence of str, optional
        Names of figures in figures/, in order; all of them, sorted, if not given.

    Returns
    -------
    str
        HTML without any reference to another file.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=number,
        percent=percent,
        interval=interval,
        close_to_one=close_to_one,
        concentration=concentration,
        senses=senses,
    )
    verdict = read_json(root / "validation" / "verdict.json")
    text = environment.get_template("page.html.j2").render(
        n=numbers,
        config=config,
        config_text=json.dumps(config, indent=2, ensure_ascii=False),
        verdict=verdict,
        missed=[entry for entry in numbers["targets"] if not entry["passed"]],
        nominal=[label for label, r in numbers["recordings"].items() if r["nominal"]],
        open_loop=[label for label, r in numbers["recordings"].items() if r["kind"] == "signal"],
        figures=figure_entries(root, "figures", figures),
        performance_figures=figure_entries(root, "performance"),
        started=started_utc(root),
    )
    size = len(text.encode())
    if size > PAGE_LIMIT:
        logger.warning("the report has %.1f MB, more than %.0f", size / 1e6, PAGE_LIMIT / 1e6)
    return text


def write_page(
    root: Path,
    config: dict[str, Any],
    numbers: dict[str, Any],
    figures: Sequence[str] | None = None,
) -> Path:
    """Write report.html; arguments as of :func:`page_text`."""
    path = root / "report.html"
    write_text(path, page_text(root, config, numbers, figures))
    return path
