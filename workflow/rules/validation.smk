# REQUIRED INPUTS: plumes, plan, prepared, simulations, trajectories
# REQUIRED OUTPUTS: validation/agreement.parquet, validation/verdict.json


CHECKS = f"{OUT}/checks/{{recording}}/{{agent}}"


# One job per agent: each recording is checked by itself, one after the other, in one process.
rule recheck_agent:
    input:
        plume=in_all_recordings(rules.normalize_recording.output.plume),
        plan=in_all_recordings(rules.prepare_agent.output.plan),
        prepared=in_all_recordings(rules.prepare_agent.output.prepared),
        wind=recorded_winds,
        simulations=chunks_in_all_recordings(rules.simulate_chunk.output.simulations),
        trajectories=chunks_in_all_recordings(rules.simulate_chunk.output.trajectories),
    output:
        engine=in_all_recordings(f"{CHECKS}/engine.parquet"),
        mutants=in_all_recordings(f"{CHECKS}/mutants.parquet"),
        blank=in_all_recordings(f"{CHECKS}/blank.parquet"),
        replicate=in_all_recordings(f"{CHECKS}/replicate.json"),
        usage=f"{OUT}/performance/jobs/recheck/{{agent}}.json",
    log:
        f"{OUT}/logs/recheck/{{agent}}.log",
    benchmark:
        f"{OUT}/benchmarks/recheck/{{agent}}.jsonl"
    priority: urgency("recheck")
    conda:
        "../../envs/environment.yaml"
    # the repetition's second thread tests independence for a moment; it is not for speed
    threads: 1
    resources:
        mem_mb=memory("recheck"),
        runtime=minutes("recheck"),
    params:
        script=script("recheck"),
        code=recheck_code,
        recordings=list(CONFIG["recordings"]),
        settings=settings_in_all_recordings,
        limits=check_limits,
        folders=checks_folders,
    message:
        "Checking {wildcards.agent}: repetition, mutants, blank air"
    shell:
        "python {params.script:q} --rule recheck --code {params.code} --agent {wildcards.agent}"
        " --recordings {params.recordings:q} --settings {params.settings:q} --limits {params.limits:q}"
        " --plume {input.plume:q} --plan {input.plan:q} --prepared {input.prepared:q} --wind {input.wind:q}"
        " --simulations {input.simulations:q} --trajectories {input.trajectories:q}"
        " --folder {params.folders:q} --threads {threads}"
        " --usage {output.usage:q} --declared-mb {resources.mem_mb} 2> {log:q}"


rule reference_agent:
    input:
        plume=in_all_recordings(rules.normalize_recording.output.plume),
        plan=in_all_recordings(rules.prepare_agent.output.plan),
        prepared=in_all_recordings(rules.prepare_agent.output.prepared),
        wind=recorded_winds,
        simulations=chunks_in_all_recordings(rules.simulate_chunk.output.simulations),
    output:
        reference=in_all_recordings(f"{OUT}/reference/{{recording}}/{{agent}}.parquet"),
        usage=f"{OUT}/performance/jobs/reference/{{agent}}.json",
    log:
        f"{OUT}/logs/reference/{{agent}}.log",
    benchmark:
        f"{OUT}/benchmarks/reference/{{agent}}.jsonl"
    priority: urgency("reference")
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory("reference"),
        runtime=minutes("reference"),
    params:
        script=script("reference"),
        code=reference_code,
        recordings=list(CONFIG["recordings"]),
        settings=settings_in_all_recordings,
        sample=CONFIG["validation"]["sample"],
    message:
        "Recomputing a sample of {wildcards.agent} independently"
    shell:
        "python {params.script:q} --rule reference --code {params.code} --agent {wildcards.agent}"
        " --recordings {params.recordings:q} --settings {params.settings:q} --sample {params.sample}"
        " --plume {input.plume:q} --plan {input.plan:q} --prepared {input.prepared:q} --wind {input.wind:q}"
        " --simulations {input.simulations:q} --output {output.reference:q}"
        " --usage {output.usage:q}"
        " --declared-mb {resources.mem_mb} 2> {log:q}"


# One job: each file of targets is measured, or taken from the store, by itself.
rule published_targets:
    output:
        compared=expand(f"{OUT}/validation/published/{{family}}.json", family=FAMILIES),
        usage=f"{OUT}/performance/jobs/published/run.json",
    log:
        f"{OUT}/logs/published/run.log",
    benchmark:
        f"{OUT}/benchmarks/published/run.jsonl"
    priority: urgency("published")
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory("published"),
        runtime=minutes("published"),
    params:
        script=script("published"),
        codes=as_flag({family: published_code(family) for family in FAMILIES}),
        models=as_flag(published_models()),
    message:
        "Computing the published numbers of the run's models"
    shell:
        "python {params.script:q} --rule published --codes {params.codes:q}"
        " --models {params.models:q} --output {output.compared:q} --usage {output.usage:q}"
        " --declared-mb {resources.mem_mb} 2> {log:q}"


rule validate_run:
    input:
        expand(rules.recheck_agent.output.engine, agent=CONFIG["agents"]),
        expand(rules.recheck_agent.output.mutants, agent=CONFIG["agents"]),
        expand(rules.recheck_agent.output.replicate, agent=CONFIG["agents"]),
        expand(rules.reference_agent.output.reference, agent=VALIDATED),
        targets=rules.published_targets.output.compared if FAMILIES else [],
    output:
        agreement=f"{OUT}/validation/agreement.parquet",
        verdict=f"{OUT}/validation/verdict.json",
        published=f"{OUT}/validation/published.json",
        usage=f"{OUT}/performance/jobs/validate/run.json",
    log:
        f"{OUT}/logs/validate/run.log",
    benchmark:
        f"{OUT}/benchmarks/validate/run.jsonl"
    priority: urgency("validate")
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory("validate"),
        runtime=minutes("validate"),
    params:
        script=script("validate"),
        code=code("validate", *[("model", name) for name in MODELS]),
        settings=validation_settings,
        root=run_folder,
    message:
        "Validating the engine against its references"
    shell:
        "python {params.script:q} --rule validate --root {params.root:q}"
        " --settings {params.settings:q} --agreement {output.agreement:q}"
        " --targets {input.targets:q}"
        " --verdict {output.verdict:q} --published {output.published:q} --usage {output.usage:q}"
        " --declared-mb {resources.mem_mb} 2> {log:q}"
