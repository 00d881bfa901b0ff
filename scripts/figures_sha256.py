"""One sha256 over the figures of a run: the same on every checkout (`make figures`)."""

import argparse
import hashlib
import sys
from pathlib import Path

from plumenav import config


def digest(folder):
    """Hash of the names and contents of a folder's own files.

    Quality pages lie in a folder below and are not among them: they are drawn only when asked for.
    """
    total = hashlib.sha256()
    files = sorted(path for path in folder.iterdir() if path.is_file())
    for path in files:
        name = path.relative_to(folder).as_posix()
        total.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest(), len(files)


def main():
    """Print the hash."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--config", required=True, help="config file of the run")
    args = parser.parse_args()
    folder = Path("results") / config.load(args.config)["run"] / "figures"
    sha256, n = digest(folder)
    sys.stdout.write(f"{sha256}  {folder} ({n} files)\n")


if __name__ == "__main__":
    main()
