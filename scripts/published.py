"""Compute published numbers by our own models (rule published_targets)."""

from pathlib import Path

from plumenav import jobs, store


def main(args):
    """Write validation/published/{family}.json: it depends on code alone, not on a run."""
    return store.through(args, "results", work, inputs=(), outputs={"output": args.output})


def work(args):
    """Run the experiments."""
    from plumenav.analysis.published.targets import compared, measure
    from plumenav.tables import write_json

    measured = measure(args.family, args.models)
    write_json(Path(args.output), compared(args.family, args.models, measured))


if __name__ == "__main__":
    jobs.without("pandas")
    parser = jobs.parser(__doc__)
    parser.add_argument("--family", required=True, help="file of analysis/published/")
    parser.add_argument("--models", nargs="+", required=True, help="models of the run")
    parser.add_argument("--output", required=True)
    jobs.run(main, parser.parse_args())
