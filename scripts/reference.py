"""Recompute a sample with the independent reference (rule reference_agent)."""

import json

from plumenav import jobs, store


def main(args):
    """Write reference/{recording}/{agent}.parquet of every recording."""
    single = ("plume", "plan", "prepared", "output")
    return jobs.one_after_another(recompute, jobs.per_recording(args, single, ("simulations",)))


def recompute(args):
    """Recompute one recording's sample."""
    return store.through(
        args,
        "results",
        work,
        inputs=("plume", "plan", "prepared", "wind", "simulations"),
        outputs={"output": args.output},
        ignored=("recording", "agent"),
    )


def work(args):
    """Recompute."""
    from plumenav.analysis.recompute import reference_agent

    steps = reference_agent(
        args.settings,
        args.sample,
        args.plume,
        args.plan,
        args.prepared,
        args.wind,
        args.simulations,
        args.output,
    )
    return {"agent_steps": steps}


if __name__ == "__main__":
    jobs.without("pandas")
    parser = jobs.parser(__doc__)
    parser.add_argument("--recordings", nargs="+", required=True, help="labels")
    parser.add_argument("--agent", required=True, help="label")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--sample", type=int, required=True)
    parser.add_argument("--plume", nargs="+", required=True)
    parser.add_argument("--plan", nargs="+", required=True)
    parser.add_argument("--prepared", nargs="+", required=True)
    parser.add_argument("--wind", nargs="*", default=[], help="recorded winds, where there are any")
    parser.add_argument("--simulations", nargs="+", required=True)
    parser.add_argument("--output", nargs="+", required=True)
    jobs.run(main, parser.parse_args())
