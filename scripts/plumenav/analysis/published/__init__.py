"""Published numbers that a run can be checked against, and how ours are computed."""

from plumenav.analysis.published.targets import published_rows

__all__ = ["published_rows"]
