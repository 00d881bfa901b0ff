"""How the start section becomes complete: the kind's own keys, checked and spelled out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plumenav import registry
from plumenav.config.explain import checked
from plumenav.config.schema import Start
from plumenav.errors import UserError

WHERE = "simulation.start"


def resolve_start(start: Start, folder: Path) -> dict[str, Any]:
    """`simulation.start` with the keys of its kind.

    Parameters
    ----------
    start : Start
    folder : Path
        What relative paths refer to.

    Raises
    ------
    UserError
        If there is no such kind, or one of its keys is wrong.
    """
    try:
        plugin = registry.get("start", start.kind)
    except UserError as error:
        raise UserError(
            f"{WHERE}.kind", f"found {start.kind!r}", error.allowed, error.hint
        ) from None
    own = dict(start.model_extra or {})
    if hasattr(plugin, "read"):
        own = plugin.read(own, folder)
    common = {key: getattr(start, key) for key in Start.model_fields}
    return {
        **{key: list(v) if isinstance(v, tuple) else v for key, v in common.items()},
        **checked(plugin.Params, own, f"{WHERE}."),
    }
