"""Write an agent's simulation table, and measure what it must know (rule prepare_agent)."""

import importlib
import json
from contextlib import ExitStack

from plumenav import jobs


def main(args):
    """Write starts and noise keys; the sensor's levels, what is doubtful about it, and beliefs."""
    from plumenav.batch.plan import check_start, make_plan
    from plumenav.batch.prepare import check_sides, check_walls, sensor_levels, write_prepared
    from plumenav.tables import PLAN, PlumeReader, write_table

    with ExitStack() as opened:
        reader = opened.enter_context(PlumeReader(args.plume))
        start, part = args.plan_settings["start"], args.plan_settings["movie_part"]
        check_start(args.recording, start, reader.metadata, reader.n_frames, part)
        check_walls(reader.metadata, args.settings["wall_mm"])
        warnings = []
        if args.settings["sides"]:
            warnings = check_sides(reader.metadata, args.agent, args.settings["sensor"])
        levels = sensor_levels(reader, args.agent, args.settings)
        arrays = None
        if "detection" in args.settings:
            # by name: it is in the fingerprint of such agents only (workflow/rules/settings.smk)
            beliefs = importlib.import_module("plumenav.batch.detection")
            other = [opened.enter_context(PlumeReader(path)) for path in args.fitted]
            fitted = other[0] if other else None
            arrays = beliefs.detection_arrays(reader, fitted, args.agent, args.settings)
        seed, simulations = args.plan_settings["seed"], args.plan_settings["simulations"]
        plan = make_plan(seed, args.recording, args.agent, start, simulations, reader, part)
    write_table(args.plan, plan, PLAN)
    write_prepared(args.prepared, levels, arrays, warnings)


if __name__ == "__main__":
    jobs.without("pandas")
    parser = jobs.parser(__doc__)
    parser.add_argument("--recording", required=True, help="label")
    parser.add_argument("--agent", required=True, help="label")
    parser.add_argument("--plan-settings", type=json.loads, required=True)
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--plume", required=True)
    parser.add_argument("--fitted", nargs="*", default=[], help="another plume, to fit to")
    parser.add_argument("--plan", required=True)
    parser.add_argument("--prepared", required=True)
    jobs.run(main, parser.parse_args())
