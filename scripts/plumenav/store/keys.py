"""Names of entries: everything that a job's outputs depend on, as one hash."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

# of the layout of entries and of how keys are made: older entries are not found any more
VERSION = 1
KEY = re.compile(r"[a-z][a-z_]{0,39}-[0-9a-f]{16}-[0-9a-f]{48}")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def _sha256(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Key(NamedTuple):
    """What a job's outputs depend on.

    Attributes
    ----------
    rule : str
        What computes them.
    code : str
        Fingerprint of all code that does.
    settings : dict
        Plain data.
    machine : str
        Compiler, libraries and CPU (environment.py).
    """

    rule: str
    code: str
    settings: Mapping[str, Any]
    machine: str

    def context(self) -> str:
        """The part of the name that is known before any input was read."""
        return (
            f"{self.rule}-{_sha256([VERSION, *self._replace(settings=dict(self.settings))])[:16]}"
        )

    def name(self, inputs: Mapping[str, list[str]]) -> str:
        """Name of the entry, given the sha256 of every input by the flag that names it."""
        whole = [VERSION, *self._replace(settings=dict(self.settings)), dict(inputs)]
        return f"{self.context()}-{_sha256(whole)[:48]}"


def key_of(
    rule: str,
    code: str,
    settings: Mapping[str, Any],
    inputs: Mapping[str, list[str]],
    machine: str,
) -> str:
    """Name of the entry of a job's outputs.

    Parameters
    ----------
    rule : str
    code : str
        Fingerprint of the code.
    settings : mapping
        All settings that change a bit of the outputs, plain data.
    inputs : mapping
        {name: sha256 of the files}, in order.
    machine : str
        What the same code and settings may differ by (environment.py).

    Returns
    -------
    str
        {rule}-{16 digits: all but the inputs}-{48 digits: all}.
    """
    return Key(rule, code, settings, machine).name(inputs)
