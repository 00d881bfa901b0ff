# What the rules share: the resolved config, slices of it as JSON, fingerprints of code.
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.current_basedir).parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from plumenav import fingerprint, jobs, ownership, registry, store
from plumenav.analysis.published.targets import FILE as TARGETS, families, models_of
from plumenav.batch.planner import plan_here
from plumenav.batch.settings import (
    chunk_names,
    job_settings,
    on_off_dead_zones,
    prepare_job,
)
from plumenav.config import load, recording_files, resolve
from plumenav.config.detection import fitted_recording
from plumenav.errors import UserError
from plumenav.models._binding import parts
from plumenav.recordings.synthesis._writers import EXTENSIONS

SCRIPTS = os.path.relpath(ROOT / "scripts")


def config_of_this_run():
    """The one config file of this run, resolved; the demo's only if none was given."""
    given = list(workflow.overwrite_configfiles)
    if len(given) > 1:
        raise WorkflowError(
            "A run has exactly one config file; --configfile names several."
        )
    if workflow.config_settings.config:
        raise WorkflowError(
            "--config is not used; write the keys into the config file."
        )
    if config and not given:
        # imported as a module: the outer workflow hands the config over
        return resolve(dict(config), Path.cwd())
    path = given[0] if given else ROOT / "config" / "config.yaml"
    return load(path)


def given(resource):
    """What the command line or a profile allows all jobs together; None: nothing said."""
    value = workflow.global_resources.get(resource)
    value = getattr(value, "value", value)  # newer versions wrap it
    return value if isinstance(value, int) else None


try:
    CONFIG = config_of_this_run()
except UserError as error:
    raise WorkflowError(f"plumenav: {error}")

RUN = CONFIG["run"]  # everything is written below results/<run>/
OUT = f"results/{RUN}"
# what the machine and the history decide: resources, nothing that a result depends on
PLAN = plan_here(CONFIG, given("_cores"), given("mem_mb"))
# names of every agent's chunks, by the config alone
CHUNKS = {
    agent: chunk_names(CONFIG["simulation"]["simulations"], size)
    for agent, size in PLAN.layout.items()
}
# recordings whose quality can be drawn
MOVIES = [
    label for label, entry in CONFIG["recordings"].items() if entry["kind"] == "movie"
]
# agents that believe in a detection model
BELIEVERS = [label for label, agent in CONFIG["agents"].items() if "detection" in agent]
MODELS = sorted({agent["model"] for agent in CONFIG["agents"].values()})
# files of analysis/published/ that measure something of these models
FAMILIES = families(MODELS)
# agents that can be compared with an independent reference
VALIDATED = [
    label
    for label, agent in CONFIG["agents"].items()
    if agent["model"] in registry.names("reference")
]
FIGURE_FILES = ("pdf", "svg", "csv", "json")  # of every figure, and png
jobs.inherit_environment(
    [plugin["file"] for plugin in CONFIG["plugins"]], workflow.cores
)
store.hand_over(CONFIG["cache"])


wildcard_constraints:
    wind_field="|".join(CONFIG["wind_fields"]) or "none",
    component="downwind|crosswind",
    recording="|".join(CONFIG["recordings"]),
    agent="|".join(CONFIG["agents"]),
    chunk=r"\d{4}",


