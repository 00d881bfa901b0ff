# REQUIRED INPUTS: the config's recordings
# REQUIRED OUTPUTS: plumes/{recording}.parquet, plumes/{recording}.quality.json


rule synthesize_recording:
    output:
        file=f"{OUT}/recordings/{{recording}}.{{extension}}",
        facts=f"{OUT}/recordings/{{recording}}.{{extension}}.facts.json",
        truth=f"{OUT}/recordings/{{recording}}.{{extension}}.truth.npz",
        # beside the recording, so that this folder alone is enough to start a run from
        usage=f"{OUT}/recordings/{{recording}}.{{extension}}.usage.json",
    log:
        f"{OUT}/logs/synthesize/{{recording}}.{{extension}}.log",
    benchmark:
        f"{OUT}/benchmarks/synthesize/{{recording}}.{{extension}}.jsonl"
    wildcard_constraints:
        extension="|".join(sorted(set(EXTENSIONS.values()))),
    conda:
        "../../envs/environment.yaml"
    priority: urgency("synthesize")
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
    priority: urgency("normalize")
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


rule normalize_wind:
    input:
        recording=lambda wildcards: wind_component(wildcards)["file"],
        parts=lambda wildcards: wind_component(wildcards)["parts"],
        companions=lambda wildcards: companions_of(wind_component(wildcards)),
    output:
        component=f"{OUT}/winds/components/{{wind_field}}.{{component}}.parquet",
        quality=f"{OUT}/winds/components/{{wind_field}}.{{component}}.quality.json",
        usage=f"{OUT}/performance/jobs/normalize_wind/{{wind_field}}.{{component}}.json",
    log:
        f"{OUT}/logs/normalize_wind/{{wind_field}}.{{component}}.log",
    benchmark:
        f"{OUT}/benchmarks/normalize_wind/{{wind_field}}.{{component}}.jsonl"
    conda:
        "../../envs/environment.yaml"
    priority: urgency("wind")
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(20),
    params:
        script=script("normalize"),
        code=wind_code,
        settings=wind_component_settings,
    message:
        "Normalizing the {wildcards.component} component of wind {wildcards.wind_field}"
    shell:
        "python {params.script:q} --rule normalize_wind"
        " --section wind_fields --recording {wildcards.wind_field}.{wildcards.component}"
        " --settings {params.settings:q} --source {input.recording:q}"
        " --companions {input.companions:q} --plume {output.component:q}"
        " --quality {output.quality:q} --threads {threads}"
        " --usage {output.usage:q} --declared-mb {resources.mem_mb} 2> {log:q}"


rule join_wind:
    input:
        downwind=lambda wildcards: wind_component_file(wildcards, "downwind"),
        crosswind=lambda wildcards: wind_component_file(wildcards, "crosswind"),
        plume=rules.normalize_recording.output.plume,
    output:
        wind=f"{OUT}/winds/{{recording}}.parquet",
        usage=f"{OUT}/performance/jobs/join_wind/{{recording}}.json",
    log:
        f"{OUT}/logs/join_wind/{{recording}}.log",
    benchmark:
        f"{OUT}/benchmarks/join_wind/{{recording}}.jsonl"
    conda:
        "../../envs/environment.yaml"
    priority: urgency("wind")
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(20),
    params:
        script=script("join_wind"),
        code=code("join_wind"),
        field=lambda wildcards: wind_field_of(wildcards.recording),
        settings=wind_settings,
    message:
        "Joining the wind of recording {wildcards.recording}"
    shell:
        "python {params.script:q} --rule join_wind --recording {wildcards.recording}"
        " --field {params.field} --settings {params.settings:q} --downwind {input.downwind:q}"
        " --crosswind {input.crosswind:q} --plume {input.plume:q} --wind {output.wind:q}"
        " --threads {threads} --usage {output.usage:q}"
        " --declared-mb {resources.mem_mb} 2> {log:q}"
