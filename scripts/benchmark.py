"""Measure what the code costs, as ratios in one run (`make bench`)."""

import argparse
import logging
import sys
from pathlib import Path

from plumenav.errors import UserError
from plumenav.performance.benchmark import suite


def main():
    """Run the suite, or write the table of an earlier run into a document."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="small sizes, few repetitions")
    parser.add_argument("--full", action="store_true", help="everything there is: hours")
    parser.add_argument("--check", action="store_true", help="exit 1 if anything is missed")
    parser.add_argument("--only", nargs="*", default=[], help="names of benchmarks")
    parser.add_argument("--folder", type=Path, default=Path("results/benchmark"))
    parser.add_argument("--document", type=Path, help="write the table of the last run into it")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        if args.document:
            suite.document(args.folder, args.document)
            return 0
        content = suite.run(args.folder, args.quick, args.only, args.full)
    except UserError as error:
        sys.stderr.write(f"plumenav: {error}\n")
        return 1
    sys.stdout.write(suite.table(content) + "\n")
    missed = suite.missed(content)
    for name in missed:
        sys.stderr.write(f"plumenav: missed: {name}\n")
    return 1 if args.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
