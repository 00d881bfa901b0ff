"""The command `plumenav`: conveniences around the workflow, never a second way to run it.

One file per command. Exit codes: 0 done, 1 a mistake in a config or a file (one message on the
error output), 2 a mistake in the command line.
"""

from __future__ import annotations

import typer

from plumenav.cli import cache, check, names, plan, preview, probe

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Navigation models in recorded odour plumes."
)
for module in (probe, preview, check, plan, names):
    app.command()(module.command)
app.add_typer(cache.app, name="cache")


@app.callback()
def _main() -> None:
    """Conveniences around the workflow; a run is started with `make run`."""
