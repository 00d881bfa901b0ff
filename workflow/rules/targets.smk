# What can be asked for by name: snakemake --cores N [all|normalize|quality|simulate|validate|figures|report]


rule normalize:
    input:
        expand(rules.normalize_recording.output.plume, recording=CONFIG["recordings"]),


rule quality:
    input:
        expand(rules.assess_recording.output.quality, recording=CONFIG["recordings"]),
        expand(rules.draw_quality.output.picture, recording=MOVIES),


rule simulate:
    input:
        expand(pairs(rules.simulate_chunk.output.simulations), chunk=CHUNKS),


rule validate:
    input:
        rules.validate_run.output,


rule figures:
    input:
        rules.draw_figures.output.files,
        rules.draw_figures.output.pictures,


rule report:
    input:
        rules.write_report.output.page,


localrules:
    all,
    normalize,
    quality,
    simulate,
    validate,
    figures,
    report,
    gate,


onstart:
    ownership.claim(RUN)


onsuccess:
    ownership.release(RUN)


onerror:
    ownership.release(RUN)
