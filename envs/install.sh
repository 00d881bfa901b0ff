#!/bin/sh
# Make .venv with exactly the locked packages, hashes checked. Needs Python >= 3.11 and nothing else.
set -eu
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "plumenav: needs Python >= 3.11; '$python' is $("$python" --version 2>&1 || true)." \
    "Say which to use: make run PYTHON=/path/to/python3.11" >&2
  exit 1
fi
# an environment that was interrupted while it was made has no pip yet
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  rm -rf .venv
  echo "plumenav: making the environment .venv (once, about a minute)" >&2
  "$python" -m venv .venv || {
    echo "plumenav: '$python -m venv' failed; on Debian and Ubuntu: apt install python3-venv" >&2
    exit 1
  }
fi
rm -f .venv/bin/.complete
if command -v uv >/dev/null 2>&1; then
  # several times faster where it is installed; pip is the one that must always work
  VIRTUAL_ENV="$PWD/.venv" uv pip install -q --require-hashes -r envs/requirements.lock \
    || .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r envs/requirements.lock
else
  .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r envs/requirements.lock
fi
.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
touch .venv/bin/.complete
