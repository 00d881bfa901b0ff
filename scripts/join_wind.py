"""Join the two components of recorded wind on the pixels of a plume (rule join_wind)."""

import json

from plumenav import jobs, store


def main(args):
    """Write winds/{recording}.parquet."""
    return store.through(
        args,
        "plumes",
        work,
        inputs=("downwind", "crosswind", "plume"),
        outputs={"wind": args.wind},
        ignored=("recording", "field"),
    )


def work(args):
    """Join."""
    from plumenav.batch.wind import join
    from plumenav.tables import PlumeReader

    with (
        PlumeReader(args.downwind) as downwind,
        PlumeReader(args.crosswind) as crosswind,
        PlumeReader(args.plume) as plume,
    ):
        where = f"wind_fields.{args.field}"
        join((downwind, crosswind), plume, args.settings, args.wind, where)


if __name__ == "__main__":
    jobs.without("pandas", "scipy")
    parser = jobs.parser(__doc__)
    parser.add_argument("--recording", required=True, help="label")
    parser.add_argument("--field", required=True, help="label of the wind field")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--downwind", required=True)
    parser.add_argument("--crosswind", required=True)
    parser.add_argument("--plume", required=True)
    parser.add_argument("--wind", required=True)
    jobs.run(main, parser.parse_args())
