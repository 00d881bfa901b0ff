"""Write the report and the numbers of a run (rule write_report)."""

import json
from pathlib import Path

from plumenav import jobs


def main(args):
    """Write report.html, numbers.json and config.yaml."""
    from plumenav.report.numbers import build_numbers, write_config, write_numbers
    from plumenav.report.page import write_page
    from plumenav.tables import read_json

    root, config = Path(args.root), args.settings["config"]
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
    jobs.without("pandas")
    parser = jobs.parser(__doc__)
    parser.add_argument("--root", required=True, help="results/<run>")
    parser.add_argument("--settings", type=json.loads, required=True)
    jobs.run(main, parser.parse_args())
