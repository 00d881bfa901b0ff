"""What all commands share: how they answer, and how they fail."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from plumenav import guard
from plumenav.errors import UserError

Json = Annotated[bool, typer.Option("--json", help="the answer as JSON, and nothing else")]


# Without a frame for so long, a decoder has hung (the default of reader.stall_s).
STALL_S = 300.0


@contextmanager
def user_errors() -> Iterator[None]:
    """A user's mistake becomes one message on the error output, and exit code 1."""
    try:
        yield
    except UserError as error:
        Console(stderr=True, soft_wrap=True).print(
            f"plumenav: {error}", highlight=False, markup=False
        )
        raise typer.Exit(1) from None


def guarded_from_the_shell(where: Path) -> None:
    """Go on in a process of its own, and end with its exit code: hostile files crash decoders.

    Only what the shell started as `plumenav` starts itself again; inside another program (a test,
    a notebook) the work is done at once.
    """
    if guard.guarded() or Path(sys.argv[0]).stem != "plumenav":
        return
    with user_errors():
        raise typer.Exit(guard.run_again(str(where), STALL_S))


def _finite(value: Any) -> Any:
    """Plain data in which NaN and infinity, which JSON does not know, are null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_json(content: Any) -> None:
    """Plain data on the output."""
    typer.echo(json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False))
