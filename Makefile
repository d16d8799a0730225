# The only door: every way to run, test, check, measure and package andond is a target here.
# It needs python3 (3.11 or newer) with venv, make and a POSIX shell, nothing else.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CONFIG ?= config/andond.toml
DATA ?= data
PACKAGES := actors andond config domain storage telemetry transport

.PHONY: help run test check audit cover bench day docs package sbom clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/ready ## install what is needed, start the daemon, say what to open
	@mkdir -p $(DATA)
	@$(BIN)/andond run -c $(CONFIG) --data-dir $(DATA)

test: $(VENV)/ready-test ## run all tests
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

check: $(VENV)/ready-test ## lint, types, order of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

audit: $(VENV)/ready-test ## ask what is known against what is installed; AUDIT_REQUIRED=1: fail if nobody answers
	@$(BIN)/python -m tests.supply audit

cover: $(VENV)/ready-test ## run all tests and show which lines none of them reached
	@$(BIN)/coverage run -m pytest
	@$(BIN)/coverage report --skip-covered --show-missing

bench: $(VENV)/ready-bench ## measure, side by side with peers and limits
	@$(BIN)/python -m tests.bench

day: $(VENV)/ready-test ## live through a plant's day of 24 hours, with faults, twice: about three minutes
	@$(BIN)/python -m tests.simulation

docs: $(VENV)/ready ## write the reference pages anew from the code
	@$(BIN)/python -m config.reference > docs/reference/settings.md
	@$(BIN)/python -m telemetry.reference metrics > docs/reference/metrics.md
	@$(BIN)/python -m telemetry.reference events > docs/reference/events.md
	@$(BIN)/python -m domain.reference > docs/reference/priorities.md
	@$(BIN)/python -m transport.dialects.floor.reference docs/reference/floor.md
	@$(BIN)/python -m domain.plant.alarms.reference > docs/reference/alarms.md
	@$(BIN)/python -m domain.plant.jobs.reference > docs/reference/jobs.md
	@$(BIN)/python -m domain.plant.escalation.reference > docs/reference/escalation.md
	@$(BIN)/python -m domain.plant.calls.reference > docs/reference/calls.md
	@$(BIN)/python -m domain.access.reference > docs/reference/roles.md
	@$(BIN)/python -m andond.api.reference > docs/reference/rest.md

package: $(VENV)/ready ## build a wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

sbom: $(VENV)/ready-test ## write the bill of materials of what andond runs with into dist/
	@$(BIN)/python -m tests.supply sbom dist/andond.cdx.json

clean: ## remove the virtual environment and everything that was built
	rm -rf $(VENV) build dist *.egg-info .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "andond needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "python3 has no venv; on Debian: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }

$(VENV)/ready: setup.cfg pyproject.toml | $(VENV)/bin/python
	@echo "Installing andond into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[auth]'
	@touch $@

$(VENV)/ready-test: setup.cfg pyproject.toml | $(VENV)/bin/python
	@echo "Installing andond and its tests' tools into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/ready

$(VENV)/ready-bench: setup.cfg pyproject.toml | $(VENV)/bin/python
	@echo "Installing andond and its peers into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,bench]'
	@touch $@ $(VENV)/ready
