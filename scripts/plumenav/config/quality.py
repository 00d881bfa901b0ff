"""Limits of the quality of recordings: what is worth a warning, and what a recording fails by."""

from __future__ import annotations

from plumenav.config.sections import Section


class Quality(Section):
    """Checks of every recording and their limits."""
