# plumenav: recordings of odour plumes in, validated navigation results out.
#
# Everything of a run lies under results/<run>/ (one config file = one run):
#   recordings/{recording}.{h5,avi}                 synthetic recordings (a lab's own stay where they are)
#   plumes/{recording}.parquet                      calibrated plume       + .quality.json
#   quality/{recording}.json, .npz                  checks of the plume, maps and series
#   figures/quality/{recording}.pdf, .svg, .png     the same on one page   + .csv, .json
#   plan/{recording}/{agent}.parquet                one row per simulation
#   prepared/{recording}/{agent}.npz                what an agent knows before it starts
#   trajectories/{recording}/{agent}/{chunk}.parquet, simulations/{recording}/{agent}/{chunk}.parquet
#   reference/, checks/, validation/                independent reference, repetition, verdict
#   statistics/, figures/, performance/             results
#   report.html, numbers.json                       the end
from snakemake.utils import min_version

min_version("9.20")


include: "workflow/rules/common.smk"
include: "workflow/rules/settings.smk"


rule all:
    input:
        f"{OUT}/report.html",
        f"{OUT}/validation/gate.txt",


include: "workflow/rules/recordings.smk"
include: "workflow/rules/quality.smk"
include: "workflow/rules/simulations.smk"
include: "workflow/rules/validation.smk"
include: "workflow/rules/results.smk"
include: "workflow/rules/targets.smk"
