"""Turn one recording into a calibrated plume (rule normalize_recording)."""

import json
import sys
from pathlib import Path

from plumenav import guard, jobs, store


def main(args):
    """Write the plume and its quality; a file is read in a guarded process of its own."""
    job = store.Job(
        args,
        "plumes",
        inputs=("source", "companions"),
        outputs={"plume": args.plume, "quality": args.quality},
        # words of messages; the recording's own name is in the settings
        ignored=("recording", "section"),
    )
    if not guard.guarded() and job.fetch():
        return job.details
    if args.source and not guard.guarded():
        # what the work cost is recorded by the process that does it
        outputs = [path for path in (args.plume, args.quality, args.usage) if path]
        args.usage = None
        folders = {Path(path).parent for path in outputs}
        code = guard.run_again(args.source, args.settings["reader"]["stall_s"], folders)
        if code:
            sys.exit(code)
        return None
    jobs.without("pandas")
    from plumenav.normalization.pipeline import normalize
    from plumenav.tables import PlumeReader

    settings = dict(args.settings)
    keys = settings.pop("companions")
    companions = dict(zip(keys, map(Path, args.companions), strict=True))
    source = Path(args.source) if args.source else None
    files = Path(args.plume), Path(args.quality)
    normalize(args.recording, settings, source, *files, companions, args.section)
    job.keep(known_of(source, args.plume))
    with PlumeReader(args.plume) as reader:
        return {**job.details, "shape": reader.size()}


def known_of(source, plume):
    """The recording's sha256, which its plume tells: it need not be read once more."""
    from plumenav.tables import PlumeReader

    if source is None or source.is_dir():
        return {}
    with PlumeReader(plume) as reader:
        return {source: reader.metadata["recording_sha256"]}


if __name__ == "__main__":
    parser = jobs.parser(__doc__)
    parser.add_argument("--recording", required=True, help="label")
    parser.add_argument("--section", default="recordings", help="of the config")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--source", nargs="?", help="file; none for analytic fields and signals")
    parser.add_argument(
        "--companions", nargs="*", default=[], help="files named by the settings' `companions`"
    )
    parser.add_argument("--plume", required=True)
    parser.add_argument("--quality", required=True)
    jobs.run(main, parser.parse_args())
