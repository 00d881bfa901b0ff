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


def normalization_code_of(entry):
    return code(
        "normalize",
        *[("reader", name) for name in registry.names("reader")],
        *[("step", one["step"]) for one in entry["normalize"]["extra"]],
    )


def normalization_code(wildcards):
    return normalization_code_of(CONFIG["recordings"][wildcards.recording])


def wind_code(wildcards):
    return normalization_code_of(wind_component(wildcards))


def wind_component(wildcards):
    return CONFIG["wind_fields"][wildcards.wind_field][wildcards.component]


def companions_of(entry):
    """Files that an entry's settings name, in the order of their keys."""
    return [entry["companions"][key] for key in sorted(entry["companions"])]


def wind_component_settings(wildcards):
    return as_flag(recording_files.normalization_settings(wind_component(wildcards)))


def wind_component_file(wildcards, component):
    field = wind_field_of(wildcards.recording)
    return f"{OUT}/winds/components/{field}.{component}.parquet"


def wind_settings(wildcards):
    """How the components of a recording's wind become mm/s."""
    entry = CONFIG["wind_fields"][wind_field_of(wildcards.recording)]
    return as_flag(
        {key: entry[key] for key in ("downwind_mm_s", "crosswind_mm_s", "steady")}
    )


def quality_settings(wildcards):
    """Limits, and what a recording's quality is judged against."""
    entry = CONFIG["recordings"][wildcards.recording]
    limits = {key: value for key, value in CONFIG["quality"].items() if key != "gate"}
    kept = {"wind": uniform_wind(entry), "nominal": entry["nominal"]}
    zones = on_off_dead_zones(CONFIG["agents"])
    return as_flag({"quality": limits, "dead_zones": zones, **kept})


def uniform_wind(entry):
    """Speed and direction, without the field that may be named."""
    return {key: entry["wind"][key] for key in ("speed_mm_s", "toward_deg")}


def quality_page_settings(wildcards):
    """What a recording is declared to be, for its quality page."""
    entry = CONFIG["recordings"][wildcards.recording]
    return as_flag({"wind": uniform_wind(entry), "nominal": entry["nominal"]})


def plan_settings(wildcards):
    return as_flag(
        {
            "seed": CONFIG["seed"],
            **{
                key: CONFIG["simulation"][key]
                for key in ("start", "simulations", "movie_part")
            },
        }
    )


def prepare_settings(wildcards):
    agent = CONFIG["agents"][wildcards.agent]
    settings = prepare_job(CONFIG, wildcards.agent)
    if "detection" in agent:
        plumes = {"lived": wildcards.recording, "fitted": fitted_to(wildcards)}
        settings |= {
            "detection": agent["detection"],
            "movie_part": CONFIG["simulation"]["movie_part"],
            "wind_toward_deg": {
                name: CONFIG["recordings"][label]["wind"]["toward_deg"]
                for name, label in plumes.items()
            },
        }
    return as_flag(settings)


def prepare_code(wildcards):
    """The code of fits is that of the agents that believe in one."""
    agent = CONFIG["agents"][wildcards.agent]
    plugins = [
        ("start", CONFIG["simulation"]["start"]["kind"]),
        ("sensor", agent["sensor"]["shape"]),
    ]
    if "detection" not in agent:
        return code("prepare", *plugins)
    plugins += [
        ("field", field_of(label))
        for label in {wildcards.recording, fitted_to(wildcards)}
    ]
    return code("prepare", *plugins, files=["plumenav/batch/detection.py"])


def fitted_to(wildcards):
    """Label of the recording that an agent's detection model is fitted to."""
    detection = CONFIG["agents"][wildcards.agent]["detection"]
    return fitted_recording(wildcards.recording, detection)


def fitted_plume(wildcards):
    """The other plume that a detection model is fitted to; nothing for most agents."""
    if "detection" not in CONFIG["agents"][wildcards.agent]:
        return []
    label = fitted_to(wildcards)
    if label == wildcards.recording:
        return []
    return str(rules.normalize_recording.output.plume).format(recording=label)


def beliefs_of_agents():
    """Prepared files of the agents that believe in a detection model."""
    return expand(
        rules.prepare_agent.output.prepared,
        recording=CONFIG["recordings"],
        agent=BELIEVERS,
    )


def simulation_settings(wildcards):
    return as_flag(job_settings(CONFIG, wildcards.recording, wildcards.agent))


def field_of(label):
    """Name of the field that the engine samples in a recording."""
    entry = CONFIG["recordings"][label]
    return entry["analytic"]["field"] if entry["analytic"] else entry["kind"]


