"""Compare engine and references and give the verdict (rule validate_run)."""

import json
from pathlib import Path

from plumenav import jobs


def main(args):
    """Write validation/agreement.parquet and validation/verdict.json."""
    from plumenav.analysis.checks import validate_run
    from plumenav.analysis.published import published_rows
    from plumenav.tables import AGREEMENT, write_json, write_table

    root, chunks = Path(args.root), args.settings["chunks"]
    pairs = {
        (recording, agent): [
            str(root / "simulations" / recording / agent / f"{chunk}.parquet") for chunk in chunks
        ]
        for recording in args.settings["config"]["recordings"]
        for agent in args.settings["config"]["agents"]
    }
    config = args.settings["config"]
    published = published_rows(root, config, chunks)
    rows, verdict = validate_run(root, pairs, config["validation"], published)
    write_table(args.agreement, rows, AGREEMENT)
    write_json(args.verdict, verdict)
    write_json(args.published, published)


if __name__ == "__main__":
    jobs.without("pandas")
    parser = jobs.parser(__doc__)
    parser.add_argument("--root", required=True, help="results/<run>")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--agreement", required=True)
    parser.add_argument("--verdict", required=True)
    parser.add_argument("--published", required=True)
    jobs.run(main, parser.parse_args())
