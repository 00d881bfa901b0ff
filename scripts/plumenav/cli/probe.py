"""`plumenav probe FILE`: everything that a recording says of itself, and what is doubtful."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from plumenav.cli._output import Json, guarded_from_the_shell, print_json, user_errors
from plumenav.errors import UserError
from plumenav.inspection import DEFAULT_FRAMES


def _axes(text: str | None) -> tuple[str, str, str] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3:
        raise UserError("--axes", f"found {text!r}", "three names, as in frame,row,column")
    return parts[0], parts[1], parts[2]


def command(
    recording: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="a file, a folder of images, or a pattern in quotes ('img_*.png')",
            show_default=False,
        ),
    ],
    frames: Annotated[int, typer.Option(min=1, help="frames to read")] = DEFAULT_FRAMES,
    full: Annotated[bool, typer.Option("--full", help="read the whole recording")] = False,
    preset: Annotated[
        str | None, typer.Option(help="compare with a published recording", show_default=False)
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="movie inside HDF5, MATLAB, npz, Zarr", show_default=False)
    ] = None,
    time_dataset: Annotated[
        str | None, typer.Option(help="its time stamps in s", show_default=False)
    ] = None,
    axes: Annotated[
        str | None,
        typer.Option(help="meaning of its axes, as in frame,row,column", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Look at a recording: what it is, what is doubtful, and a block for a config."""
    guarded_from_the_shell(recording)
    from plumenav.inspection.probe import Request, probe

    with user_errors():
        how_many = None if full else frames
        request = Request(recording, how_many, preset, dataset, time_dataset, _axes(axes))
        with Console(stderr=True).status(f"reading {recording.name}"):
            report = probe(request)
    if as_json:
        print_json(report)
        return
    show(report, Console())


def _number(value: float | None, unit: str = "") -> str:
    return "not known" if value is None else f"{value:.5g}{unit}"


def _file(report: dict[str, Any]) -> dict[str, str]:
    reader, read = report["reader"], report["read"]
    promised = reader["frames_promised"]
    arrived = f"{read['frames']} read"
    arrived += ", all of them" if read["complete"] else ", the first ones (--full reads all)"
    rows = {
        "format": reader["format"] or f"reader {reader['reader']}",
        "decoder": f"{reader['decoder']} {reader['decoder_version']}",
        "image": f"{reader['rows']} rows x {reader['columns']} columns, "
        f"{'gray' if report['colour'] is None or report['colour']['equal'] else 'colour'}",
        "numbers": f"{reader['dtype']}, {reader['bits']} bits",
        "frames": f"{'no number' if promised is None else promised} promised, {arrived}",
    }
    for key, value in reader["extra"].items():
        rows[str(key).replace("_", " ")] = str(value)
    if report["notes"]:
        rows["notes"] = "; ".join(report["notes"])
    return rows


def _time(report: dict[str, Any]) -> dict[str, str]:
    nominal, time = report["reader"]["rate_nominal_hz"], report["time"]
    rows = {"nominal rate": _number(nominal, " Hz")}
    if time is None:
        return {**rows, "time stamps": "none"}
    return {
        **rows,
        "measured rate": f"{_number(time['rate_measured_hz'], ' Hz')} over {time['seconds']:.4g} s",
        "intervals": f"median {1e3 * time['median_interval_s']:.4g} ms, "
        f"longest {1e3 * time['longest_s']:.4g} ms",
        "irregular": f"{time['gaps']} gaps, {time['duplicates']} of 0 s, "
        f"{time['backwards']} backwards",
    }


def _intensity(report: dict[str, Any]) -> dict[str, str]:
    levels = report["intensity"]
    percentiles = levels["percentiles"]
    saturated = levels["saturated_fraction"]
    rows = {
        "range": f"{levels['minimum']:.5g} to {levels['maximum']:.5g}, mean {levels['mean']:.5g}",
        "percentiles": ", ".join(f"{p} %: {percentiles[p]:.4g}" for p in ("1", "50", "99", "99.9")),
        "noise": _number(levels["noise_sd"]) + " (sd of a quiet pixel from frame to frame)"
        if levels["noise_sd"]
        else "less than a step in the quiet pixels",
    }
    if saturated is not None:
        rows["saturated"] = f"{100 * saturated:.2g} % of pixel-frames"
    colour = report["colour"]
    if colour is not None:
        rows["channels"] = (
            "all equal"
            if colour["equal"]
            else f"differ by up to {colour['largest_difference']}; "
            f"{100 * colour['coloured_fraction']:.0f} % of pixels have colour"
        )
    return rows


def _plume(report: dict[str, Any]) -> dict[str, str]:
    plume = report["plume"]
    quiet = f"the first {plume['quiet_frames']} frames"
    if plume["all_quiet"]:
        quiet = f"all {plume['quiet_frames']} frames looked at"
    elif plume["background_frames"] is None:
        quiet = "none at the start"
    rows = {
        "frames without it": quiet,
        "background": f"{plume['background_level']:.4g}, "
        f"{100 * plume['background_share']:.0f} % of the bright end, "
        f"texture {plume['background_texture_sd']:.2g}",
        "polarity": {
            "bright": "it brightens the image",
            "dark": "it darkens the image",
            "unclear": "unclear",
        }[plume["polarity"]],
    }
    if plume["peak_px"]:
        peak = plume["peak_px"]
        rows["strongest at"] = f"row {peak['row']}, column {peak['column']} on average"
    motion = report["motion"]
    if motion:
        rows["moves"] = f"{motion['px_s']:.3g} px/s towards {motion['toward']}"
    return rows


SECTIONS = {
    "File": _file,
    "Time": _time,
    "Intensity, as stored": _intensity,
    "Plume, as guessed from the pictures": _plume,
}


def show(report: dict[str, Any], console: Console) -> None:
    """The page.

    Parameters
    ----------
    report : dict
        Of :func:`plumenav.inspection.probe.probe`.
    console : Console
    """
    console.print(Text(report["file"], style="bold"))
    for title, section in SECTIONS.items():
        console.print()
        console.print(Text(title, style="bold cyan"))
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", min_width=19)
        table.add_column(overflow="fold")
        for key, value in section(report).items():
            table.add_row(f"  {key}", Text(value))
        console.print(table)
    for fit in report["presets"]:
        if fit["name"] == report["preset"]:
            continue
        console.print(
            f"\nHas the shape of preset {fit['name']} ({fit['title']}): try --preset {fit['name']}",
            highlight=False,
            markup=False,
        )
    console.print()
    if report["doubts"]:
        console.print(Text("Doubts", style="bold yellow"))
        doubts = Table.grid(padding=(0, 1))
        for doubt in report["doubts"]:
            doubts.add_row(Text("  ?", style="yellow"), Text(doubt))
        console.print(doubts)
    else:
        console.print(Text("No doubts", style="bold green"))
    if report["traps"]:
        console.print()
        console.print(Text("Known traps of this recording", style="bold yellow"))
        for trap in report["traps"]:
            console.print(Text(f"  * {trap}"))
    console.print()
    console.print(Text("For a config; what is empty is for you to measure", style="bold cyan"))
    console.print()
    # no wrapping by the console: a wrapped line would not paste
    if console.is_terminal:
        text = Syntax("", "yaml", background_color="default").highlight(report["config"])
        console.print(text, soft_wrap=True, end="")
    else:
        console.out(report["config"], end="", highlight=False)


command.__name__ = "probe"
