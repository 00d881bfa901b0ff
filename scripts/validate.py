"""Compare engine and references and give the verdict (rule validate_run)."""

import json
from pathlib import Path

from plumenav import jobs


def main(args):
    """Write validation/agreement.parquet and validation/verdict.json."""
    from plumenav.analysis.checks import validate_run
    from plumenav.tables import AGREEMENT, write_json, write_table

    root = Path(args.root)
    pairs = {
        (recording, agent): [
            str(root / "simulations" / recording / agent / f"{chunk}.parquet")
            for chunk in args.settings["chunks"]
        ]
        for recording in args.settings["recordings"]
        for agent in args.settings["agents"]
    }
    rows, verdict = validate_run(root, pairs, args.settings["limits"])
    write_table(args.agreement, rows, AGREEMENT)
    write_json(args.verdict, verdict)


if __name__ == "__main__":
    parser = jobs.parser(__doc__)
    parser.add_argument("--root", required=True, help="results/<run>")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--agreement", required=True)
    parser.add_argument("--verdict", required=True)
    jobs.run(main, parser.parse_args())
