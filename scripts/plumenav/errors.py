"""The two kinds of failure a user can meet, and how they are worded."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake in a config or a file: shown as one message, never with a traceback.

    Parameters
    ----------
    where : str
        The config key or file that is wrong.
    found : str
        What was found there.
    allowed : str
        What would have been right.
    hint : str
        What to do next.
    """

    exit_code = 1  # of the job

    def __init__(self, where: str, found: str, allowed: str = "", hint: str = "") -> None:
        self.where, self.found, self.allowed, self.hint = where, found, allowed, hint
        parts = [f"{where}: {found}."]
        if allowed:
            parts.append(f"Allowed: {allowed}.")
        if hint:
            parts.append(hint)
        super().__init__(" ".join(parts))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a "did you mean" sentence for a mistyped name, or an empty string.

    Examples
    --------
    >>> nearest("walk_stop", ["on_off", "walk_stop_turn"])
    "Did you mean 'walk_stop_turn'?"
    """
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else ""
