"""`plumenav cache status | verify | prune | warm`: what is kept between runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from plumenav.cli._output import Json, print_json, user_errors
from plumenav.errors import UserError, nearest

app = typer.Typer(no_args_is_help=True, help="What is kept between runs: plumes and results.")

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="config whose section `cache` holds", show_default=False),
]
LevelName = Annotated[
    str | None,
    typer.Option("--level", help="plumes or results; both if not given", show_default=False),
]
TITLES = {
    "blocks": "1 blocks (in memory)",
    "plumes": "2 plumes",
    "results": "3 results",
}


def limits_of(config: Path | None) -> dict[str, dict[str, Any]]:
    """The section `cache` of a config; its defaults if there is none."""
    from plumenav.config import load
    from plumenav.config.cache import Cache

    section: dict[str, dict[str, Any]] = load(config)["cache"] if config else Cache().model_dump()
    return section


def _levels(name: str | None) -> tuple[str, ...]:
    from plumenav.store.folders import LEVELS

    if name is None:
        return LEVELS
    if name not in LEVELS:
        raise UserError("--level", f"found {name!r}", ", ".join(LEVELS), nearest(name, LEVELS))
    return (name,)


def _say(text: str) -> None:
    Console(soft_wrap=True).print(text, highlight=False, markup=False)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _kept(level: Mapping[str, Any]) -> str:
    if not level["enabled"]:
        return "off"
    since = "since they were made" if level["policy"] == "fifo" else "since the last use"
    return (
        f"at most {level['limit_mb']:,.0f} MB, {level['max_age_h']:g} h {since}; {level['policy']}"
    )


@app.command("status")
def status_command(config: ConfigFile = None, as_json: Json = False) -> None:
    """Size and hit rate of every level."""
    from plumenav.store.folders import root
    from plumenav.store.reading import status

    with user_errors():
        content = status(root(), limits_of(config))
    if as_json:
        print_json(content)
        return
    table = Table(box=SIMPLE_HEAD)
    table.add_column("level", no_wrap=True)
    for name in ("entries", "MB", "in use", "hits", "last run", "CPU saved"):
        table.add_column(name, justify="right")
    runs = 0
    for name, level in content["levels"].items():
        runs = max(runs, level["runs"])
        on_disk = "entries" in level
        table.add_row(
            TITLES[name],
            f"{level['entries']:,}" if on_disk else "",
            f"{level['size_mb']:,.1f}" if on_disk else "",
            f"{level['in_use']:,}" if on_disk else "",
            _percent(level["hit_rate"]),
            _percent(level["last_hit_rate"]),
            f"{level['saved_s']:,.0f} s" if on_disk else "",
        )
    kernels = content["kernels"]
    table.add_row("kernels", f"{kernels['entries']:,}", f"{kernels['size_mb']:,.1f}")
    Console().print(table)
    _say(f"{content['folder']}; hits: of what the newest runs asked for ({runs}).")
    for name, level in content["levels"].items():
        if "enabled" in level:
            _say(f"{name}: {_kept(level)}")
        if level.get("bad"):
            _say(f"! {level['bad']} entries of {name} are damaged: plumenav cache verify")


@app.command("verify")
def verify_command(
    level: LevelName = None,
    remove: Annotated[bool, typer.Option("--remove", help="remove what is damaged")] = False,
    as_json: Json = False,
) -> None:
    """Read every byte that is kept and compare its sha256; exit code 1 if anything is damaged."""
    from plumenav.store.folders import root
    from plumenav.store.settings import open_level

    bad, entries, mb = {}, 0, 0.0
    with user_errors():
        limits = limits_of(None)
        for name in _levels(level):
            store = open_level(name, limits[name])
            with Console(stderr=True).status(f"reading {name}"):
                found = store.entries()
                bad[name] = store.verify(remove)
            entries += len(found)
            mb += sum(entry.n_bytes for entry in found) / 1e6
    n_bad = sum(len(faults) for faults in bad.values())
    if as_json:
        faults = {
            name: [{"key": key, "fault": fault} for key, fault in found]
            for name, found in bad.items()
        }
        print_json({"folder": str(root()), "entries": entries, "mb": mb, "bad": faults})
    else:
        for name, found_bad in bad.items():
            for key, fault in found_bad:
                _say(f"! {name}/{key}: {fault}" + (" (removed)" if remove else ""))
        _say(f"{entries} entries, {mb:,.1f} MB read; {n_bad} damaged.")
        if n_bad and not remove:
            _say("Nothing damaged is ever used; the next job that wants it computes it again.")
    if n_bad:
        raise typer.Exit(1)


@app.command("prune")
def prune_command(
    config: ConfigFile = None,
    level: LevelName = None,
    max_age_h: Annotated[
        float | None,
        typer.Option(min=0, help="instead of the config's max_age_h", show_default=False),
    ] = None,
    limit_mb: Annotated[
        float | None,
        typer.Option(min=0, help="instead of the config's limit_mb", show_default=False),
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help="lru, lfu or fifo, instead of the config's")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="all that no running workflow uses")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove what is older or more than allowed; never what a running workflow uses."""
    from plumenav.store.pruning import POLICIES
    from plumenav.store.settings import open_level

    done = {}
    with user_errors():
        if policy is not None and policy not in POLICIES:
            raise UserError(
                "--policy", f"found {policy!r}", ", ".join(POLICIES), nearest(policy, POLICIES)
            )
        limits = limits_of(config)
        given = {"max_age_h": max_age_h, "limit_mb": limit_mb, "policy": policy}
        given = {key: value for key, value in given.items() if value is not None}
        if everything:
            given["limit_mb"] = 0.0
        for name in _levels(level):
            done[name] = open_level(name, {**limits[name], **given}).prune()
    if as_json:
        print_json(
            {
                name: {
                    "removed": [
                        {"key": key, "bytes": size, "why": why} for key, size, why in one.removed
                    ],
                    "in_use": [{"key": key, "bytes": size} for key, size in one.spared],
                }
                for name, one in done.items()
            }
        )
        return
    for name, one in done.items():
        for key, size, why in one.removed:
            _say(f"{name}/{key}  {size / 1e6:,.1f} MB  {why}")
        for key, size in one.spared:
            _say(f"{name}/{key}  {size / 1e6:,.1f} MB  stays: a running workflow uses it")
    removed = [size for one in done.values() for _, size, _ in one.removed]
    _say(f"{len(removed)} entries removed, {sum(removed) / 1e6:,.1f} MB.")


@app.command("warm")
def warm_command(
    config: Annotated[Path, typer.Option("--config", help="config of the planned run")],
    cores: Annotated[str, typer.Option(help="cores to use, or all")] = "all",
    as_json: Json = False,
) -> None:
    """Normalize a run's recordings, measure what its agents know and compile its kernels.

    All of it goes into the cache, and nothing into results/: the run itself then begins with its
    simulations.
    """
    from plumenav.cli._warm import warm

    with user_errors(), Console(stderr=True).status("warming: this takes what the run would take"):
        done = warm(config, cores)
    if as_json:
        print_json(done)
        return
    _say(
        f"{done['plumes']} plumes ({done['plumes_mb']:,.1f} MB), {done['prepared']} prepared agents"
        f" and {done['kernels']} kernels are new in {done['folder']}."
    )
    if not done["plumes"] + done["prepared"] + done["kernels"]:
        _say("Everything was there.")
