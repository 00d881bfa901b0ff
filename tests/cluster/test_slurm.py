"""The small run on a Slurm that is up gives the same bits as on this machine."""

import json
import shutil
import subprocess
import sys

import pytest

from workflow_helpers import Checkout

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


@pytest.fixture
def slurm():
    if not shutil.which("sinfo"):
        pytest.skip("Slurm is not installed")
    done = subprocess.run(["sinfo", "-h"], capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout.strip():
        pytest.skip("no Slurm is up")


def test_slurm_gives_the_same_bits(slurm, tmp_path):
    here, there = Checkout(tmp_path / "here"), Checkout(tmp_path / "there")
    local = here.run("config/small.yaml")
    assert local.returncode == 0, local.stderr
    submitted = there.call(
        sys.executable,
        "-m",
        "snakemake",
        "--workflow-profile",
        "workflow/profiles/slurm",
        "--configfile",
        "config/small.yaml",
    )
    assert submitted.returncode == 0, submitted.stdout + submitted.stderr
    numbers = [
        json.loads((checkout.folder / "results/small/numbers.json").read_text())
        for checkout in (here, there)
    ]
    assert numbers[0]["trajectories_sha256"] == numbers[1]["trajectories_sha256"]
    assert numbers[0]["agents"] == numbers[1]["agents"]
