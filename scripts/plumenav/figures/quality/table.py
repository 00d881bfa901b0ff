"""The table of checks: what does not pass first and in words, what passes in two columns."""

from __future__ import annotations

from typing import Any, NamedTuple

from plumenav.figures import _style as style
from plumenav.figures.quality.contents import Contents, Plotted
from plumenav.figures.quality.placing import SMALL_PT, WIDTH_MM, Sheet, short, wrapped
from plumenav.quality.checks import FAIL, NOT_JUDGED, NOT_MEASURED, PASS, WARN

# status -> symbol and colour: told apart without colour
MARKS = {
    PASS: ("✓", "#00664a"),
    WARN: ("▲", "#8a4b00"),
    FAIL: ("✗", "#b42318"),
    NOT_JUDGED: ("○", "#57606a"),
    NOT_MEASURED: ("–", "#57606a"),
}
ORDER = (FAIL, WARN, NOT_JUDGED)
LINE_MM, GAP_MM, HEAD_MM = 2.45, 0.4, 4.6
# left edges of the columns, mm
STATUS, NAME, VALUE, LIMITS, SAYS = 0.0, 19.0, 45.5, 71.0, 87.0
# and of each half of the part that passes
HALF = (0.0, 9.0, 36.0, 71.0)
HALF_MM = WIDTH_MM / 2 + 1.0
MOST_LINES = 3


class Row(NamedTuple):
    """A check as text, or several that could not be made for one reason."""

    status: str
    name: list[str]
    value: list[str]
    limits: str
    says: list[str]


def mark_of(status: str) -> tuple[str, str]:
    """Symbol with word, and colour, of a status."""
    symbol, colour = MARKS.get(status, ("–", style.DARK))
    return f"{symbol} {status}", colour


def rows_of(checks: list[dict[str, Any]]) -> tuple[list[Row], list[Row]]:
    """Rows of checks that do not pass, the worst first, and of those that do."""
    rows = [_row(check) for check in checks]
    bad = [row for status in ORDER for row in rows if row.status == status]
    return [*bad, *_unmeasured(checks)], [row for row in rows if row.status == PASS]


def _unmeasured(checks: list[dict[str, Any]]) -> list[Row]:
    """A row for every reason why checks could not be made."""
    names: dict[str, list[str]] = {}
    for check in checks:
        if check["status"] == NOT_MEASURED:
            names.setdefault(check["says"], []).append(check["name"].replace("_", " "))
    return [
        Row(
            NOT_MEASURED,
            wrapped(", ".join(those), SAYS - NAME - 1.5, SMALL_PT),
            [],
            "",
            wrapped(why, WIDTH_MM - SAYS, SMALL_PT, MOST_LINES),
        )
        for why, those in names.items()
    ]


def _row(check: dict[str, Any]) -> Row:
    # a share of something is a number of it
    unit = check["unit"].removeprefix("share ") or check["unit"]
    value = "–" if check["value"] is None else f"{short(check['value'])} {unit}".strip()
    both = (check["limit_warn"], check["limit_fail"])
    limits = "" if both == (None, None) else " / ".join(short(limit) for limit in both)
    says = wrapped(check["says"], WIDTH_MM - SAYS, SMALL_PT, MOST_LINES)
    room = (HALF[3] - HALF[2] if check["status"] == PASS else LIMITS - VALUE) - 0.5
    found = wrapped(value, room, SMALL_PT, 1 if check["status"] == PASS else MOST_LINES)
    return Row(check["status"], [check["name"].replace("_", " ")], found, limits, says)


def height_mm(checks: list[dict[str, Any]]) -> float:
    """Height of the table with its heads."""
    bad, good = rows_of(checks)
    high = sum(row_mm(row) for row in bad)
    high += -(-len(good) // 2) * (LINE_MM + GAP_MM)
    return 5.2 + high + HEAD_MM * (bool(bad) + bool(good))


def row_mm(row: Row) -> float:
    """Height of a row in words."""
    return max(len(row.says), len(row.value), len(row.name)) * LINE_MM + GAP_MM


def draw_table(sheet: Sheet, c: Contents, top: float, plotted: Plotted) -> None:
    """The table across the page."""
    checks = c.quality["checks"]
    counts = {status: sum(k["status"] == status for k in checks) for status in MARKS}
    said = ", ".join(f"{n} {status}" for status, n in counts.items() if n)
    sheet.title(0, top, "k", f"checks: {said}")
    bad, good = rows_of(checks)
    y = top + 4.0
    if bad:
        _heads(sheet, y, {STATUS: "status", NAME: "check", VALUE: "found",
                          LIMITS: "warns / fails", SAYS: "in words"})  # fmt: skip
        y += HEAD_MM
        for row in bad:
            _cells(sheet, y, (STATUS, NAME, VALUE, LIMITS), row)
            sheet.lines(SAYS, y, row.says, LINE_MM)
            y += row_mm(row)
    if good:
        y += 1.2 if bad else 0.0
        heads = dict(zip(HALF, ("status", "check", "found", "warns / fails"), strict=True))
        _heads(sheet, y, heads, HALF_MM - 2)
        _heads(sheet, y, {HALF_MM + x: text for x, text in heads.items()}, WIDTH_MM, HALF_MM)
        y += HEAD_MM
        half = -(-len(good) // 2)
        for k, row in enumerate(good):
            left = HALF_MM if k >= half else 0.0
            columns = tuple(left + x for x in HALF)
            _cells(sheet, y + (k % half) * (LINE_MM + GAP_MM), columns, row)
    for check in checks:
        plotted.add(
            "k",
            check["name"],
            x=check["limit_warn"],
            y=check["limit_fail"],
            value=check["value"],
            units=("warns beyond", "fails beyond", check["unit"]),
            says=f"{check['status']}: {check['says']}",
        )


def _heads(
    sheet: Sheet, top: float, heads: dict[float, str], right: float = WIDTH_MM, left: float = 0.0
) -> None:
    for x, text in heads.items():
        sheet.text(x, top + 0.6, text, fontsize=SMALL_PT, color="#57606a")
    sheet.rule(top + 3.6, left, right)


def _cells(sheet: Sheet, y: float, columns: tuple[float, ...], row: Row) -> None:
    """Status, name, value and limits of a check; `columns` are their left edges."""
    status, name, value, limits = columns
    text, colour = mark_of(row.status)
    weight = "bold" if row.status in (FAIL, WARN) else "normal"
    sheet.lines(status, y, [text], LINE_MM, color=colour)
    sheet.lines(name, y, row.name, LINE_MM, fontweight=weight)
    sheet.lines(value, y, row.value, LINE_MM)
    if row.limits:
        sheet.lines(limits, y, [row.limits], LINE_MM)
