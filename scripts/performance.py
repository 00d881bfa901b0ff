"""Add up what the jobs of a run cost (rule summarize_performance)."""

import json
from pathlib import Path

from plumenav import jobs


def main(args):
    """Write performance/summary.{json,parquet} and its figure."""
    from plumenav.analysis.contracts import SUMMARY
    from plumenav.figures._run import draw_all
    from plumenav.performance.usage import write_summary
    from plumenav.tables import read_table

    root, config = Path(args.root), args.settings["config"]
    summary = read_table(root / "statistics" / "summary.parquet", SUMMARY)
    write_summary(
        root,
        sum(summary.column("completed").to_pylist()),
        config["resources"]["memory_mb"],
        files=[Path(file) for file in args.usage_files],
    )
    draw_all(root, config, ["fig_performance"], args.settings["chunks"])


if __name__ == "__main__":
    parser = jobs.parser(__doc__)
    parser.add_argument("--root", required=True, help="results/<run>")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--usage-files", nargs="+", required=True)
    jobs.run(main, parser.parse_args())
