# REQUIRED INPUTS: plumes, plan, prepared, simulations, trajectories
# REQUIRED OUTPUTS: validation/agreement.parquet, validation/verdict.json


CHECKS = f"{OUT}/checks/{{recording}}/{{agent}}"


rule recheck_agent:
    input:
        plume=rules.normalize_recording.output.plume,
        plan=rules.prepare_agent.output.plan,
        prepared=rules.prepare_agent.output.prepared,
        wind=wind_file,
        simulations=per_chunk(rules.simulate_chunk.output.simulations),
        trajectories=per_chunk(rules.simulate_chunk.output.trajectories),
    output:
        engine=f"{CHECKS}/engine.parquet",
        mutants=f"{CHECKS}/mutants.parquet",
        blank=f"{CHECKS}/blank.parquet",
        replicate=f"{CHECKS}/replicate.json",
        usage=f"{OUT}/performance/jobs/recheck/{{recording}}/{{agent}}.json",
    log:
        f"{OUT}/logs/recheck/{{recording}}/{{agent}}.log",
    benchmark:
        f"{OUT}/benchmarks/recheck/{{recording}}/{{agent}}.jsonl"
    conda:
        "../../envs/environment.yaml"
    priority: urgency("recheck")
    # the repetition's second thread tests independence for a moment; it is not for speed
    threads: 1
    resources:
        mem_mb=memory(1900),
        runtime=minutes(15),
    params:
        script=script("recheck"),
        code=recheck_code,
        settings=simulation_settings,
        limits=check_limits,
        folder=checks_folder,
    message:
        "Checking {wildcards.agent} in {wildcards.recording}: repetition, mutants, blank air"
    shell:
        "python {params.script:q} --rule recheck --recording {wildcards.recording}"
        " --agent {wildcards.agent} --settings {params.settings:q} --limits {params.limits:q}"
        " --plume {input.plume:q} --plan {input.plan:q} --prepared {input.prepared:q} --wind {input.wind:q}"
        " --simulations {input.simulations:q} --trajectories {input.trajectories:q}"
        " --folder {params.folder:q} --threads {threads}"
        " --usage {output.usage:q} --declared-mb {resources.mem_mb} 2> {log:q}"


rule reference_agent:
    input:
        plume=rules.normalize_recording.output.plume,
        plan=rules.prepare_agent.output.plan,
        prepared=rules.prepare_agent.output.prepared,
        wind=wind_file,
        simulations=per_chunk(rules.simulate_chunk.output.simulations),
    output:
        reference=f"{OUT}/reference/{{recording}}/{{agent}}.parquet",
        usage=f"{OUT}/performance/jobs/reference/{{recording}}/{{agent}}.json",
    log:
        f"{OUT}/logs/reference/{{recording}}/{{agent}}.log",
    benchmark:
        f"{OUT}/benchmarks/reference/{{recording}}/{{agent}}.jsonl"
    conda:
        "../../envs/environment.yaml"
    priority: urgency("reference")
    threads: 1
    resources:
        mem_mb=memory(1900),
        runtime=minutes(15),
    params:
        script=script("reference"),
        code=reference_code,
        settings=simulation_settings,
        sample=CONFIG["validation"]["sample"],
    message:
        "Recomputing a sample of {wildcards.agent} in {wildcards.recording} independently"
    shell:
        "python {params.script:q} --rule reference --recording {wildcards.recording}"
        " --agent {wildcards.agent} --settings {params.settings:q} --sample {params.sample}"
        " --plume {input.plume:q} --plan {input.plan:q} --prepared {input.prepared:q} --wind {input.wind:q}"
        " --simulations {input.simulations:q} --output {output.reference:q}"
        " --usage {output.usage:q}"
        " --declared-mb {resources.mem_mb} 2> {log:q}"


rule published_targets:
    output:
        compared=f"{OUT}/validation/published/{{family}}.json",
        usage=f"{OUT}/performance/jobs/published/{{family}}.json",
    log:
        f"{OUT}/logs/published/{{family}}.log",
    benchmark:
        f"{OUT}/benchmarks/published/{{family}}.jsonl"
    conda:
        "../../envs/environment.yaml"
    priority: urgency("published")
    threads: 1
    resources:
        mem_mb=memory(1900),
        runtime=minutes(15),
    params:
        script=script("published"),
        code=published_code,
    message:
        "Computing the published numbers of {wildcards.family}"
    shell:
        "python {params.script:q} --rule published --family {wildcards.family}"
        " --code {params.code}"
        " --output {output.compared:q} --usage {output.usage:q}"
        " --declared-mb {resources.mem_mb} 2> {log:q}"


rule validate_run:
    input:
        pairs(rules.recheck_agent.output.engine),
        pairs(rules.recheck_agent.output.mutants),
        pairs(rules.recheck_agent.output.replicate),
        validated_pairs(rules.reference_agent.output.reference),
        targets=expand(rules.published_targets.output.compared, family=FAMILIES),
    output:
        agreement=f"{OUT}/validation/agreement.parquet",
        verdict=f"{OUT}/validation/verdict.json",
        published=f"{OUT}/validation/published.json",
        usage=f"{OUT}/performance/jobs/validate/run.json",
    log:
        f"{OUT}/logs/validate/run.log",
    benchmark:
        f"{OUT}/benchmarks/validate/run.jsonl"
    conda:
        "../../envs/environment.yaml"
    priority: urgency("validate")
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(15),
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
