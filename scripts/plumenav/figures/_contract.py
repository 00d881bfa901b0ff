"""What a figure is, and what it is drawn from.

A figure file defines
    TITLE        : str, one line; also the text for those who cannot see it
    CAPTION      : str, a Jinja template; numbers come from the run, never from the text
    draw(run)    -> (Figure, DataFrame): the picture, and exactly the numbers that are in it
and optionally
    FOLDER       : str, folder below results/<run>/; "figures" if not given
    AFTER        : "statistics" if it needs nothing of validation/: it is drawn while that goes on.
                   A figure that does not say so waits for the verdict.
    numbers(run, data) -> dict: what the caption's template needs beyond `common_numbers`
A figure uses matplotlib's objects, never pyplot (which costs a second and keeps state), and shows a
panel that says so where there is nothing to show.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from plumenav.analysis import contracts
from plumenav.analysis.beliefs import arrays_of, prepared_path, privileged
from plumenav.analysis.plume_maps import Maps, plume_maps, read_maps
from plumenav.analysis.run_files import (
    Chunks,
    blank_path,
    chunk_files,
    columns_of,
    kind_of,
    maps_path,
    plume_path,
    read_simulations,
    read_trajectories,
)
from plumenav.figures import _style as style
from plumenav.starts._contract import span, start_plugin
from plumenav.tables import AGREEMENT, PlumeReader, Schema, read_json, read_table
from plumenav.world import Grid

if TYPE_CHECKING:
    import pandas as pd


class RunData:
    """A run as a figure sees it; remembers which files were read.

    Parameters
    ----------
    root : Path
        results/<run>.
    config : dict
        Resolved config.
    chunks : mapping of sequence of str, optional
        Names of the chunks that belong to the run, by agent; all files if not given.

    Attributes
    ----------
    recordings, agents : list of str
        Labels in the order of the config.
    inputs : set of str
        Files read, relative to `root`.
    """

    def __init__(self, root: Path, config: dict[str, Any], chunks: Chunks | None = None) -> None:
        self.root, self.config, self.chunks = Path(root), config, chunks
        self.recordings = list(config["recordings"])
        self.agents = list(config["agents"])
        self.inputs: set[str] = set()
        self._maps: dict[str, Maps | None] = {}

    def _used(self, path: Path) -> Path:
        self.inputs.add(path.relative_to(self.root).as_posix())
        return path

    @property
    def simulation(self) -> dict[str, Any]:
        """The `simulation` section of the config."""
        section: dict[str, Any] = self.config["simulation"]
        return section

    @cached_property
    def index(self) -> dict[str, int]:
        """Number of each agent, which fixes its colour."""
        return {label: i for i, label in enumerate(self.agents)}

    def colour(self, agent: str) -> str:
        """Colour of an agent."""
        return style.colour(self.index[agent])

    @cached_property
    def privileged(self) -> dict[str, str]:
        """Agents that know what an animal does not, and what that is."""
        return privileged(self.config)

    def named(self, agent: str) -> str:
        """Label of an agent, marked where it is privileged."""
        return f"{agent}*" if agent in self.privileged else agent

    def kind(self, recording: str) -> str:
        """Kind of a recording: movie, analytic or signal."""
        return kind_of(self.config["recordings"][recording])

    def heading(self, recording: str) -> str:
        """Label of a recording, marked where its scale and wind are assumed."""
        nominal = self.config["recordings"][recording]["nominal"]
        return f"{recording} (nominal)" if nominal else recording

    def plume(self, recording: str) -> dict[str, Any] | None:
        """Metadata of a plume; None if there is no file."""
        path = plume_path(self.root, recording)
        if not path.is_file():
            return None
        with PlumeReader(self._used(path)) as reader:
            return reader.metadata

    def grid(self, recording: str) -> Grid | None:
        """Where a plume's pixels lie; None for a signal or a missing file."""
        plume = self.plume(recording)
        if plume is None or plume["kind"] == "signal":
            return None
        names = ("height", "width", "mm_per_px", "source_row", "source_column")
        return Grid(*(plume[name] for name in names))

    def maps(self, recording: str) -> Maps | None:
        """Maps of a plume, from the analyze stage or, without them, from the plume itself."""
        if recording not in self._maps:
            stored, plume = maps_path(self.root, recording), plume_path(self.root, recording)
            if stored.is_file():
                self._maps[recording] = read_maps(stored)
            else:
                self._maps[recording] = plume_maps(plume) if plume.is_file() else None
        if maps_path(self.root, recording).is_file():
            self._used(maps_path(self.root, recording))
        return self._maps[recording]

    def table(self, schema: Schema) -> pd.DataFrame:
        """A table of statistics/; without rows if it was not written."""
        path = self.root / "statistics" / f"{schema.name}.parquet"
        if not path.is_file():
            return frame_of(schema.arrow.empty_table())
        return frame_of(read_table(self._used(path), schema))

    def summary(self) -> pd.DataFrame:
        """statistics/summary."""
        return self.table(contracts.SUMMARY)

    def agreement(self) -> pd.DataFrame:
        """validation/agreement; without rows if nothing was validated."""
        path = self.root / "validation" / "agreement.parquet"
        if not path.is_file():
            return frame_of(AGREEMENT.arrow.empty_table())
        return frame_of(read_table(self._used(path), AGREEMENT))

    def record(self, name: str) -> dict[str, Any] | None:
        """A JSON file of the run (path relative to it); None if there is none."""
        path = self.root / name
        if not path.is_file():
            return None
        content: dict[str, Any] = read_json(self._used(path))
        return content

    def simulations(self, recording: str, agent: str) -> dict[str, np.ndarray]:
        """Columns of the simulations of an agent in a recording."""
        own = None if self.chunks is None else self.chunks[agent]
        for file in chunk_files(self.root / "simulations" / recording / agent, own):
            self._used(file)
        return columns_of(read_simulations(self.root, recording, agent, self.chunks))

    def trajectories(
        self, recording: str, agent: str, columns: list[str], simulations: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Columns of some trajectories, sorted by (simulation, step)."""
        own = None if self.chunks is None else self.chunks[agent]
        for file in chunk_files(self.root / "trajectories" / recording / agent, own):
            self._used(file)
        return read_trajectories(self.root, recording, agent, columns, simulations, self.chunks)

    def prepared(self, recording: str, agent: str) -> dict[str, np.ndarray]:
        """Arrays of an agent's prepared file; none if there is no file."""
        if not prepared_path(self.root, recording, agent).is_file():
            return {}
        self._used(prepared_path(self.root, recording, agent))
        return arrays_of(self.root, recording, agent)

    def has_blank(self, recording: str, agent: str) -> bool:
        """Whether the agent was also run in plume-free air."""
        return blank_path(self.root, recording, agent).is_file()


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Pandas table of an Arrow table."""
    frame: pd.DataFrame = table.replace_schema_metadata(None).to_pandas()
    return frame


BOUNDARY_TEXT = {
    "open": "agents may walk on beyond the recorded image, where there is no odour",
    "reflect": "agents bounce off the edge of the recorded image",
    "stop": "agents stay at the edge of the recorded image",
    "turn": "agents turn away from the edge of the recorded image",
    "absorb": "agents that cross the edge of the recorded image end there, without arriving",
}
MOVIE_PART_TEXT = {
    "whole": "",
    "first_half": " of the first half of the movie",
    "second_half": " of the second half of the movie",
}
MOVIE_END_TEXT = {
    "loop": "after its last frame the movie starts again",
    "hold": "after its last frame the movie stays on it",
    "stop": "simulations end with the movie, and those that had not arrived are censored there",
}


def privileged_text(known: dict[str, str]) -> str:
    """What a caption says of privileged agents; those that know the same share a sentence.

    Examples
    --------
    >>> privileged_text({"a": "the wind", "b": "the map", "c": "the wind"})
    ' * Privileged: a, c (each knows the wind); b (knows the map).'
    """
    agents: dict[str, list[str]] = {}
    for label, text in known.items():
        agents.setdefault(text, []).append(label)
    said = "; ".join(
        f"{', '.join(labels)} ({'each knows' if len(labels) > 1 else 'knows'} {text})"
        for text, labels in agents.items()
    )
    return f" * Privileged: {said}." if said else ""


def common_numbers(config: dict[str, Any]) -> dict[str, Any]:
    """What every caption may say of how the simulations were run."""
    simulation, start = config["simulation"], config["simulation"]["start"]
    plugin, params = start_plugin(start)
    frame = start["frame"]
    at = "at a uniformly drawn frame" if frame == "uniform" else f"at frame {frame}"
    at += MOVIE_PART_TEXT[simulation["movie_part"]]
    own = plugin.own(params) if hasattr(plugin, "own") else ""
    nominal = [label for label, r in config["recordings"].items() if r["nominal"]]
    return {
        "run": config["run"],
        "simulations": simulation["simulations"],
        "duration_s": f"{simulation['duration_s']:g}",
        "success_radius_mm": f"{simulation['success_radius_mm']:g}",
        "start": f"{plugin.words(params)}, {own}heading {span(start['heading_deg'])}°, {at}",
        "boundary": BOUNDARY_TEXT[simulation["boundary"]],
        "movie_end": MOVIE_END_TEXT[simulation["movie_end"]],
        "nominal": (
            f" Scale and wind of {', '.join(nominal)} are nominal: distances, times and success"
            " there are not science."
            if nominal
            else ""
        ),
        "privileged": privileged_text(privileged(config)),
        "blank_simulations": config["validation"]["blank_simulations"],
        "limits": config["validation"],
    }
