# Everything on a fresh machine with python3 (3.11), make and git: `make run`, `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help run system test check soak reference lab bench lock clean

BIN := .venv/bin
INPUTS := pyproject.toml requirements.lock .ci/environment tests/query/analyser/package-lock.json \
  workbench/kernel_ext/lab/labextension/sources.sha256
# -W error is in pyproject.toml; a test that hangs must not hold the gate for ever.
PYTEST := $(BIN)/python -m pytest
# The tests of a file share services and browsers; files run beside each other.
SUITE := $(PYTEST) -n auto --maxprocesses 4 --dist loadfile

help:
	@printf '%s\n' \
	  'make run     workspace, service, agent on this machine and JupyterLab on the tour' \
	  'make test    the whole suite' \
	  'make check   format, lint, types, layers, fast tests (under a minute)' \
	  'make bench   the benchmark table' \
	  'make soak    fuzz, kills and schedules at full length' \
	  'make reference  the page of functions, made from the cards' \
  'make lab     the JupyterLab plugin, built from its sources (needs npm)' \
	  'make lock    pin the versions of all packages anew'

.venv/.run: $(INPUTS)
	@.ci/environment
	touch $@

.venv/.test: $(INPUTS)
	@.ci/environment test
	touch $@ .venv/.run

.venv/.bench: $(INPUTS)
	@.ci/environment test bench
	touch $@ .venv/.test .venv/.run

run: .venv/.run
	@exec $(BIN)/workbench up

define LINT
$(BIN)/ruff format --check .
$(BIN)/ruff check .
$(BIN)/mypy
$(BIN)/lint-imports
endef

check: .venv/.test
	@$(LINT)
	$(SUITE) -m 'not slow and not browser'

# Before the environment: it fetches the KQL analyser where there is an npm.
system:
	@.ci/system-packages

test: system .venv/.test
	$(LINT)
	$(SUITE)

# The long runs of the suites that search for mistakes; `make test` runs each with a short seed.
soak: .venv/.test
	@WORKBENCH_FUZZ=100000 WORKBENCH_KILLS=100 WORKBENCH_CRASHES=10000 WORKBENCH_SCHEDULES=full $(PYTEST) \
	  tests/query/test_fuzz.py tests/crash tests/base/test_recurrence_oracle.py tests/alerts/test_crash_points.py

reference: .venv/.run
	@$(BIN)/python -m workbench.query.reference

lab: .venv/.run
	@.ci/lab-extension

bench: .venv/.bench
	@$(BIN)/python tests/bench/run.py
	$(BIN)/python tests/bench/intake.py
	$(BIN)/python tests/bench/agent.py
	$(BIN)/python tests/bench/jobs.py
	$(BIN)/python tests/bench/alerts.py
	$(BIN)/python tests/bench/grid.py

lock: .venv/.run
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate --no-emit-index-url \
	  --custom-compile-command 'make lock' --extra test --extra bench pyproject.toml --output-file requirements.lock

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
