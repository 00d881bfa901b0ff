"""Compute published numbers by our own models (rule published_targets)."""

from pathlib import Path

from plumenav import jobs


def main(args):
    """Write validation/published/{family}.json: as computed before by the same code, or now."""
    from plumenav.analysis.published._kept import kept_file
    from plumenav.analysis.published.targets import compared, measure
    from plumenav.tables import read_json, write_json

    kept = kept_file(args.family, f"{args.code} {' '.join(args.models)}")
    if not kept.is_file():
        measured = measure(args.family, args.models)
        write_json(kept, compared(args.family, args.models, measured))
    write_json(Path(args.output), read_json(kept))


if __name__ == "__main__":
    jobs.without("pandas")
    parser = jobs.parser(__doc__)
    parser.add_argument("--family", required=True, help="file of analysis/published/")
    parser.add_argument("--models", nargs="+", required=True, help="models of the run")
    parser.add_argument("--code", required=True, help="fingerprint of all code that computes them")
    parser.add_argument("--output", required=True)
    jobs.run(main, parser.parse_args())
