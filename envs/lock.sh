#!/bin/sh
# Renew the lock (hashes of all packages, no index addresses) and the conda files that mirror it.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/uv"
"$scratch/uv/bin/python" -m pip install -q --disable-pip-version-check uv
"$scratch/uv/bin/uv" pip compile pyproject.toml --extra dev --extra slurm --extra zarr --universal \
  --fork-strategy fewest --python-version 3.11 --generate-hashes --no-header --upgrade \
  -q -o envs/requirements.lock
.venv/bin/python envs/mirror.py
