"""Write the simulation table of one agent in one recording (rule plan_agent)."""

import json

from plumenav import jobs


def main(args):
    """Draw starts and noise keys."""
    from plumenav.batch.plan import check_start, make_plan
    from plumenav.tables import PLAN, PlumeReader, write_table

    with PlumeReader(args.plume) as reader:
        start, part = args.settings["start"], args.settings["movie_part"]
        check_start(args.recording, start, reader.metadata, reader.n_frames, part)
        plan = make_plan(
            args.settings["seed"],
            args.recording,
            args.agent,
            start,
            args.settings["simulations"],
            reader,
            part,
        )
    write_table(args.plan, plan, PLAN)


if __name__ == "__main__":
    jobs.without("pandas")
    parser = jobs.parser(__doc__)
    parser.add_argument("--recording", required=True, help="label")
    parser.add_argument("--agent", required=True, help="label")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--plume", required=True)
    parser.add_argument("--plan", required=True)
    jobs.run(main, parser.parse_args())
