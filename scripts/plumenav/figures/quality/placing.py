"""Placing panels and text on a page, in mm from its upper left corner.

A fixed place for everything instead of an automatic layout: the page is full, its parts line up,
and laying out a dozen panels with all their labels would cost more than drawing them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from plumenav.figures import _style as style

PAGE_MM = style.PAGE_MM
MARGIN_MM = 1.0
WIDTH_MM = PAGE_MM - 2 * MARGIN_MM  # between the margins
POINT_MM = 25.4 / 72
HINTING = 1.015
SMALL_PT, NOTE_PT = 5.8, 6.2


class Sheet:
    """An empty page; places on it are mm from the upper left corner between its margins.

    Parameters
    ----------
    height_mm : float
        Between the margins.

    Attributes
    ----------
    figure : Figure
    height_mm : float
        Of the whole page.
    """

    def __init__(self, height_mm: float) -> None:
        self.height_mm = height_mm + 2 * MARGIN_MM
        size = (PAGE_MM * style.MM, self.height_mm * style.MM)
        self.figure = Figure(figsize=size, dpi=style.DPI)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """A panel whose frame has this place."""
        x, y = self.place(left, top + height)
        return self.figure.add_axes((x, y, width / PAGE_MM, height / self.height_mm))

    def place(self, left: float, top: float) -> tuple[float, float]:
        """A point in matplotlib's figure coordinates."""
        return (left + MARGIN_MM) / PAGE_MM, 1 - (top + MARGIN_MM) / self.height_mm

    def text(self, left: float, top: float, text: str, **how: Any) -> None:
        """Text whose upper left corner is here."""
        self.figure.text(*self.place(left, top), text, **{"va": "top", "ha": "left", **how})

    def rule(self, top: float, left: float = 0.0, right: float = WIDTH_MM, **how: Any) -> None:
        """A thin horizontal line."""
        (x0, y), (x1, _) = self.place(left, top), self.place(right, top)
        self.figure.add_artist(Line2D([x0, x1], [y, y], **{"color": style.GREY, "lw": 0.4, **how}))

    def title(self, left: float, top: float, letter: str, text: str) -> None:
        """Letter and title of a panel."""
        self.text(left, top, letter, fontweight="bold", fontsize=8)
        self.text(left + 4, top + 0.25, text)


def plain(axes: Axes, why: str) -> None:
    """An empty panel that says why it is empty, wrapped to its width."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    width_mm = axes.get_position().width * figure.get_figwidth() / style.MM
    axes.set_axis_off()
    axes.text(
        0.5,
        0.5,
        "\n".join(wrapped(why, 0.94 * width_mm, NOTE_PT)),
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=style.DARK,
        fontsize=NOTE_PT,
    )
    frame = Rectangle((0, 0), 1, 1, transform=axes.transAxes, fill=False, ec="#bfbfbf", lw=0.5)
    axes.add_patch(frame)


@lru_cache(maxsize=4096)
def width_mm(text: str, size_pt: float) -> float:
    """Width of a text in the style's font, mm, with what hinting adds."""
    font = get_font(findfont(FontProperties(family="DejaVu Sans")))
    font.set_size(size_pt, 72)
    font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    return HINTING * float(font.get_width_height()[0]) / 64 * POINT_MM


def wrapped(text: str, most_mm: float, size_pt: float, lines: int = 99) -> list[str]:
    """Text in lines of at most a width; what does not fit in so many lines ends in three dots.

    Examples
    --------
    >>> wrapped("one two three", 15.0, 7.0)
    ['one two', 'three']
    >>> wrapped("one two three", 12.0, 7.0, lines=1)
    ['one ...']
    """
    result = [""]
    for word in text.split():
        longer = f"{result[-1]} {word}".strip()
        if result[-1] and width_mm(longer, size_pt) > most_mm:
            result.append(word)
        else:
            result[-1] = longer
    if len(result) <= lines:
        return result
    kept = result[:lines]
    while " " in kept[-1] and width_mm(f"{kept[-1]} ...", size_pt) > most_mm:
        kept[-1] = kept[-1].rsplit(" ", 1)[0]
    kept[-1] += " ..."
    return kept


def short(value: float | None, digits: int = 3) -> str:
    """A number for a table: a few significant digits, whole numbers whole.

    Examples
    --------
    >>> short(0.123456), short(300.0), short(12345.6), short(None), short(2.3e-6)
    ('0.123', '300', '12346', '–', '2.3e−06')
    """
    if value is None:
        return "–"
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{value:.0f}".replace("-", "−")
    text = f"{value:.{digits}g}"
    text = f"{value:.0f}" if "e+" in text and abs(value) < 1e9 else text
    return text.replace("-", "−")
