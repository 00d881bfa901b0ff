"""`plumenav names KIND`: which plug-ins are there?"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from plumenav import registry
from plumenav.cli._output import Json, print_json, user_errors
from plumenav.errors import UserError, nearest


def command(
    kind: Annotated[str, typer.Argument(help="kind of plug-in")] = "model", as_json: Json = False
) -> None:
    """List the plug-ins of a kind (model, sensor, reader, synthesis, figure, ...)."""
    with user_errors():
        if kind not in registry.FOLDERS:
            known = sorted(registry.FOLDERS)
            raise UserError("kind", f"found {kind!r}", ", ".join(known), nearest(kind, known))
        lines = {
            name: (registry.get(kind, name).__doc__ or "").strip().splitlines()[0]
            for name in registry.names(kind)
        }
    if as_json:
        print_json(lines)
        return
    for name, first in lines.items():
        Console().print(f"{name:26} {first}", highlight=False, markup=False)


command.__name__ = "names"
