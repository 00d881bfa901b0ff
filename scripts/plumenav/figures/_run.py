"""Draw figures of a run, all in one process: the imports cost more than a figure."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import matplotlib
from jinja2 import Environment, StrictUndefined

from plumenav import registry
from plumenav.analysis.run_files import Chunks
from plumenav.figures import _style as style
from plumenav.figures._contract import RunData, common_numbers
from plumenav.figures._save import save

logger = logging.getLogger(__name__)


def caption_of(template: str, numbers: dict[str, Any]) -> str:
    """Caption from its template: one paragraph; an unknown name is an error, never a gap."""
    environment = Environment(undefined=StrictUndefined, autoescape=False)
    return " ".join(environment.from_string(template).render(numbers).split())


def draw_one(run: RunData, name: str) -> list[Path]:
    """Draw one figure and write its five files.

    Parameters
    ----------
    run : RunData
    name : str
        Registered figure.

    Returns
    -------
    list of Path
    """
    module = registry.get("figure", name)
    run.inputs.clear()
    with matplotlib.rc_context(cast(Any, style.RC)):
        figure, data = module.draw(run)
        own = module.numbers(run, data) if hasattr(module, "numbers") else {}
        caption = caption_of(module.CAPTION, {**common_numbers(run.config), **own})
        record = {
            "name": name,
            "title": module.TITLE,
            "caption": caption,
            "inputs": sorted(run.inputs),
            "settings": {
                "run": run.config["run"],
                "simulation": run.config["simulation"],
                "width_mm": round(figure.get_figwidth() / style.MM, 1),
                "height_mm": round(figure.get_figheight() / style.MM, 1),
            },
            "plotted_rows": len(data),
            "plotted_columns": list(data.columns),
        }
        folder = run.root / getattr(module, "FOLDER", "figures")
        written = save(figure, data, record, folder / name)
    logger.info("drew %s", name)
    return written


def draw_all(
    root: Path,
    config: dict[str, Any],
    names: Sequence[str],
    chunks: Chunks | None = None,
) -> list[Path]:
    """Draw figures of a run.

    Parameters
    ----------
    root : Path
        results/<run>.
    config : dict
        Resolved config.
    names : sequence of str
        Registered figures.
    chunks : mapping of sequence of str, optional
        Names of the chunks that belong to the run, by agent; all files if not given.

    Returns
    -------
    list of Path
        {figures or performance}/{name}.{pdf,svg,png,csv,json}.

    Raises
    ------
    UserError
        If a figure is not registered.
    """
    run = RunData(root, config, chunks)
    written = []
    for name in names:
        written += draw_one(run, name)
    return written
