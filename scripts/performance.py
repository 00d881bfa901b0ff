"""Add up what the jobs of a run cost (rule summarize_performance)."""

import json
from pathlib import Path

from plumenav import jobs


def main(args):
    """Write performance/summary.{json,parquet} and its figure."""
    raise NotImplementedError


if __name__ == "__main__":
    parser = jobs.parser(__doc__)
    parser.add_argument("--root", required=True, help="results/<run>")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--usage-files", nargs="+", required=True)
    jobs.run(main, parser.parse_args())
