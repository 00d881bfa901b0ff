"""The page: header, maps, motion, time, durations, noise, checks; and its five files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import matplotlib
from matplotlib.lines import Line2D

from plumenav.figures import _style as style
from plumenav.figures._save import save_pictures
from plumenav.figures.quality import distributions, header, maps, motion, series, table
from plumenav.figures.quality.contents import COLUMNS, Contents, Plotted, read_contents
from plumenav.figures.quality.placing import (
    NOTE_PT,
    PAGE_MM,
    SMALL_PT,
    WIDTH_MM,
    Sheet,
    width_mm,
    wrapped,
)
from plumenav.tables import write_json, write_text

SERIES_MM, SMALL_MM = 39.5, 34.5
BETWEEN_MM = 9.0  # below a map: its tick labels and axis label, and air
NOTE_LINE_MM = 2.5
LEGEND_MM, LEGEND_PT = 3.4, 5.8

CAPTION = (
    "x is downwind, y crosswind from the declared source. Colours of concentration rise with its"
    " square root. (a) A frame livelier than three quarters of them. (b, c) Over {sampled} of"
    " {frames} frames. (d, e) Over all frames{threshold}."
    " (f) Of structures of a few pixels; ring: displacement found, ×: that of the declared wind,"
    " +: none.{lost} (h) Slopes are the wind. (i) At"
    " {places} places in the plume, 10 bins per decade; censored: cut off by the ends of the movie,"
    " not binned. (j) Alvarez-Salvado et al. 2018; noise that keeps ON above the limit steers"
    " upwind. (k) Limits beyond which a check warns and fails.{nominal}"
)


def caption(c: Contents) -> str:
    """Caption of a page, with the numbers of the recording."""
    if c.frame is None:
        return f"There is nothing to draw: {c.quality['says']}."
    threshold = c.measures.get("threshold")
    return CAPTION.format(
        sampled=c.measures.get("frames_sampled"),
        frames=c.measures.get("frames"),
        threshold=f"; odour: above {threshold:.3g}" if threshold is not None else "",
        lost=" (g) Hatched: lost; not to scale." if header.loss_of(c) else "",
        places=c.measures.get("whiff_places"),
        nominal=" Scale and wind are nominal." if c.nominal else "",
    )


def draw_page(c: Contents) -> tuple[Sheet, Plotted]:
    """Draw a page; the caller sets the style.

    Parameters
    ----------
    c : Contents

    Returns
    -------
    Sheet
        Its height depends on the maps' shape and on how much there is to say.
    Plotted
        The numbers in it.
    """
    plotted = Plotted()
    lines = header.facts(c)
    y = header.height_mm(lines)
    if c.frame is None:
        return _nothing(c, lines, y), plotted
    limits = maps.limits_of(c)
    map_height = maps.map_size_mm(limits)[1]
    handles = maps.legend_handles(c)
    legend_rows = legend_rows_of([str(handle.get_label()) for handle in handles])
    note = wrapped(caption(c), WIDTH_MM, SMALL_PT)
    table_mm = table.height_mm(c.quality["checks"])
    row_mm = 4.0 + map_height + BETWEEN_MM
    panels_mm = 2 * row_mm + 1.0 + LEGEND_MM * legend_rows + SERIES_MM + SMALL_MM
    sheet = Sheet(y + panels_mm + table_mm + 2.5 + NOTE_LINE_MM * len(note))
    header.draw_header(sheet, c, lines)
    lefts = [k * maps.CELL_MM for k in range(3)]
    drawn = maps.maps_of(c)
    for left, one in zip(lefts, drawn[:3], strict=True):
        maps.draw_map(sheet, c, one, left, y, plotted, limits)
    y += row_mm
    _legend(sheet, handles, legend_rows, y)
    y += LEGEND_MM * legend_rows + 1.0
    for left, one in zip(lefts[:2], drawn[3:], strict=True):
        maps.draw_map(sheet, c, one, left, y, plotted, limits)
    left = lefts[2] + maps.LEFT_MM
    width = maps.CELL_MM - maps.LEFT_MM - maps.BAR_MM
    motion.draw_surface(sheet, c, left, y, width, map_height, plotted)
    y += row_mm
    series.draw_series(sheet, c, series.LEFT_MM, y, 95.0, plotted)
    motion.draw_displacements(sheet, c, left, y, WIDTH_MM - left - 1.0, 28.0, plotted)
    y += SERIES_MM
    half = WIDTH_MM / 2
    distributions.draw_durations(sheet, c, maps.LEFT_MM, y, half - 14.0, 22.5, plotted)
    distributions.draw_noise(sheet, c, half + maps.LEFT_MM, y, half - 11.0, 22.5, plotted)
    y += SMALL_MM
    table.draw_table(sheet, c, y, plotted)
    y += table_mm + 1.0
    sheet.rule(y)
    sheet.text(0, y + 0.8, "\n".join(note), fontsize=SMALL_PT, linespacing=1.2, color="#333333")
    return sheet, plotted


def _nothing(c: Contents, lines: list[str], y: float) -> Sheet:
    """A page with nothing but its header and a sentence."""
    sheet = Sheet(y + 8.0)
    header.draw_header(sheet, c, lines)
    said = f"Nothing to draw: {c.quality['says']}."
    sheet.text(0, y, "\n".join(wrapped(said, WIDTH_MM, NOTE_PT)), fontsize=NOTE_PT)
    return sheet


def legend_rows_of(labels: list[str]) -> int:
    """Rows that the legend of the maps needs."""
    wide = sum(width_mm(label, LEGEND_PT) + 7.0 for label in labels)
    return 1 if wide <= WIDTH_MM else 2


def _legend(sheet: Sheet, handles: list[Line2D], rows: int, top: float) -> None:
    """What the marks in the maps are."""
    sheet.figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=sheet.place(0.0, top),
        ncols=-(-len(handles) // rows),
        fontsize=LEGEND_PT,
        borderaxespad=0,
        borderpad=0,
        handlelength=2.0,
        handletextpad=0.4,
        columnspacing=1.0,
        labelspacing=0.35,
    )


def write_page(
    label: str, settings: dict[str, Any], plume: Path, quality: Path, arrays: Path, page: Path
) -> list[Path]:
    """Draw the quality page of a recording and write its five files.

    Parameters
    ----------
    label : str
    settings : dict
        `wind` and `nominal` of the recording.
    plume, quality, arrays : Path
        What it is drawn from.
    page : Path
        Without suffix.

    Returns
    -------
    list of Path
        .pdf, .svg, .png, .csv, .json: the same bytes for the same inputs.
    """
    c = read_contents(label, settings, plume, quality, arrays)
    with matplotlib.rc_context(cast(Any, style.RC)):
        sheet, plotted = draw_page(c)
        written = save_pictures(sheet.figure, page)
    record = {
        "name": f"quality-{label}",
        "title": f"Quality of recording {label}",
        "caption": caption(c),
        "inputs": sorted(f"{path.parent.name}/{path.name}" for path in (plume, quality, arrays)),
        "settings": {
            **settings,
            "width_mm": PAGE_MM,
            "height_mm": round(sheet.height_mm, 1),
        },
        "plotted_rows": len(plotted.rows),
        "plotted_columns": list(COLUMNS),
    }
    table_file, note = (page.with_name(f"{page.name}.{end}") for end in ("csv", "json"))
    write_text(table_file, plotted.text())
    write_json(note, record)
    return [*written, table_file, note]
