"""Start or continue a run: `make run` calls this, and this calls Snakemake.

Before that it checks the config, and if an earlier run was killed, clears what it left: its lock
(only if the owner is provably dead), and half-written temporary files.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from plumenav import config, ownership
from plumenav.batch.planner import plan_here
from plumenav.config.yaml_file import read_yaml
from plumenav.errors import UserError


def clear_the_way(run):
    """Unlock after a killed run; refuse while one lives.

    Raises
    ------
    UserError
        If another run is, or may be, going on here.
    """
    for name, owner in ownership.owners().items():
        who = f"process {owner.pid} on {owner.host}"
        alive = ownership.is_alive(owner)
        if alive:
            raise UserError(
                f"run {name!r}", f"is going on in this folder ({who})", "", "Wait until it ends."
            )
        if alive is None:
            raise UserError(
                f"run {name!r}",
                f"was started in this folder by {who}, which cannot be asked from here",
                "",
                f"Continue it there, or if you know it is dead, remove "
                f"{ownership.owner_file(name)} and try again.",
            )
    others = ownership.working_here()
    if others:
        raise UserError(
            f"folder {Path.cwd()}",
            f"Snakemake is already working here (process {others[0].pid})",
            "",
            "Wait until it ends.",
        )
    for name, owner in ownership.owners().items():
        say(f"The run {name!r} was interrupted (process {owner.pid} is gone); continuing.")
        ownership.wait_for_orphans(name)
        ownership.owner_file(name).unlink(missing_ok=True)
    ownership.remove_leftovers(run)
    if any(Path(".snakemake/locks").glob("*.lock")):
        say("Removing the lock of the interrupted run.")
        for lock in Path(".snakemake/locks").glob("*.lock"):
            lock.unlink()


def told(args, resolved):
    """Cores and memory for Snakemake: as the plan says, or as a profile or the user does.

    Returns
    -------
    list of str
        Words of the command line.
    """
    if args.profile:
        profile = Path("workflow/profiles", args.profile)
        file = profile / "config.yaml"
        if not file.is_file():
            known = sorted(p.parent.name for p in profile.parent.glob("*/config.yaml"))
            raise UserError(f"profile {args.profile!r}", f"{file} does not exist", ", ".join(known))
        content = read_yaml(file)
        given = content.get("resources", {}).get("mem_mb")
        cores = args.cores or content.get("cores")
        plan = plan_here(resolved, None if cores == "all" else int(cores), given)
        words = ["--workflow-profile", str(profile)]
        words += ["--cores", args.cores] if args.cores else []
    else:
        cores = None if args.cores in (None, "all") else int(args.cores)
        plan = plan_here(resolved, cores)
        words = ["--resources", f"mem_mb={int(plan.limit_mb)}", "--cores", str(plan.workers)]
    say(plan.in_short())
    return words


def say(text):
    """Tell the user on the terminal."""
    sys.stderr.write(f"plumenav: {text}\n")
    sys.stderr.flush()


def reasons(run, since_s):
    """What is wrong, in the words of the jobs that failed since then; each reason once."""
    logs = [
        log
        for log in sorted(Path("results", run, "logs").rglob("*.log"))
        if log.stat().st_mtime >= since_s
    ]
    lines = [line for log in logs for line in log.read_text(errors="replace").splitlines()]
    mark = "plumenav: "
    return list(dict.fromkeys(line.removeprefix(mark) for line in lines if line.startswith(mark)))


def main():
    """Check, clear, run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--config", default="config/config.yaml", help="config file of the run")
    parser.add_argument("--cores", help="number of cores, or all (the default)")
    parser.add_argument("--profile", help="name of a folder of workflow/profiles")
    parser.add_argument("snakemake", nargs="*", help="further words for Snakemake")
    args = parser.parse_args()
    try:
        resolved = config.load(args.config)
        run = resolved["run"]
        clear_the_way(run)
        command = [sys.executable, "-m", "snakemake", *told(args, resolved)]
    except (UserError, TimeoutError) as error:
        say(str(error))
        return 1
    command += [*args.snakemake, "--configfile", args.config]
    began_s = time.time()
    code = subprocess.call(command)
    for reason in reasons(run, began_s) if code else []:
        say(reason)
    report = Path("results") / run / "report.html"
    if report.exists():
        say(f"report: {report}" + ("" if code == 0 else "  (the run did not pass; see above)"))
    return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
