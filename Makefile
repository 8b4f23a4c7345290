# Two commands do everything: `make run` and `make test`. Each makes its own .venv, and needs no network the second time.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
RUN_STAMP := .venv/.run-$(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
DEV_STAMP := .venv/.dev-$(shell cat requirements-dev.lock pyproject.toml | cksum | cut -d' ' -f1)

NODE_STAMP := tests/node/node_modules/.stamp-$(shell cat tests/node/package-lock.json | cksum | cut -d' ' -f1)

SITE := build/docs
SPHINX := $(BIN)/sphinx-build -q -W --keep-going -b html -d $(SITE)/.read

.PHONY: help setup run example test node check docs bench bench-memory bench-simulator chaos stack lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | sort | expand -t 14

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv

$(RUN_STAMP): | .venv/bin/python
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_STAMP): | .venv/bin/python
	$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(RUN_STAMP)

setup: $(RUN_STAMP)  ## make the .venv, nothing else

run: setup  ## everything on this machine, no keys: phone page, API, worker, Temporal and its UI, Qdrant
	@$(BIN)/messaging dev

example: setup  ## an example with all it needs: make example NAME=orders (or appointments)
	@test -d "examples/$(NAME)/$(NAME)" || { echo "which one? make example NAME=orders, or NAME=appointments"; exit 1; }
	@cd examples/$(NAME) && MESSAGING_FLOW=$(NAME).flow:FLOW ../../$(BIN)/messaging dev

test: $(DEV_STAMP)  ## all tests that need no extra service
	@$(BIN)/python -m pytest

$(NODE_STAMP):
	cd tests/node && npm ci --ignore-scripts
	@touch $@

node: $(NODE_STAMP)  ## what tests use of npm: axe-core, the SDK for Node. Without it they are skipped, and say so

check: $(DEV_STAMP)  ## lint, types, import contracts, known vulnerabilities, documentation, image, compose file, manifests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tests.audit
	@$(SPHINX) docs $(SITE) || { rm -rf $(SITE); exit 1; }
	@$(BIN)/python -m pytest tests/unit/deployment

# What was read with a warning is read anew the next time, or the warning would not be said again. Here every page is
# written, since all have the list of pages beside them; a check needs only those that changed.
docs: $(DEV_STAMP)  ## build the documentation's site into build/docs
	@$(SPHINX) -a docs $(SITE) || { rm -rf $(SITE); exit 1; }

bench: $(DEV_STAMP)  ## measure latency, throughput, CPU, history and Actions, next to a bare workflow
	@$(BIN)/python -m tests.bench

bench-memory: $(DEV_STAMP)  ## measure what memory recalls, against BM25 and the last messages, and how fast
	@$(BIN)/python -m tests.bench.memory

bench-simulator: $(DEV_STAMP)  ## measure how many messages the simulator takes, and its CPU and memory
	@$(BIN)/python -m tests.bench.simulator

chaos: $(DEV_STAMP)  ## kill, stop and lie to real processes: CASES=all|quick|none|NAME,.. then MINUTES=1 of chaos by SEED=7
	@$(BIN)/python -m tests.chaos --cases $(or $(CASES),all) --minutes $(or $(MINUTES),1) --seed $(or $(SEED),7) --rate $(or $(RATE),5) --every $(or $(EVERY),8)

stack:  ## the production-shaped stack, by docker compose
	docker compose up --build

lock:  ## resolve the dependencies anew into the two lock files (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra local --output-file requirements.lock requirements.in pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra dev --constraint requirements.lock --output-file requirements-dev.lock requirements.in pyproject.toml

clean:  ## remove the .venv, caches and the data of `make run`
	rm -rf .venv build tests/node/node_modules .messaging .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
