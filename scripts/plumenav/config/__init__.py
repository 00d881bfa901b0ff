"""The configuration of a run: its schema, and how a file becomes plain, complete data."""

from plumenav.config.load import load, read_yaml, resolve

__all__ = ["load", "read_yaml", "resolve"]
