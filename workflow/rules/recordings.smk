# REQUIRED INPUTS: the config's recordings
# REQUIRED OUTPUTS: plumes/{recording}.parquet, plumes/{recording}.quality.json


def synthesis_settings(wildcards):
    return as_flag(synthetic(wildcards.recording))


def synthesis_code(wildcards):
    generator = synthetic(wildcards.recording)["generator"]
    return code("synthesize", ("synthesis", generator))


def normalization_settings(wildcards):
    """A recording's entry without what concerns only simulations or only its making."""
    entry = CONFIG["recordings"][wildcards.recording]
    skipped = {"wind", "condition", "nominal", "file", "synthetic", "path", "kind"}
    settings = {key: value for key, value in entry.items() if key not in skipped}
    # what the file is, not where it lies: two machines must not differ
    settings["path"] = Path(entry["path"]).name if entry["path"] else None
    if entry["synthetic"]:
        settings["path"] = Path(recording_file(wildcards.recording)).name
    return as_flag(settings)


def normalization_code(wildcards):
    return code("normalize", *[("reader", name) for name in registry.names("reader")])


rule synthesize_recording:
    output:
        file=f"{OUT}/recordings/{{recording}}.{{extension}}",
        facts=f"{OUT}/recordings/{{recording}}.{{extension}}.facts.json",
        usage=f"{OUT}/performance/jobs/synthesize/{{recording}}.{{extension}}.json",
    log:
        f"{OUT}/logs/synthesize/{{recording}}.{{extension}}.log",
    benchmark:
        f"{OUT}/benchmarks/synthesize/{{recording}}.{{extension}}.jsonl"
    wildcard_constraints:
        extension="h5|avi",
    params:
        script=script("synthesize"),
        code=synthesis_code,
        settings=synthesis_settings,
        plugins=PLUGINS,
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(20),
    message:
        "Synthesizing recording {wildcards.recording}"
    shell:
        "{PYTHON} {params.script} --rule synthesize --recording {wildcards.recording}"
        " --settings {params.settings:q} --recording-file {output.file:q}"
        " --facts {output.facts:q} --plugins {params.plugins:q} --threads {threads}"
        " --usage {output.usage:q} --declared-mb {resources.mem_mb} 2> {log:q}"


rule normalize_recording:
    input:
        lambda wildcards: recording_file(wildcards.recording),
    output:
        plume=f"{OUT}/plumes/{{recording}}.parquet",
        quality=f"{OUT}/plumes/{{recording}}.quality.json",
        usage=f"{OUT}/performance/jobs/normalize/{{recording}}.json",
    log:
        f"{OUT}/logs/normalize/{{recording}}.log",
    benchmark:
        f"{OUT}/benchmarks/normalize/{{recording}}.jsonl"
    params:
        script=script("normalize"),
        code=normalization_code,
        settings=normalization_settings,
        plugins=PLUGINS,
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(20),
    message:
        "Normalizing recording {wildcards.recording}"
    shell:
        "{PYTHON} {params.script} --rule normalize --recording {wildcards.recording}"
        " --settings {params.settings:q} --source {input:q} --plume {output.plume:q}"
        " --quality {output.quality:q} --plugins {params.plugins:q} --threads {threads}"
        " --usage {output.usage:q} --declared-mb {resources.mem_mb} 2> {log:q}"
