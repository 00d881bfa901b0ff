"""Measure and judge the quality of one recording (rule assess_recording)."""

import json
from pathlib import Path

from plumenav import jobs


def main(args):
    """Write quality/{recording}.json and quality/{recording}.npz."""
    from plumenav.quality.assess import assess

    truth = Path(args.truth) if args.truth else None
    files = (Path(args.plume), Path(args.quality), Path(args.arrays))
    assess(args.recording, args.settings, *files, truth)


if __name__ == "__main__":
    jobs.without("pandas")
    parser = jobs.parser(__doc__)
    parser.add_argument("--recording", required=True, help="label")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--plume", required=True)
    parser.add_argument("--truth", nargs="?", help="true frames; synthetic recordings only")
    parser.add_argument("--quality", required=True)
    parser.add_argument("--arrays", required=True)
    jobs.run(main, parser.parse_args())
