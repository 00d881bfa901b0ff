"""Add up what the jobs of a run cost; write its report and numbers (rule write_report)."""

import json
from pathlib import Path

from performance import main as add_up
from plumenav import jobs


def main(args):
    """Write performance/, report.html, numbers.json and config.yaml."""
    from plumenav.report.numbers import build_numbers, write_config, write_numbers
    from plumenav.report.page import write_page
    from plumenav.tables import read_json

    root, config = Path(args.root), args.settings["config"]
    add_up(args)
    hashes = {
        recording: {
            agent: read_json(root / "checks" / recording / agent / "replicate.json")[
                "trajectories_sha256"
            ]
            for agent in config["agents"]
        }
        for recording in config["recordings"]
    }
    published = read_json(root / "validation" / "published.json")
    numbers = build_numbers(
        root,
        config,
        Path(__file__).parent.parent,
        published=published["targets"],
        not_computed=published["not_computed"],
        trajectories_sha256=hashes,
    )
    write_numbers(root, numbers)
    write_config(root, config)
    write_page(root, config, numbers)


if __name__ == "__main__":
    parser = jobs.parser(__doc__)
    parser.add_argument("--root", required=True, help="results/<run>")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--usage-files", nargs="+", required=True)
    jobs.run(main, parser.parse_args())
