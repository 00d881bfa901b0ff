"""Simulate one chunk of an agent's simulations in one recording (rule simulate_chunk)."""

import json

from plumenav import jobs, store


def main(args):
    """Write trajectories and one row per simulation."""
    return store.through(
        args,
        "results",
        work,
        inputs=("plume", "plan", "prepared", "wind"),
        outputs={"trajectories": args.trajectories, "simulations": args.simulations},
        # the plan says what labels decide; the others say how, not what
        ignored=("recording", "agent", "block_mb", "agents_per_pass"),
    )


def work(args):
    """Simulate."""
    from plumenav.batch.chunk import simulate_chunk
    from plumenav.engine.pressure import Pressure, told_to_the_next

    pressure = Pressure(args.declared_mb)
    with told_to_the_next(pressure, args.usage):
        return simulate_chunk(
            args.settings,
            args.chunk,
            args.chunk_simulations,
            args.plume,
            args.plan,
            args.prepared,
            args.wind,
            args.trajectories,
            args.simulations,
            args.threads,
            pressure,
            args.block_mb,
            args.agents_per_pass,
        )


if __name__ == "__main__":
    jobs.without("pandas", "scipy")
    parser = jobs.parser(__doc__)
    parser.add_argument("--recording", required=True, help="label")
    parser.add_argument("--agent", required=True, help="label")
    parser.add_argument("--chunk", required=True)
    parser.add_argument("--chunk-simulations", type=int, required=True)
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--plume", required=True)
    parser.add_argument("--plan", required=True)
    parser.add_argument("--prepared", required=True)
    parser.add_argument("--wind", nargs="?", help="recorded wind; none if it is uniform")
    parser.add_argument("--trajectories", required=True)
    parser.add_argument("--simulations", required=True)
    # how, not what: no result depends on these two
    parser.add_argument("--block-mb", type=float, default=64.0, help="decoded blocks kept, MB")
    parser.add_argument("--agents-per-pass", type=int, default=0, help="moved together; 0: all")
    jobs.run(main, parser.parse_args())
