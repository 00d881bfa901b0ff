"""Write the report (rule write_report)."""

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
    jobs.run(main, parser.parse_args())
