# REQUIRED INPUTS: plumes/{recording}.parquet
# REQUIRED OUTPUTS: quality/{recording}.json, quality/{recording}.npz, figures/quality/{recording}.*


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
    priority: urgency("assess")
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


rule draw_quality:
    input:
        plume=rules.normalize_recording.output.plume,
        quality=rules.assess_recording.output.quality,
        arrays=rules.assess_recording.output.arrays,
    output:
        picture=report(
            f"{OUT}/figures/quality/{{recording}}.png",
            caption=caption("quality_page"),
            category="Quality of the recordings",
        ),
        files=expand(
            f"{OUT}/figures/quality/{{recording}}.{{suffix}}",
            suffix=FIGURE_FILES,
            allow_missing=True,
        ),
        usage=f"{OUT}/performance/jobs/quality_page/{{recording}}.json",
    log:
        f"{OUT}/logs/quality_page/{{recording}}.log",
    benchmark:
        f"{OUT}/benchmarks/quality_page/{{recording}}.jsonl"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        script=script("quality_page"),
        code=code("quality_page"),
        settings=quality_page_settings,
    message:
        "Drawing the quality of recording {wildcards.recording}"
    shell:
        "python {params.script:q} --rule quality_page --recording {wildcards.recording}"
        " --settings {params.settings:q} --plume {input.plume:q} --quality {input.quality:q}"
        " --arrays {input.arrays:q} --page {output.picture:q} --threads {threads}"
        " --usage {output.usage:q} --declared-mb {resources.mem_mb} 2> {log:q}"
