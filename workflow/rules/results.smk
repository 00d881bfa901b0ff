# REQUIRED INPUTS: simulations, trajectories, validation/verdict.json
# REQUIRED OUTPUTS: statistics/, figures/, performance/, report.html, numbers.json
FIGURES = [
    name
    for name in registry.names("figure")
    if name != "fig_performance" and (BELIEVERS or name != "fig6_detection")
]
STATISTICS = ("summary", "measures", "arrival", "against_null", "time_courses")


rule analyze:
    input:
        plumes=expand(
            rules.normalize_recording.output.plume, recording=CONFIG["recordings"]
        ),
        simulations=expand(pairs(rules.simulate_chunk.output.simulations), chunk=CHUNKS),
        trajectories=expand(
            pairs(rules.simulate_chunk.output.trajectories), chunk=CHUNKS
        ),
        blank=pairs(rules.recheck_agent.output.blank),
    output:
        expand(
            f"{OUT}/statistics/{{name}}.{{suffix}}",
            name=STATISTICS,
            suffix=["parquet", "csv"],
        ),
        maps=expand(
            f"{OUT}/statistics/maps/{{recording}}.npz", recording=CONFIG["recordings"]
        ),
        usage=f"{OUT}/performance/jobs/analyze/run.json",
    log:
        f"{OUT}/logs/analyze/run.log",
    benchmark:
        f"{OUT}/benchmarks/analyze/run.jsonl"
    conda:
        "../../envs/environment.yaml"
    priority: urgency("analyze")
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(15),
    params:
        script=script("analyze"),
        code=code("analyze", *[("measure", name) for name in registry.names("measure")]),
        settings=results_settings("batch", "resources", "validation", "quality"),
        root=run_folder,
    message:
        "Computing statistics"
    shell:
        "python {params.script:q} --rule analyze --root {params.root:q}"
        " --settings {params.settings:q} --usage {output.usage:q}"
        " --declared-mb {resources.mem_mb} 2> {log:q}"


rule draw_figures:
    input:
        rules.analyze.output,
        rules.validate_run.output.agreement,
        rules.validate_run.output.verdict,
        beliefs=beliefs_of_agents(),
    output:
        pictures=[
            report(
                f"{OUT}/figures/{name}.png", caption=caption(name), category="Figures"
            )
            for name in FIGURES
        ],
        files=expand(
            f"{OUT}/figures/{{name}}.{{suffix}}", name=FIGURES, suffix=FIGURE_FILES
        ),
        usage=f"{OUT}/performance/jobs/figures/run.json",
    log:
        f"{OUT}/logs/figures/run.log",
    benchmark:
        f"{OUT}/benchmarks/figures/run.jsonl"
    conda:
        "../../envs/environment.yaml"
    priority: urgency("figures")
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(15),
    params:
        script=script("figures"),
        code=figure_code(),
        settings=results_settings("batch", "resources", "quality"),
        names=" ".join(FIGURES),
        run=RUN,
        root=run_folder,
    message:
        "Drawing figures"
    shell:
        "python {params.script:q} --rule figures --root {params.root:q} --names {params.names}"
        " --settings {params.settings:q} --usage {output.usage:q}"
        " --declared-mb {resources.mem_mb} 2> {log:q}"


rule summarize_performance:
    input:
        usage_of_all_jobs(),
    output:
        summary=f"{OUT}/performance/summary.json",
        table=f"{OUT}/performance/summary.parquet",
        picture=report(
            f"{OUT}/performance/fig_performance.png",
            caption=caption("fig_performance"),
            category="Performance",
        ),
        figure=expand(
            f"{OUT}/performance/fig_performance.{{suffix}}", suffix=FIGURE_FILES
        ),
    log:
        f"{OUT}/logs/performance/run.log",
    benchmark:
        f"{OUT}/benchmarks/performance/run.jsonl"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(800),
        runtime=minutes(5),
    params:
        script=script("performance"),
        code=code("performance", ("figure", "fig_performance")),
        run=RUN,
        settings=results_settings(),
        root=run_folder,
    message:
        "Adding up what the run cost"
    shell:
        "python {params.script:q} --rule performance --root {params.root:q}"
        " --settings {params.settings:q} --usage-files {input:q}"
        " --declared-mb {resources.mem_mb} 2> {log:q}"


rule write_report:
    input:
        rules.analyze.output,
        rules.draw_figures.output,
        rules.validate_run.output,
        rules.summarize_performance.output,
        beliefs=beliefs_of_agents(),
        quality=expand(
            rules.normalize_recording.output.quality, recording=CONFIG["recordings"]
        ),
        assessed=expand(
            rules.assess_recording.output.quality, recording=CONFIG["recordings"]
        ),
        prepared=pairs(rules.prepare_agent.output.prepared),
        plumes=expand(
            rules.normalize_recording.output.plume, recording=CONFIG["recordings"]
        ),
    output:
        page=report(f"{OUT}/report.html", caption=caption("report"), category="Report"),
        numbers=f"{OUT}/numbers.json",
        config=f"{OUT}/config.yaml",
        usage=f"{OUT}/performance/jobs/report/run.json",
    log:
        f"{OUT}/logs/report/run.log",
    benchmark:
        f"{OUT}/benchmarks/report/run.jsonl"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(800),
        runtime=minutes(5),
    params:
        script=script("report"),
        code=code("report"),
        run=RUN,
        settings=results_settings(),
        root=run_folder,
    message:
        "Writing the report"
    shell:
        "python {params.script:q} --rule report --root {params.root:q}"
        " --settings {params.settings:q} --usage {output.usage:q}"
        " --declared-mb {resources.mem_mb} 2> {log:q}"


rule gate:
    input:
        verdict=rules.validate_run.output.verdict,
        numbers=rules.write_report.output.numbers,
        usage=rules.write_report.output.usage,
    output:
        f"{OUT}/validation/gate.txt",
    log:
        f"{OUT}/logs/gate/run.log",
    benchmark:
        f"{OUT}/benchmarks/gate/run.jsonl"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory(300),
        runtime=minutes(5),
    params:
        script=script("gate"),
        code=code("gate"),
        memory_mb=CONFIG["resources"]["memory_mb"],
    message:
        "Checking the verdict"
    shell:
        "python {params.script:q} --rule gate --verdict {input.verdict:q}"
        " --numbers {input.numbers:q} --usage-files {input.usage:q} --output {output:q}"
        " --declared-mb {resources.mem_mb} 2> {log:q}"
