"""What is kept between runs, for how long, and how much of it (docs/caching.md)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from plumenav.config.sections import Positive, Section


class PlumesCache(Section):
    """Level 2: normalized plumes and joined winds, by the content of their recordings."""

    enabled: bool = Field(True, description="keep them, and take what was kept")
    limit_mb: Positive = Field(4000.0, description="size of all together, MB")
    max_age_h: Positive = Field(24.0, description="time without use after which one goes, h")
    policy: Literal["lru", "lfu", "fifo"] = Field(
        "lru",
        description="what makes room: the least recently used, the least frequently used, or the"
        " first in (whose age counts from when it was made)",
    )


class ResultsCache(PlumesCache):
    """Level 3: what simulate, reference, recheck, published and prepare wrote, by content."""

    limit_mb: Positive = Field(2000.0, description="size of all together, MB")
    max_age_h: Positive = Field(168.0, description="time without use after which one goes, h")


class Cache(Section):
    """What is kept between runs and users, outside results/. It changes no result."""

    plumes: PlumesCache = PlumesCache()
    results: ResultsCache = ResultsCache()
