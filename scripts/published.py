"""Compute published numbers by our own models (rule published_targets)."""

import argparse
import json
from pathlib import Path

from plumenav import jobs, store


def main(args):
    """Write validation/published/{family}.json: they depend on code alone, not on a run."""
    return jobs.one_after_another(published, families(args))


def families(args):
    """Flags of each file of targets, as if it had a job of its own."""
    outputs = {Path(path).stem: path for path in args.output}
    for family, models in args.models.items():
        own = {"family": family, "models": models, "code": args.codes[family]}
        kept = {name: value for name, value in vars(args).items() if name != "codes"}
        yield argparse.Namespace(**{**kept, **own, "output": outputs[family]})


def published(args):
    """Measure what one file of targets says, or take what was measured."""
    return store.through(args, "results", work, inputs=(), outputs={"output": args.output})


def work(args):
    """Run the experiments."""
    from plumenav.analysis.published.targets import compared, measure
    from plumenav.tables import write_json

    measured = measure(args.family, args.models)
    write_json(Path(args.output), compared(args.family, args.models, measured))


if __name__ == "__main__":
    jobs.without("pandas")
    parser = jobs.parser(__doc__)
    parser.add_argument("--codes", type=json.loads, required=True, help="by family: fingerprints")
    parser.add_argument("--models", type=json.loads, required=True, help="by family: of the run")
    parser.add_argument("--output", nargs="+", required=True)
    jobs.run(main, parser.parse_args())
