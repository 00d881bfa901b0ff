"""Draw the quality page of one recording (rule draw_quality)."""

import json
from pathlib import Path

from plumenav import jobs


def main(args):
    """Write figures/quality/{recording}.{pdf,svg,png,csv,json}."""
    from plumenav.figures.quality.page import write_page

    page = Path(args.page).with_suffix("")
    write_page(
        args.recording,
        args.settings,
        Path(args.plume),
        Path(args.quality),
        Path(args.arrays),
        page,
    )


if __name__ == "__main__":
    jobs.without("pandas", "scipy")
    parser = jobs.parser(__doc__)
    parser.add_argument("--recording", required=True, help="label")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--plume", required=True)
    parser.add_argument("--quality", required=True)
    parser.add_argument("--arrays", required=True)
    parser.add_argument("--page", required=True, help="the picture; the other files lie beside it")
    jobs.run(main, parser.parse_args())
