# Works on a bare machine: Python >= 3.11 and make. Everything is installed into .venv.
#
#   make analyze [PHOTO=path] [OUT=folder]   analyse a photo (without PHOTO: a rendered sample face)
#   make serve [DATA=folder]                 pages and API for one user on this computer
#   make demo [DATA=demo-data]               a store with a rendered person's twelve weeks, and serve it
#   make test [JOBS=2]                       lint, types and tests, in several processes
#   make lint | bench | schema | guidance | clean   (guidance: docs/guidance-*.md from the tables)

# The first command that really is a Python >= 3.11 (a version manager's shim may exist and not run).
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out
TESTS ?=
JOBS ?=

.PHONY: analyze serve demo test lint bench schema guidance clean
.DELETE_ON_ERROR:

analyze: $(VENV)/.base
	$(BIN)/comedo analyze $(if $(PHOTO),"$(PHOTO)",--sample) --out "$(OUT)"

serve: $(VENV)/.service
	$(BIN)/comedo serve $(if $(DATA),--data "$(DATA)")

demo: export COMEDO_ACCOUNTS = true
demo: export COMEDO_DATA_DIR = $(or $(DATA),demo-data)
demo: $(VENV)/.service
	@test -e "$$COMEDO_DATA_DIR/comedo.sqlite" || $(BIN)/python -m comedo.service.demo
	$(BIN)/comedo serve --data "$$COMEDO_DATA_DIR"

test: lint
	$(BIN)/python -m pytest $(if $(JOBS),-n $(JOBS) --dist loadgroup) $(TESTS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/bench.py
	$(BIN)/python benchmarks/service.py
	$(BIN)/python benchmarks/pages.py

schema: $(VENV)/.dev
	$(BIN)/python -m comedo.report.document > src/comedo/report/schema/analysis-1.schema.json
	$(BIN)/python -m comedo.report.change_document > src/comedo/report/schema/change-1.schema.json
	$(BIN)/python -m comedo.report.advice_document > src/comedo/report/schema/advice-1.schema.json
	$(BIN)/python -m comedo.training.predict.document > src/comedo/report/schema/prediction-1.schema.json

guidance: $(VENV)/.base
	$(BIN)/python -m comedo.guidance.pages docs

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "comedo needs Python 3.11 or newer: install it, or say PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.service: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[service,clinical]"
	@touch $@ $(VENV)/.base

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable ".[test,train,clinical,service]"
	$(BIN)/python -m pip install --quiet --no-deps axe-playwright-python # for the axe-core in it
	@touch $@ $(VENV)/.base

clean:
	rm -rf $(VENV) build dist out src/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
