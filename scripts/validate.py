"""Compare engine and references and give the verdict (rule validate_run)."""

import json
from pathlib import Path

from plumenav import jobs


def main(args):
    """Write validation/agreement.parquet, validation/verdict.json and published.json."""
    from plumenav.analysis.checks import validate_run
    from plumenav.analysis.published.targets import not_computed, original_code
    from plumenav.tables import AGREEMENT, read_json, write_json, write_table

    root, settings = Path(args.root), args.settings
    agents = settings["agents"]
    pairs = {
        (recording, agent): [
            str(root / "simulations" / recording / agent / f"{chunk}.parquet")
            for chunk in settings["chunks"][agent]
        ]
        for recording in settings["recordings"]
        for agent in agents
    }
    models = {agent["model"] for agent in agents.values()}
    published = [
        row for file in args.targets for row in read_json(Path(file)) if row["model"] in models
    ]
    rows, verdict = validate_run(
        root,
        pairs,
        settings["validation"],
        original_code(published, agents, settings["dt_s"]),
        settings["validated"],
    )
    write_table(args.agreement, rows, AGREEMENT)
    write_json(args.verdict, verdict)
    write_json(args.published, {"targets": published, "not_computed": not_computed(models)})


if __name__ == "__main__":
    jobs.without("pandas")
    parser = jobs.parser(__doc__)
    parser.add_argument("--root", required=True, help="results/<run>")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--targets", nargs="*", default=[], help="validation/published/*.json")
    parser.add_argument("--agreement", required=True)
    parser.add_argument("--verdict", required=True)
    parser.add_argument("--published", required=True)
    jobs.run(main, parser.parse_args())