def as_flag(value):
    """Settings as one JSON flag, the same text for the same settings."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def script(name):
    """Path of a script, relative, so that two checkouts do not differ."""
    return f"{SCRIPTS}/{name}.py"


def code(name, *plugins, files=()):
    """Fingerprint of a script, all it imports, and the plug-ins and files that a rule names."""
    files = [ROOT / "scripts" / file for file in (f"{name}.py", *files)]
    files += [registry.file_of(kind, plugin) for kind, plugin in plugins]
    return fingerprint.of_files(files)


# Who starts first where several jobs could: what much of the rest waits for, and what takes long.
# An agent that can be simulated is, before the next one is prepared: the first job of a model
# compiles it. Most figures wait only for statistics: they are drawn while the rest is judged; only
# the report waits for the quality of recordings, so that it fills the second core at the end.
ORDER = (
    "synthesize",
    "normalize",
    "wind",
    "simulate",
    "prepare",
    "recheck",
    "analyze",
    "figures",
    "published",
    "reference",
    "validate",
    "verdict",
    "assess",
)
LATER = 9  # recordings beyond this one are all alike
BELIEF_S = 50  # fitting a detection model takes longer than preparing others


def urgency(stage):
    """Priority of a rule's jobs: higher numbers start first.

    First by stage; then the first recording's jobs, for they compile what the others find
    (normalization compiles nothing: there, long jobs first); then long jobs before short ones.
    """
    first = 10000 * (len(ORDER) - ORDER.index(stage))

    def priority(wildcards):
        expected_s = PLAN.job(stage, **wildcards).expected_wall_s
        if stage == "prepare" and wildcards.agent in BELIEVERS:
            expected_s += BELIEF_S
        later = 0
        if {"agent", "recording"} <= set(wildcards.keys()):
            later = min(list(CONFIG["recordings"]).index(wildcards.recording), LATER)
        return first - 1000 * later + min(999, round(10 * expected_s))

    return priority


def planned(rule, number):
    """A number of the plan of a rule's jobs; more memory and time with every attempt."""
    return lambda wildcards, attempt: getattr(
        PLAN.job(rule, **wildcards).again(attempt), number
    )


def memory(rule):
    """Memory of a rule's jobs, MB."""
    return planned(rule, "mem_mb")


def minutes(rule):
    """Run time after which a queue may end a rule's jobs, minutes."""
    return planned(rule, "runtime_min")


def synthetic(label):
    return CONFIG["recordings"][label]["synthetic"]


def true_frames(label):
    """True frames of a synthetic recording; nothing for others."""
    return f"{recording_file(label)}.truth.npz" if synthetic(label) else []


def recording_file(label):
    """The file or folder a plume is made from; nothing for analytic fields and signals."""
    entry = CONFIG["recordings"][label]
    if entry["synthetic"]:
        extension = EXTENSIONS[entry["synthetic"]["format"]]
        return f"{OUT}/recordings/{label}.{extension}"
    # a folder is as new as the last change of any file in it; its parts are watched instead
    return ancient(entry["file"]) if entry["parts"] else entry.get("file", [])


def recording_parts(label):
    """The files in a recording's folder, for rerun tracking only: there may be thousands."""
    return CONFIG["recordings"][label]["parts"]


def recording_companions(label):
    """Files that a recording's settings name, in the order of their keys."""
    return companions_of(CONFIG["recordings"][label])


def wind_field_of(label):
    """Label of a recording's recorded wind; None: its wind is uniform."""
    return CONFIG["recordings"][label]["wind"]["field"]


def wind_file(wildcards):
    """The recorded wind of a recording; nothing if its wind is uniform."""
    recorded = wind_field_of(wildcards.recording) is not None
    return f"{OUT}/winds/{wildcards.recording}.parquet" if recorded else []


def pairs(pattern):
    """One file per agent and recording."""
    return expand(
        pattern,
        recording=CONFIG["recordings"],
        agent=CONFIG["agents"],
        allow_missing=True,
    )


def recorded_winds(wildcards):
    """Recorded winds of all recordings that have one, in their order."""
    return [
        f"{OUT}/winds/{label}.parquet"
        for label in CONFIG["recordings"]
        if wind_field_of(label) is not None
    ]


def in_all_recordings(pattern):
    """One file per recording, in their order; of one agent, in a rule's input or output."""
    return expand(pattern, recording=CONFIG["recordings"], allow_missing=True)


def chunks_in_all_recordings(pattern):
    """One file per recording and chunk of one agent, recording after recording."""
    return lambda wildcards: expand(
        pattern,
        recording=CONFIG["recordings"],
        chunk=CHUNKS[wildcards.agent],
        **wildcards,
    )


def all_chunks(pattern):
    """One file per recording, agent and chunk."""
    return [
        file
        for agent, chunks in CHUNKS.items()
        for file in expand(
            pattern, recording=CONFIG["recordings"], agent=agent, chunk=chunks
        )
    ]
