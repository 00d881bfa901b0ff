"""How a workflow tells its jobs what may be kept: by the environment, so that nothing reruns.

Limits of a cache change no result; as parameters of a rule they would rerun it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from plumenav import ownership
from plumenav.store.folders import root
from plumenav.store.shelf import Store

VARIABLE = "PLUMENAV_STORE"


class Given(NamedTuple):
    """What the jobs of a workflow are told.

    Attributes
    ----------
    levels : dict
        The config's section `cache`: limits of each level.
    machine : str
        Of this machine, found out once and not in every job.
    owner : Owner
        The process that runs the workflow; what it uses is not evicted.
    """

    levels: Mapping[str, Mapping[str, Any]]
    machine: str
    owner: ownership.Owner


def hand_over(levels: Mapping[str, Mapping[str, Any]]) -> None:
    """Let the jobs that this process starts keep their outputs and take them again.

    Parameters
    ----------
    levels : mapping
        The config's section `cache`.
    """
    if not any(level["enabled"] for level in levels.values()):
        os.environ.pop(VARIABLE, None)
        return
    from plumenav.store.environment import environment  # jobs are told, and do without it

    content = {"levels": levels, "machine": environment(), "owner": ownership.me()._asdict()}
    os.environ[VARIABLE] = json.dumps(content)


def given() -> Given | None:
    """What the workflow said; None: a script run by hand keeps nothing."""
    text = os.environ.get(VARIABLE)
    if not text:
        return None
    content = json.loads(text)
    owner = ownership.Owner(**content["owner"])
    return Given(content["levels"], content["machine"], owner)


def open_level(
    level: str, limits: Mapping[str, Any], owner: ownership.Owner | None = None
) -> Store:
    """The store of one level, below the common root."""
    return Store(
        root() / level,
        float(limits["limit_mb"]),
        3600.0 * float(limits["max_age_h"]),
        str(limits["policy"]),
        owner,
    )
