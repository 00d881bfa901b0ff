"""Ask the engine again: every step, repetition, mutants, blank air (rule recheck_agent)."""

import json
from pathlib import Path

from plumenav import jobs, store


def main(args):
    """Write checks/{recording}/{agent}/ of every recording."""
    single, several = ("plume", "plan", "prepared", "folder"), ("simulations", "trajectories")
    return jobs.one_after_another(recheck, jobs.per_recording(args, single, several))


def recheck(args):
    """Check one recording."""
    folder = Path(args.folder)
    files = ("engine.parquet", "mutants.parquet", "blank.parquet", "replicate.json")
    return store.through(
        args,
        "results",
        work,
        inputs=("plume", "plan", "prepared", "wind", "simulations", "trajectories"),
        outputs={Path(file).stem: folder / file for file in files},
        ignored=("recording", "agent", "folder"),
    )


def work(args):
    """Repeat, and be wrong on purpose."""
    from plumenav.analysis.recheck import recheck_agent

    recheck_agent(
        args.settings,
        args.limits,
        args.plume,
        args.plan,
        args.prepared,
        args.wind,
        args.simulations,
        args.trajectories,
        Path(args.folder),
    )


if __name__ == "__main__":
    jobs.without("pandas", "scipy")
    parser = jobs.parser(__doc__)
    parser.add_argument("--recordings", nargs="+", required=True, help="labels")
    parser.add_argument("--agent", required=True, help="label")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--limits", type=json.loads, required=True)
    parser.add_argument("--plume", nargs="+", required=True)
    parser.add_argument("--plan", nargs="+", required=True)
    parser.add_argument("--prepared", nargs="+", required=True)
    parser.add_argument("--wind", nargs="*", default=[], help="recorded winds, where there are any")
    parser.add_argument("--simulations", nargs="+", required=True)
    parser.add_argument("--trajectories", nargs="+", required=True)
    parser.add_argument("--folder", nargs="+", required=True)
    jobs.run(main, parser.parse_args())
