# REQUIRED INPUTS: plumes/{recording}.parquet
# REQUIRED OUTPUTS: trajectories/{recording}/{agent}/{chunk}.parquet and simulations/...


rule prepare_agent:
    input:
        plume=rules.normalize_recording.output.plume,
        fitted=fitted_plume,
    output:
        plan=f"{OUT}/plan/{{recording}}/{{agent}}.parquet",
        prepared=f"{OUT}/prepared/{{recording}}/{{agent}}.npz",
        usage=f"{OUT}/performance/jobs/prepare/{{recording}}/{{agent}}.json",
    log:
        f"{OUT}/logs/prepare/{{recording}}/{{agent}}.log",
    benchmark:
        f"{OUT}/benchmarks/prepare/{{recording}}/{{agent}}.jsonl"
    conda:
        "../../envs/environment.yaml"
    priority: urgency("prepare")
    threads: 1
    resources:
        mem_mb=memory(600),
        runtime=minutes(5),
    params:
        script=script("prepare"),
        code=prepare_code,
        plan=plan_settings,
        settings=prepare_settings,
    message:
        "Preparing {wildcards.agent} for {wildcards.recording}"
    shell:
        "python {params.script:q} --rule prepare --recording {wildcards.recording}"
        " --agent {wildcards.agent} --plan-settings {params.plan:q}"
        " --settings {params.settings:q} --plume {input.plume:q} --fitted {input.fitted:q}"
        " --plan {output.plan:q} --prepared {output.prepared:q}"
        " --usage {output.usage:q} --declared-mb {resources.mem_mb} 2> {log:q}"


rule simulate_chunk:
    input:
        plume=rules.normalize_recording.output.plume,
        plan=rules.prepare_agent.output.plan,
        prepared=rules.prepare_agent.output.prepared,
        wind=wind_file,
    output:
        trajectories=f"{OUT}/trajectories/{{recording}}/{{agent}}/{{chunk}}.parquet",
        simulations=f"{OUT}/simulations/{{recording}}/{{agent}}/{{chunk}}.parquet",
        usage=f"{OUT}/performance/jobs/simulate/{{recording}}/{{agent}}/{{chunk}}.json",
    log:
        f"{OUT}/logs/simulate/{{recording}}/{{agent}}/{{chunk}}.log",
    benchmark:
        f"{OUT}/benchmarks/simulate/{{recording}}/{{agent}}/{{chunk}}.jsonl"
    conda:
        "../../envs/environment.yaml"
    priority: urgency("simulate")
    threads: CONFIG["batch"]["threads"]
    resources:
        mem_mb=memory(1900),
        runtime=minutes(15),
    params:
        script=script("simulate"),
        code=simulation_code,
        settings=simulation_settings,
        chunk_simulations=CONFIG["batch"]["chunk_simulations"],
    message:
        "Simulating {wildcards.agent} in {wildcards.recording}, chunk {wildcards.chunk}"
    shell:
        "python {params.script:q} --rule simulate --recording {wildcards.recording}"
        " --agent {wildcards.agent} --chunk {wildcards.chunk}"
        " --chunk-simulations {params.chunk_simulations} --settings {params.settings:q}"
        " --plume {input.plume:q} --plan {input.plan:q} --prepared {input.prepared:q} --wind {input.wind:q}"
        " --trajectories {output.trajectories:q} --simulations {output.simulations:q}"
        " --threads {threads} --usage {output.usage:q}"
        " --declared-mb {resources.mem_mb} 2> {log:q}"
