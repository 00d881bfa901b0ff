"""Measure what an agent must know before it starts (rule prepare_agent)."""

import json

from plumenav import jobs


def main(args):
    """Write the sensor's levels in this recording."""
    from plumenav.batch.prepare import sensor_levels, write_prepared
    from plumenav.tables import PlumeReader

    with PlumeReader(args.plume) as reader:
        write_prepared(args.prepared, sensor_levels(reader, args.agent, args.settings))


if __name__ == "__main__":
    jobs.without("pandas")
    parser = jobs.parser(__doc__)
    parser.add_argument("--recording", required=True, help="label")
    parser.add_argument("--agent", required=True, help="label")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--plume", required=True)
    parser.add_argument("--prepared", required=True)
    jobs.run(main, parser.parse_args())
