"""True concentration of every generator and preset, as the table of docs/synthesis.md.

python -m plumenav.recordings.synthesis._survey
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plumenav import registry
from plumenav.recordings.synthesis._contract import resolve
from plumenav.recordings.synthesis._truth import summary

FRAMES = 60  # evenly spaced over the movie after its lead-in
NUMBERS = ("mean", "sd", "median", "p95", "p99", "max")


def rows(seed: int = 1) -> Iterator[str]:
    """Rows of a Markdown table, one per generator and preset; the filament plume has its own."""
    yield "| generator | preset | frames | " + " | ".join(NUMBERS) + " |"
    yield "|---|---|---|" + "---|" * len(NUMBERS)
    for name in registry.names("synthesis"):
        module = registry.get("synthesis", name)
        for preset in module.PRESETS if name != "filament" else ():
            params = resolve(module.Params, module.PRESETS, {"preset": preset})
            every = max(1, (params.frames - params.lead_in_frames) // FRAMES)
            first = -(-params.lead_in_frames // every)
            movie = list(module.concentration_frames(params, seed, every))[first:]
            found = summary(np.stack(movie))
            numbers = " | ".join(f"{found[key]:.3g}" for key in NUMBERS)
            yield f"| `{name}` | `{preset}` | {params.frames} | {numbers} |"


if __name__ == "__main__":
    for row in rows():
        print(row)  # noqa: T201 - this is a command
