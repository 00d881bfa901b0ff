"""Recompute a sample with the independent reference (rule reference_agent)."""

import json

from plumenav import jobs, store


def main(args):
    """Write reference/{recording}/{agent}.parquet."""
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
    parser.add_argument("--recording", required=True, help="label")
    parser.add_argument("--agent", required=True, help="label")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--sample", type=int, required=True)
    parser.add_argument("--plume", required=True)
    parser.add_argument("--plan", required=True)
    parser.add_argument("--prepared", required=True)
    parser.add_argument("--wind", nargs="?", help="recorded wind; none if it is uniform")
    parser.add_argument("--simulations", nargs="+", required=True)
    parser.add_argument("--output", required=True)
    jobs.run(main, parser.parse_args())
