"""The configuration of a run: its schema, and how a file becomes plain, complete data."""

from plumenav.config.load import load, resolve
from plumenav.config.yaml_file import read_yaml

__all__ = ["load", "read_yaml", "resolve"]
