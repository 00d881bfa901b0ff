# REQUIRED INPUTS: simulations, trajectories, validation/verdict.json
# REQUIRED OUTPUTS: statistics/, figures/, performance/, report.html, numbers.json
FIGURES = [
    name
    for name in registry.names("figure")
    if name != "fig_performance" and (BELIEVERS or name != "fig6_detection")
]
# drawn while references are still computed and judged
EARLY_FIGURES = [
    name for name in FIGURES if registry.stated("figure", name, "AFTER") == "statistics"
]
LATE_FIGURES = [name for name in FIGURES if name not in EARLY_FIGURES]
STATISTICS = ("summary", "measures", "arrival", "against_null", "time_courses")


rule analyze:
    input:
        plumes=expand(
            rules.normalize_recording.output.plume, recording=CONFIG["recordings"]
        ),
        simulations=all_chunks(rules.simulate_chunk.output.simulations),
        trajectories=all_chunks(rules.simulate_chunk.output.trajectories),
        blank=expand(rules.recheck_agent.output.blank, agent=CONFIG["agents"]),
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
    priority: urgency("analyze")
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory("analyze"),
        runtime=minutes("analyze"),
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
        beliefs=beliefs_of_agents(),
    output:
        pictures=[
            report(
                f"{OUT}/figures/{name}.png", caption=caption(name), category="Figures"
            )
            for name in EARLY_FIGURES
        ],
        files=files_of(EARLY_FIGURES),
        usage=f"{OUT}/performance/jobs/figures/statistics.json",
    log:
        f"{OUT}/logs/figures/statistics.log",
    benchmark:
        f"{OUT}/benchmarks/figures/statistics.jsonl"
    priority: urgency("figures")
    conda:
        "../../envs/environment.yaml"
    threads: 1
    resources:
        mem_mb=memory("figures"),
        runtime=minutes("figures"),
    params:
        script=script("figures"),
        code=figure_code(EARLY_FIGURES),
        settings=results_settings("batch", "resources", "quality"),
        names=" ".join(EARLY_FIGURES),
        run=RUN,
        root=run_folder,
    message:
        "Drawing figures of the statistics"
    shell:
        "python {params.script:q} --rule figures --root {params.root:q} --names {params.names}"
        " --settings {params.settings:q} --usage {output.usage:q}"
        " --declared-mb {resources.mem_mb} 2> {log:q}"


use rule draw_figures as draw_verdict with:
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
            for name in LATE_FIGURES
        ],
        files=files_of(LATE_FIGURES),
        usage=f"{OUT}/performance/jobs/figures/verdict.json",
    log:
        f"{OUT}/logs/figures/verdict.log",
    benchmark:
        f"{OUT}/benchmarks/figures/verdict.jsonl"
    priority: urgency("verdict")
    params:
        script=script("figures"),
        code=figure_code(LATE_FIGURES),
        settings=results_settings("batch", "resources", "quality"),
        names=" ".join(LATE_FIGURES),
        run=RUN,
        root=run_folder,
    message:
        "Drawing figures of the verdict"


rule write_report:
    input:
        rules.analyze.output,
        rules.draw_figures.output,
        rules.draw_verdict.output,
        rules.validate_run.output,
        usage=usage_of_all_jobs(),
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
        summary=f"{OUT}/performance/summary.json",
        table=f"{OUT}/performance/summary.parquet",
        review=f"{OUT}/performance/review.json",
        picture=report(
            f"{OUT}/performance/fig_performance.png",
            caption=caption("fig_performance"),
            category="Performance",
        ),
        figure=expand(
            f"{OUT}/performance/fig_performance.{{suffix}}", suffix=FIGURE_FILES
        ),
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
        mem_mb=memory("report"),
        runtime=minutes("report"),
    params:
        script=script("report"),
        code=code("report", ("figure", "fig_performance"), files=["performance.py"]),
        run=RUN,
        settings=results_settings(),
        root=run_folder,
    message:
        "Adding up what the run cost, and writing the report"
    shell:
        "python {params.script:q} --rule report --root {params.root:q}"
        " --settings {params.settings:q} --usage-files {input.usage:q} --usage {output.usage:q}"
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
        mem_mb=memory("gate"),
        runtime=minutes("gate"),
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
