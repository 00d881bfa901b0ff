"""Statistics of a run (rule analyze)."""

import json
from pathlib import Path

from plumenav import jobs


def main(args):
    """Write statistics/."""
    from plumenav.analysis.stage import write_plume_maps, write_statistics

    root, config = Path(args.root), args.settings["config"]
    write_statistics(root, config, args.settings["chunks"])
    write_plume_maps(root, list(config["recordings"]))


if __name__ == "__main__":
    jobs.without("pandas")
    parser = jobs.parser(__doc__)
    parser.add_argument("--root", required=True, help="results/<run>")
    parser.add_argument("--settings", type=json.loads, required=True)
    jobs.run(main, parser.parse_args())
