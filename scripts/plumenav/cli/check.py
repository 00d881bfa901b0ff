"""`plumenav check CONFIG`: is it right, and what would it simulate?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from plumenav.cli._output import Json, guarded_from_the_shell, print_json, user_errors


def command(
    config: Annotated[Path, typer.Argument(help="config file of a run", show_default=False)],
    as_json: Json = False,
) -> None:
    """Check a config file, and the headers of its recordings; say what a run would simulate."""
    guarded_from_the_shell(config)
    from plumenav.config import load
    from plumenav.inspection.files import check_files

    with user_errors():
        resolved = load(config)
        opened = check_files(resolved)
    each = resolved["simulation"]["simulations"]
    total = each * len(resolved["agents"]) * len(resolved["recordings"])
    if as_json:
        keys = ("model", "preset", "control")
        print_json(
            {
                "run": resolved["run"],
                "recordings": {k: {"kind": v["kind"]} for k, v in resolved["recordings"].items()},
                "agents": {
                    label: {key: agent[key] for key in keys} | {"sensor": agent["sensor"]["shape"]}
                    for label, agent in resolved["agents"].items()
                },
                "simulations": total,
                "opened": opened,
            }
        )
        return
    table = Table("agent", "model", "preset", "sensor", "control", title=None)
    for label, agent in resolved["agents"].items():
        table.add_row(
            label, agent["model"], agent["preset"], agent["sensor"]["shape"], agent["control"]
        )
    console = Console()
    console.print(table)
    console.print(
        f"{len(resolved['recordings'])} recordings ({', '.join(resolved['recordings'])}) x "
        f"{len(resolved['agents'])} agents x {each} = {total} simulations",
        highlight=False,
        markup=False,
    )


command.__name__ = "check"
