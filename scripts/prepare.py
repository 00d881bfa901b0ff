"""Measure what an agent must know before it starts (rule prepare_agent)."""

import json

from plumenav import jobs


def main(args):
    """Write the sensor's levels in this recording, and what is doubtful about it."""
    from plumenav.batch.prepare import check_sides, check_walls, sensor_levels, write_prepared
    from plumenav.tables import PlumeReader

    with PlumeReader(args.plume) as reader:
        check_walls(reader.metadata, args.settings["wall_mm"])
        warnings = []
        if args.settings["sides"]:
            warnings = check_sides(reader.metadata, args.agent, args.settings["sensor"])
        levels = sensor_levels(reader, args.agent, args.settings)
    write_prepared(args.prepared, levels, warnings=warnings)


if __name__ == "__main__":
    jobs.without("pandas")
    parser = jobs.parser(__doc__)
    parser.add_argument("--recording", required=True, help="label")
    parser.add_argument("--agent", required=True, help="label")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--plume", required=True)
    parser.add_argument("--prepared", required=True)
    jobs.run(main, parser.parse_args())
