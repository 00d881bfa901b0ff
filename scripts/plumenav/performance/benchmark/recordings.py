"""The recordings that are measured: synthesized once, and again when they would differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plumenav import fingerprint, registry
from plumenav.config.recordings import Recording
from plumenav.performance.benchmark import measure
from plumenav.performance.benchmark._contract import Scope, Timed, Variant
from plumenav.tables import read_json, write_json


def key(synthetic: Mapping[str, Any]) -> str:
    """Fingerprint of a synthetic recording: of its settings, and of the code that makes it."""
    code = fingerprint.of_files([registry.file_of("synthesis", synthetic["generator"])])
    settings = json.dumps(synthetic, sort_keys=True)
    return hashlib.sha256(f"{code} {settings}".encode()).hexdigest()


def make(path: str, synthetic: dict[str, Any]) -> Timed:
    """Task: synthesize a recording."""
    generator = registry.get("synthesis", synthetic["generator"])

    def write() -> dict[str, float]:
        how = (synthetic["format"], synthetic["seed"], synthetic["parameters"])
        generator.synthesize(Path(path), *how)
        return {"file_bytes": Path(path).stat().st_size}

    return write


def synthetic_file(scope: Scope, label: str) -> Path:
    """File of a synthetic recording of the config; made if it is not there or would be another."""
    from plumenav.recordings.synthesis._writers import FORMATS

    synthetic = scope.config["recordings"][label]["synthetic"]
    folder = scope.folder / "recordings"
    path = folder / f"{label}{FORMATS[synthetic['format']].suffixes[0]}"
    mark, wanted = folder / f"{label}.json", key(synthetic)
    if not (path.exists() and mark.exists() and read_json(mark)["key"] == wanted):
        mark.unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        arguments = {"path": str(path), "synthetic": synthetic}
        measure.in_process(Variant(label, "recordings:make", arguments))
        write_json(mark, {"key": wanted})
    return path


def plume(scope: Scope, label: str) -> Path:
    """Where the plume of a recording is kept."""
    return scope.folder / "plumes" / f"{label}.parquet"


def labels(scope: Scope) -> list[str]:
    """Synthetic recordings of the config."""
    return [label for label, one in scope.config["recordings"].items() if one["synthetic"]]


def normalization_settings(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What normalization is told of a recording of a resolved config: no file of this machine."""
    return {name: value for name, value in entry.items() if name in Recording.model_fields}
