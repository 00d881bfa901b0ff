"""Draw the figures of a run (rule draw_figures)."""

import json
from pathlib import Path

from plumenav import jobs


def main(args):
    """Write figures/{name}.{pdf,svg,png,csv,json}."""
    from plumenav.figures._run import draw_all

    draw_all(Path(args.root), args.settings["config"], args.names, args.settings["chunks"])


if __name__ == "__main__":
    parser = jobs.parser(__doc__)
    parser.add_argument("--root", required=True, help="results/<run>")
    parser.add_argument("--names", nargs="+", required=True)
    parser.add_argument("--settings", type=json.loads, required=True)
    jobs.run(main, parser.parse_args())
