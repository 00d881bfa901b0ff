"""`plumenav preview CONFIG [RECORDING]`: a calibration as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from plumenav.cli._output import Json, guarded_from_the_shell, print_json, user_errors
from plumenav.errors import UserError, nearest
from plumenav.inspection import DEFAULT_FRAMES


def _chosen(resolved: dict[str, Any], label: str | None) -> list[str]:
    """Labels of the recordings to draw: the named one, or all movies."""
    known = list(resolved["recordings"])
    if label is not None:
        if label not in known:
            raise UserError(
                "recording", f"found {label!r}", ", ".join(known), nearest(label, known)
            )
        return [label]
    movies = [name for name in known if resolved["recordings"][name]["kind"] == "movie"]
    if not movies:
        raise UserError(
            f"run {resolved['run']!r}",
            "has no recording that is a movie: there is no picture to draw on",
            "analytic fields and signals need no calibration",
        )
    return movies


def command(
    config: Annotated[Path, typer.Argument(help="config file of a run", show_default=False)],
    recording: Annotated[
        str | None, typer.Argument(help="label of a recording; all movies", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="the PNG; results/<run>/previews/<label>.png", show_default=False),
    ] = None,
    frame: Annotated[
        int | None, typer.Option(min=0, help="number of the frame, from 0", show_default=False)
    ] = None,
    time: Annotated[
        float | None, typer.Option(min=0, help="time of the frame, s", show_default=False)
    ] = None,
    mean: Annotated[bool, typer.Option("--mean", help="draw on the mean of the frames")] = False,
    frames: Annotated[
        int, typer.Option(min=1, help="frames to look at for the mean, or the liveliest")
    ] = DEFAULT_FRAMES,
    as_json: Json = False,
) -> None:
    """Draw source, wind, scale, crop and start region on a frame, as filmed and as simulated."""
    if (frame is not None) + (time is not None) + mean > 1:
        raise typer.BadParameter("give one of --frame, --time and --mean")
    guarded_from_the_shell(config)
    from plumenav.config import load
    from plumenav.inspection import preview
    from plumenav.inspection.look import Wanted

    written = []
    with user_errors():
        resolved = load(config)
        labels = _chosen(resolved, recording)
        if out is not None and len(labels) > 1:
            raise UserError("--out", f"is one file for {len(labels)} recordings", ", ".join(labels))
        for label in labels:
            settings, path = preview.source_file(
                label, resolved["recordings"][label], resolved["run"], Path.cwd(), config
            )
            target = out or Path("results") / resolved["run"] / "previews" / f"{label}.png"
            with Console(stderr=True).status(f"reading {path.name}"):
                stamps = resolved["recordings"][label]["companions"].get("reader.time_file")
                scene = preview.scene_from(
                    label,
                    settings,
                    path,
                    resolved["simulation"],
                    Wanted(frame, time, mean),
                    frames,
                    Path(stamps) if stamps else None,
                )
                title = f"{label}: {path.name}, {scene.what}"
                preview.save(preview.draw(scene, settings, title), target)
            written.append(
                {
                    "recording": label,
                    "file": str(path),
                    "picture": str(target),
                    "what": scene.what,
                    "warnings": scene.warnings,
                }
            )
    if as_json:
        print_json(written)
        return
    for item in written:
        console = Console(soft_wrap=True)
        console.print(f"{item['picture']}  {item['what']}", highlight=False, markup=False)
        for warning in item["warnings"]:
            console.print(f"  ! {warning}", highlight=False, markup=False)


command.__name__ = "preview"
