"""The last check of a run: fails if the verdict or a promise was missed (rule gate)."""

from plumenav import jobs


def main(args):
    """Write the gate's file, or explain what missed and fail."""
    from plumenav.performance.gate import gate_table
    from plumenav.tables import read_json, write_text

    missed = gate_table(
        read_json(args.verdict), read_json(args.numbers), [read_json(f) for f in args.usage_files]
    )
    if missed:
        raise SystemExit(missed)
    write_text(args.output, "passed\n")


if __name__ == "__main__":
    jobs.without("pandas")
    parser = jobs.parser(__doc__)
    parser.add_argument("--verdict", required=True)
    parser.add_argument("--numbers", required=True)
    parser.add_argument("--usage-files", nargs="+", required=True)
    parser.add_argument("--output", required=True)
    jobs.run(main, parser.parse_args())
