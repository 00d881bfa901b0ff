"""The command `plumenav`: conveniences around the workflow, never a second way to run it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from plumenav import registry
from plumenav.config import load
from plumenav.errors import UserError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Navigation models in recorded odour plumes."
)


@app.callback()
def _main() -> None:
    """Conveniences around the workflow; a run is started with `make run`."""


@app.command()
def check(config: Annotated[Path, typer.Argument(help="config file of a run")]) -> None:
    """Check a config file and say what a run of it would simulate."""
    try:
        resolved = load(config)
    except UserError as error:
        Console(stderr=True).print(f"plumenav: {error}", highlight=False, markup=False)
        raise typer.Exit(1) from None
    each = resolved["simulation"]["simulations"]
    table = Table("agent", "model", "preset", "sensor", "control", title=None)
    for label, agent in resolved["agents"].items():
        table.add_row(
            label, agent["model"], agent["preset"], agent["sensor"]["shape"], agent["control"]
        )
    console = Console()
    console.print(table)
    total = each * len(resolved["agents"]) * len(resolved["recordings"])
    console.print(
        f"{len(resolved['recordings'])} recordings ({', '.join(resolved['recordings'])}) x "
        f"{len(resolved['agents'])} agents x {each} = {total} simulations",
        highlight=False,
        markup=False,
    )


@app.command()
def names(kind: Annotated[str, typer.Argument(help="kind of plug-in")] = "model") -> None:
    """List the plug-ins of a kind (model, sensor, reader, synthesis, figure, ...)."""
    if kind not in registry.FOLDERS:
        Console(stderr=True).print(
            f"plumenav: kind: found {kind!r}. Allowed: {', '.join(sorted(registry.FOLDERS))}.",
            highlight=False,
            markup=False,
        )
        raise typer.Exit(1)
    for name in registry.names(kind):
        first = (registry.get(kind, name).__doc__ or "").strip().splitlines()[0]
        Console().print(f"{name:26} {first}", highlight=False, markup=False)
