"""Saving a figure: PDF, SVG, PNG, the plotted data and a record, the same bytes every time."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.image import imsave

from plumenav.tables import atomic, write_json, write_text

if TYPE_CHECKING:
    import pandas as pd

# tells every glyph that it leaves out
logging.getLogger("fontTools").setLevel(logging.WARNING)

# None removes what the format would otherwise say of time and program
METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}


def save_pictures(figure: Figure, path: Path) -> list[Path]:
    """Write `path` as .png, .pdf and .svg.

    Each format is drawn once: `Figure.savefig` would draw the whole figure a second time for a
    layout that is already fixed. Laying out alone is half the work of drawing.

    Parameters
    ----------
    figure : Figure
        Drawn under the style (the caller's rc context).
    path : Path
        Without suffix.
    """
    targets = {suffix: path.with_name(f"{path.name}.{suffix}") for suffix in METADATA}
    raster: Any = FigureCanvasAgg(figure)
    layout: Any = figure.get_layout_engine()
    # panels with equal axes are smaller than the room they get: the layout settles in three passes,
    # and titles are cut after one
    if layout is not None:
        for _ in range(2):
            layout.execute(figure)
    raster.draw()
    figure.set_layout_engine("none")  # laid out: the formats must not differ
    with atomic(targets["png"]) as temporary:
        imsave(
            temporary,
            raster.buffer_rgba(),
            format="png",
            dpi=figure.dpi,
            metadata=METADATA["png"],
        )
    with atomic(targets["pdf"]) as temporary:
        pdf: Any = FigureCanvasPdf(figure)
        pdf.print_pdf(temporary, metadata=METADATA["pdf"])
    with atomic(targets["svg"]) as temporary:
        svg: Any = FigureCanvasSVG(figure)
        svg.print_svg(temporary, metadata=METADATA["svg"])
    return list(targets.values())


def save(figure: Figure, data: pd.DataFrame, record: dict[str, Any], path: Path) -> list[Path]:
    """Write pictures, plotted data (CSV) and record (JSON).

    Parameters
    ----------
    figure : Figure
    data : DataFrame
        Every number that is in the picture.
    record : dict
        Title, caption, inputs, settings.
    path : Path
        Without suffix.

    Returns
    -------
    list of Path
    """
    written = save_pictures(figure, path)
    table, note = path.with_name(f"{path.name}.csv"), path.with_name(f"{path.name}.json")
    write_text(table, data.to_csv(index=False, lineterminator="\n"))
    write_json(note, record)
    return [*written, table, note]
