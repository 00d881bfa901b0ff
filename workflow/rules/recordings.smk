# REQUIRED INPUTS: the config's recordings
# REQUIRED OUTPUTS: plumes/{recording}.parquet, plumes/{recording}.quality.json


rule synthesize_recording:
    output:
        file=f"{OUT}/recordings/{{recording}}.{{extension}}",
        facts=f"{OUT}/recordings/{{recording}}.{{extension}}.facts.json",
        truth=f"{OUT}/recordings/{{recording}}.{{extension}}.truth.npz",
        usage=f"{OUT}/performance/jobs/synthesize/{{recording}}.{{extension}}.json",
    log:
        f"{OUT}/logs/synthesize/{{recording}}.{{extension}}.log",
    benchmark:
        f"{OUT}/benchmarks/synthesize/{{recording}}.{{extension}}.jsonl"
    wildcard_constraints:
        extension="|".join(sorted(set(EXTENSIONS.values()))),
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(20),
    params:
        script=script("synthesize"),
        code=synthesis_code,
        settings=synthesis_settings,
    message:
        "Synthesizing recording {wildcards.recording}"
    shell:
        "python {params.script:q} --rule synthesize --recording {wildcards.recording}"
        " --settings {params.settings:q} --recording-file {output.file:q}"
        " --facts {output.facts:q} --truth {output.truth:q} --threads {threads}"
        " --usage {output.usage:q} --declared-mb {resources.mem_mb} 2> {log:q}"


rule normalize_recording:
    input:
        recording=lambda wildcards: recording_file(wildcards.recording),
        parts=lambda wildcards: recording_parts(wildcards.recording),
        companions=lambda wildcards: recording_companions(wildcards.recording),
    output:
        plume=f"{OUT}/plumes/{{recording}}.parquet",
        quality=f"{OUT}/plumes/{{recording}}.quality.json",
        usage=f"{OUT}/performance/jobs/normalize/{{recording}}.json",
    log:
        f"{OUT}/logs/normalize/{{recording}}.log",
    benchmark:
        f"{OUT}/benchmarks/normalize/{{recording}}.jsonl"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(20),
    params:
        script=script("normalize"),
        code=normalization_code,
        settings=normalization_settings,
    message:
        "Normalizing recording {wildcards.recording}"
    shell:
        "python {params.script:q} --rule normalize --recording {wildcards.recording}"
        " --settings {params.settings:q} --source {input.recording:q}"
        " --companions {input.companions:q} --plume {output.plume:q}"
        " --quality {output.quality:q} --threads {threads}"
        " --usage {output.usage:q} --declared-mb {resources.mem_mb} 2> {log:q}"
