"""Make one synthetic recording: a real file in a real format (rule synthesize_recording)."""

import json
from pathlib import Path

from plumenav import jobs


def main(args):
    """Write the recording, the facts about it, and some of its true frames."""
    from plumenav import registry
    from plumenav.recordings.synthesis._truth_frames import true_frames, write_true_frames
    from plumenav.tables import write_json

    settings = args.settings
    generator = registry.get("synthesis", settings["generator"])
    facts = generator.synthesize(
        Path(args.recording_file), settings["format"], settings["seed"], settings["parameters"]
    )
    truth = true_frames(settings["generator"], settings["seed"], settings["parameters"])
    write_true_frames(Path(args.truth), truth)
    write_json(args.facts, facts)


if __name__ == "__main__":
    parser = jobs.parser(__doc__)
    parser.add_argument("--recording", required=True, help="label")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--recording-file", required=True)
    parser.add_argument("--facts", required=True)
    parser.add_argument("--truth", required=True, help="some true frames (npz)")
    jobs.run(main, parser.parse_args())
