# REQUIRED INPUTS: plumes/{recording}.parquet
# REQUIRED OUTPUTS: quality/{recording}.json, quality/{recording}.npz


rule assess_recording:
    input:
        plume=rules.normalize_recording.output.plume,
        truth=lambda wildcards: true_frames(wildcards.recording),
    output:
        quality=f"{OUT}/quality/{{recording}}.json",
        arrays=f"{OUT}/quality/{{recording}}.npz",
        usage=f"{OUT}/performance/jobs/assess/{{recording}}.json",
    log:
        f"{OUT}/logs/assess/{{recording}}.log",
    benchmark:
        f"{OUT}/benchmarks/assess/{{recording}}.jsonl"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(20),
    params:
        script=script("assess"),
        code=code("assess"),
        settings=quality_settings,
    message:
        "Assessing recording {wildcards.recording}"
    shell:
        "python {params.script:q} --rule assess --recording {wildcards.recording}"
        " --settings {params.settings:q} --plume {input.plume:q}"
        " --truth {input.truth:q} --quality {output.quality:q}"
        " --arrays {output.arrays:q} --threads {threads}"
        " --usage {output.usage:q} --declared-mb {resources.mem_mb} 2> {log:q}"
