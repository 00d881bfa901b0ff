# What the rules are told (slices of the config, fingerprints of code, lists of files).
# Each slice holds only what the rule uses, so that other edits do not rerun it.


def synthesis_settings(wildcards):
    return as_flag(synthetic(wildcards.recording))


def synthesis_code(wildcards):
    generator = synthetic(wildcards.recording)["generator"]
    return code("synthesize", ("synthesis", generator))


def normalization_settings(wildcards):
    """A recording's entry without what concerns only simulations or only its making."""
    entry = CONFIG["recordings"][wildcards.recording]
    made = synthetic(wildcards.recording) and recording_file(wildcards.recording)
    return as_flag(
        recording_files.normalization_settings(entry, Path(made).name if made else None)
    )


def normalization_code(wildcards):
    extra = CONFIG["recordings"][wildcards.recording]["normalize"]["extra"]
    return code(
        "normalize",
        *[("reader", name) for name in registry.names("reader")],
        *[("step", one["step"]) for one in extra],
    )


def quality_settings(wildcards):
    """Limits, and what a recording's quality is judged against."""
    entry = CONFIG["recordings"][wildcards.recording]
    limits = {key: value for key, value in CONFIG["quality"].items() if key != "gate"}
    kept = {key: entry[key] for key in ("wind", "nominal")}
    zones = on_off_dead_zones(CONFIG["agents"])
    return as_flag({"quality": limits, "dead_zones": zones, **kept})


def quality_page_settings(wildcards):
    """What a recording is declared to be, for its quality page."""
    entry = CONFIG["recordings"][wildcards.recording]
    return as_flag({key: entry[key] for key in ("wind", "nominal")})


def plan_settings(wildcards):
    return as_flag(
        {
            "seed": CONFIG["seed"],
            "start": CONFIG["simulation"]["start"],
            "simulations": CONFIG["simulation"]["simulations"],
        }
    )


def prepare_settings(wildcards):
    return as_flag({"sensor": CONFIG["agents"][wildcards.agent]["sensor"]})


def prepare_code(wildcards):
    shape = CONFIG["agents"][wildcards.agent]["sensor"]["shape"]
    return code("prepare", ("sensor", shape))


def simulation_settings(wildcards):
    return as_flag(job_settings(CONFIG, wildcards.recording, wildcards.agent))


def field_of(label):
    """Name of the field that the engine samples in a recording."""
    entry = CONFIG["recordings"][label]
    return entry["analytic"]["field"] if entry["analytic"] else entry["kind"]


def models_of(agent, kind):
    """Plug-ins of a kind for an agent's model, and for the models that it is made of."""
    names = (agent["model"], *parts(agent["model"], agent["parameters"]))
    return [(kind, name) for name in names]


def agent_plugins(wildcards):
    """The plug-ins that decide how an agent moves in a recording."""
    agent = CONFIG["agents"][wildcards.agent]
    return [
        *models_of(agent, "model"),
        ("sensor", agent["sensor"]["shape"]),
        ("field", field_of(wildcards.recording)),
    ]


def simulation_code(wildcards):
    return code("simulate", *agent_plugins(wildcards))


def recheck_code(wildcards):
    return code("recheck", *agent_plugins(wildcards))


def reference_code(wildcards):
    """The reference shares nothing with the model but its time step and parameters' names."""
    agent = CONFIG["agents"][wildcards.agent]
    return code("reference", *models_of(agent, "reference"), *models_of(agent, "model"))


def check_limits(wildcards):
    return as_flag(
        {
            key: CONFIG["validation"][key]
            for key in (
                "sample",
                "mutants",
                "blank_simulations",
                "replicate",
                "replicate_chunk",
                "replicate_threads",
            )
        }
    )


def validation_settings(wildcards):
    """What the verdict depends on besides the files."""
    recordings = {
        label: {"signal": entry["signal"]}
        for label, entry in CONFIG["recordings"].items()
    }
    kept = {key: CONFIG[key] for key in ("agents", "simulation", "validation")}
    return as_flag({"config": {**kept, "recordings": recordings}, "chunks": CHUNKS})


def reported_config():
    """The resolved config without what differs between machines."""
    kept = {
        key: value
        for key, value in CONFIG.items()
        if key not in ("data_folder", "plugins")
    }
    kept["plugins"] = [
        f"{plugin['kind']} {plugin['name']}" for plugin in CONFIG["plugins"]
    ]
    kept["recordings"] = {
        label: recording_files.portable(entry)
        for label, entry in CONFIG["recordings"].items()
    }
    return kept


def results_settings(*left_out):
    """What statistics and figures are made from: the config without how it was computed."""
    kept = {k: v for k, v in reported_config().items() if k not in left_out}
    # not sorted: agents and recordings appear in figures in the order of the config
    return json.dumps({"config": kept, "chunks": CHUNKS}, separators=(",", ":"))


def figure_code():
    return code("figures", *[("figure", name) for name in FIGURES])


def usage_of_all_jobs():
    """Usage records of all jobs before the report."""
    files = expand(
        rules.normalize_recording.output.usage, recording=CONFIG["recordings"]
    )
    files += expand(rules.assess_recording.output.usage, recording=CONFIG["recordings"])
    files += expand(rules.draw_quality.output.usage, recording=MOVIES)
    files += [
        f"{OUT}/performance/jobs/synthesize/{Path(recording_file(label)).name}.json"
        for label in CONFIG["recordings"]
        if synthetic(label)
    ]
    for step in (
        rules.plan_agent,
        rules.prepare_agent,
        rules.recheck_agent,
        rules.reference_agent,
    ):
        files += pairs(step.output.usage)
    files += expand(pairs(rules.simulate_chunk.output.usage), chunk=CHUNKS)
    files += [
        rules.validate_run.output.usage,
        rules.analyze.output.usage,
        rules.draw_figures.output.usage,
    ]
    return files


def run_folder(wildcards):
    return OUT


def checks_folder(wildcards):
    return f"{OUT}/checks/{wildcards.recording}/{wildcards.agent}"


def caption(figure):
    """Caption for Snakemake's own report; a user's figure has none."""
    path = ROOT / "workflow" / "report" / f"{figure}.rst"
    return f"../report/{figure}.rst" if path.exists() else None