def parts_of(agent, kind):
    """Plug-ins of a kind for an agent's model, and for the models that it is made of."""
    names = (agent["model"], *parts(agent["model"], agent["parameters"]))
    return [(kind, name) for name in names]


def agent_plugins(wildcards):
    """The plug-ins that decide how an agent moves in a recording."""
    agent = CONFIG["agents"][wildcards.agent]
    return [
        *parts_of(agent, "model"),
        ("sensor", agent["sensor"]["shape"]),
        ("field", field_of(wildcards.recording)),
    ]


def simulation_code(wildcards):
    return code("simulate", *agent_plugins(wildcards))


def settings_in_all_recordings(wildcards):
    """What a job of one agent in all recordings is told, recording after recording."""
    return as_flag(
        [job_settings(CONFIG, label, wildcards.agent) for label in CONFIG["recordings"]]
    )


def recheck_code(wildcards):
    agent = CONFIG["agents"][wildcards.agent]
    return code(
        "recheck",
        *parts_of(agent, "model"),
        ("sensor", agent["sensor"]["shape"]),
        *[("field", field_of(label)) for label in CONFIG["recordings"]],
    )


def reference_code(wildcards):
    """The reference shares nothing with the model but its time step and parameters' names."""
    agent = CONFIG["agents"][wildcards.agent]
    return code("reference", *parts_of(agent, "reference"), *parts_of(agent, "model"))


def published_models():
    """Models of the run that each file of published targets measures something of."""
    return {
        family: [name for name in MODELS if family in families([name])]
        for family in FAMILIES
    }


def published_code(family):
    """A file of published targets, the models that it runs, and all that they may be given."""
    own = TARGETS.with_name(f"{family}.py")
    models = [registry.file_of("model", name) for name in models_of(family, MODELS)]
    given = [
        registry.file_of(kind, name)
        for kind in ("sensor", "field")
        for name in registry.names(kind)
    ]
    script = ROOT / "scripts" / "published.py"
    return fingerprint.of_files([script, own, *models, *given])


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
    kept = {key: CONFIG[key] for key in ("agents", "validation")}
    kept["recordings"] = list(CONFIG["recordings"])
    kept["dt_s"] = CONFIG["simulation"]["dt_s"]
    return as_flag({**kept, "validated": VALIDATED, "chunks": CHUNKS})


def reported_config():
    """The resolved config without what differs between machines."""
    kept = {
        key: value
        for key, value in CONFIG.items()
        if key not in ("data_folder", "plugins", "cache")
    }
    kept["plugins"] = [
        f"{plugin['kind']} {plugin['name']}" for plugin in CONFIG["plugins"]
    ]
    kept["wind_fields"] = {
        label: {
            key: recording_files.portable(value) if isinstance(value, dict) else value
            for key, value in entry.items()
        }
        for label, entry in CONFIG["wind_fields"].items()
    }
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


def figure_code(names):
    return code("figures", *[("figure", name) for name in names])


def files_of(names):
    """The other files of each figure."""
    return expand(f"{OUT}/figures/{{name}}.{{suffix}}", name=names, suffix=FIGURE_FILES)


def usage_of_all_jobs():
    """Usage records of all jobs before the report."""
    files = expand(
        rules.normalize_recording.output.usage, recording=CONFIG["recordings"]
    )
    files += expand(rules.assess_recording.output.usage, recording=CONFIG["recordings"])
    files += [
        f"{OUT}/performance/jobs/join_wind/{label}.json"
        for label in CONFIG["recordings"]
        if wind_field_of(label) is not None
    ]
    files += [
        f"{recording_file(label)}.usage.json"
        for label in CONFIG["recordings"]
        if synthetic(label)
    ]
    files += pairs(rules.prepare_agent.output.usage)
    files += expand(rules.recheck_agent.output.usage, agent=CONFIG["agents"])
    files += expand(rules.reference_agent.output.usage, agent=VALIDATED)
    files += [rules.published_targets.output.usage] if FAMILIES else []
    files += all_chunks(rules.simulate_chunk.output.usage)
    files += [
        rules.validate_run.output.usage,
        rules.analyze.output.usage,
        rules.draw_figures.output.usage,
        rules.draw_verdict.output.usage,
    ]
    return files


def run_folder(wildcards):
    return OUT


def checks_folders(wildcards):
    """Folders of an agent's checks, recording after recording."""
    return [f"{OUT}/checks/{label}/{wildcards.agent}" for label in CONFIG["recordings"]]


def caption(figure):
    """Caption for Snakemake's own report; a user's figure has none."""
    path = ROOT / "workflow" / "report" / f"{figure}.rst"
    return f"../report/{figure}.rst" if path.exists() else None
