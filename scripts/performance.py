"""Add up what the jobs of a run cost, and put it into the history (part of rule write_report)."""

import json
from pathlib import Path

from plumenav import jobs


def main(args):
    """Write performance/summary.{json,parquet}, review.json and their figure."""
    from plumenav.analysis.contracts import SUMMARY
    from plumenav.figures._run import draw_all
    from plumenav.performance.review import write_review
    from plumenav.performance.usage import busiest, read_jobs, write_summary
    from plumenav.report.provenance import config_sha256, versions
    from plumenav.tables import read_table

    root, config = Path(args.root), args.settings["config"]
    summary = read_table(root / "statistics" / "summary.parquet", SUMMARY)
    completed = sum(summary.column("completed").to_pylist())
    files = [Path(file) for file in args.usage_files]
    # on a cluster a job knows only its own cores
    cores = max(jobs.cores_of_the_run(), busiest(read_jobs(files)))
    write_summary(root, completed, config["resources"]["memory_mb"], cores, files)
    write_review(
        root,
        config,
        files,
        completed,
        cores,
        config_sha256=config_sha256(config),
        versions=versions(),
    )
    draw_all(root, config, ["fig_performance"], args.settings["chunks"])


if __name__ == "__main__":
    parser = jobs.parser(__doc__)
    parser.add_argument("--root", required=True, help="results/<run>")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--usage-files", nargs="+", required=True)
    jobs.run(main, parser.parse_args())
