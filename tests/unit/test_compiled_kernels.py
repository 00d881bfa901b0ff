"""Compiled kernels are found again by other processes, and never answer for edited code."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import factories
from plumenav.engine import compiling
from plumenav.engine.jit import compiled
from plumenav.models import _decision, _math

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
sys.path[:0] = {paths!r}
import factories
from plumenav.engine import compiling
from plumenav.engine.jit import compiled
from plumenav.models import _decision, _math
from pathlib import Path
from plumenav import registry
from plumenav.engine.run import Blocks, simulate
from plumenav.tables import PlumeReader
for plugin in {plugins!r}:
    registry.register_file(Path(plugin))
settings = factories.engine_settings({model!r}, duration_s=1.0)
with PlumeReader({plume!r}) as reader:
    outcome = simulate(Blocks(reader), factories.plan_columns(4, 40), settings)
print(json.dumps([outcome.kernel, outcome.simulations.column("path_mm").to_pylist()]))
"""
TEMPLATE = ROOT / "scripts/plumenav/models/_template.py"


@pytest.fixture
def process(tmp_path):
    """Run a model in a process of its own, with a kernel cache of the test's own."""
    plume = factories.write_movie(tmp_path / "movie.parquet")

    def run(model, plugins=(), scripts=ROOT / "scripts", **environment):
        program = PROGRAM.format(
            paths=[str(scripts), str(ROOT / "tests")],
            plugins=[str(p) for p in plugins],
            model=model,
            plume=str(plume),
        )
        env = {**os.environ, "PLUMENAV_CACHE": str(tmp_path / "cache"), **environment}
        env.pop("PYTHONPATH", None)
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_a_second_process_compiles_nothing(process):
    first, paths = process("correlated_random_walk")
    second, same = process("correlated_random_walk")
    # the field's kernel and the model's step
    assert (first["cache_hits"], first["cache_misses"]) == (0, 2)
    assert (second["cache_hits"], second["cache_misses"]) == (2, 0)
    assert paths == same


def test_an_edited_model_in_a_read_only_folder_gives_its_new_result(process, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    plugin = folder / "my_walk.py"
    # the template of models, as a user would take it
    future = "from __future__ import annotations\n"
    text = TEMPLATE.read_text().replace(future, future + 'PLUGIN_KIND = "model"\n')
    plugin.write_text(text)
    folder.chmod(0o555)
    try:
        first, slow = process("my_walk", [plugin])
        again, same = process("my_walk", [plugin])
        folder.chmod(0o755)
        # a constant inside the step, not a parameter
        plugin.write_text(text.replace("c.speed * math.", "2.0 * c.speed * math."))
        folder.chmod(0o555)
        edited, fast = process("my_walk", [plugin])
    finally:
        folder.chmod(0o755)
    # at first the field's kernel, too
    assert (first["cache_misses"], again["cache_misses"], edited["cache_misses"]) == (2, 0, 1)
    assert same == slow
    assert all(b > a for a, b in zip(slow, fast, strict=True))
    assert not list(folder.glob("__pycache__/*.nbi"))


def test_an_edited_builtin_model_gives_its_new_result(process, tmp_path):
    import shutil

    copy = tmp_path / "scripts"
    shutil.copytree(ROOT / "scripts", copy, ignore=shutil.ignore_patterns("__pycache__"))
    model = copy / "plumenav/models/correlated_random_walk.py"
    _, before = process("correlated_random_walk", scripts=copy)
    model.write_text(model.read_text().replace("c.speed * math.cos", "2.0 * c.speed * math.cos"))
    kernel, after = process("correlated_random_walk", scripts=copy)
    assert kernel["cache_misses"] == 1
    assert all(b > a for a, b in zip(before, after, strict=True))


def test_the_same_source_runs_uncompiled(process):
    _, compiled = process("walk_stop_turn")
    _, plain = process("walk_stop_turn", NUMBA_DISABLE_JIT="1")
    assert plain == pytest.approx(compiled, abs=1e-9)


def test_a_compiled_file_is_kept_with_what_it_is_made_of(tmp_path, monkeypatch):
    monkeypatch.setenv("PLUMENAV_CACHE", str(tmp_path / "cache"))
    text = "from numba import njit\n\n\n@njit(cache=True)\ndef f(x):\n    return x + {}\n"
    homes = []
    for added in (1, 2, 1):
        path = tmp_path / str(added) / "_small.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.format(added))
        module = compiling.load_compiled(path)
        assert compiling.load_compiled(path) is module
        monkeypatch.delitem(sys.modules, module.__name__)
        assert module.f(10) == 10 + added
        homes.append(Path(module.__file__).parent)
        hits = sum(module.f.stats.cache_hits.values())
        # the third is the first again
        assert hits == (1 if len(homes) == 3 else 0)
    assert homes[0] == homes[2] != homes[1]
    assert homes[0].is_relative_to(tmp_path / "cache")


def test_only_marked_sums_may_be_reordered():
    plain, marked = compiled(_math.normal), compiled(_decision.moved_sums)
    assert plain.targetoptions["fastmath"] is False
    assert marked.targetoptions["fastmath"] == {"reassoc", "nsz", "contract"}
    assert compiled(_math.normal) is plain
