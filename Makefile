# make run [CONFIG=config/small.yaml] [CORES=2 | PROFILE=development]   set up what is missing, then run the workflow
# make test                                       set up what is missing, then every check of CI
# make test-long                                  the rings that do not fit in 15 minutes
# make figures                                    the figures of a run, and one sha256 over them
# make quality                                    the quality of each movie of a run on one page
# make bench [QUICK=1|FULL=1] [CHECK=1]           what the code costs -> results/benchmark/benchmark.json
# make lock                                       renew envs/requirements.lock and what mirrors it
CONFIG ?= config/config.yaml
CORES ?= all
HOW = $(if $(PROFILE),--profile $(PROFILE),--cores $(CORES))
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run test test-long figures quality bench lock setup clean

run: setup
	@$(BIN)/python scripts/run.py --config $(CONFIG) $(HOW)

test: setup
	@$(BIN)/python scripts/checks.py

test-long: setup
	@$(BIN)/python scripts/checks.py --long

figures: setup
	@$(BIN)/python scripts/run.py --config $(CONFIG) $(HOW) figures
	@$(BIN)/python scripts/figures_sha256.py --config $(CONFIG)

quality: setup
	@$(BIN)/python scripts/run.py --config $(CONFIG) $(HOW) quality

bench: setup
	@$(BIN)/python scripts/benchmark.py $(if $(QUICK),--quick) $(if $(FULL),--full) $(if $(CHECK),--check)

setup: $(BIN)/.complete

# The mark is made last: an interrupted installation starts again.
$(BIN)/.complete: envs/requirements.lock pyproject.toml envs/install.sh
	@PYTHON=$(PYTHON) sh envs/install.sh

lock: setup
	@sh envs/lock.sh

clean:
	rm -rf .venv .snakemake results
