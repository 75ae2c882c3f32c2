# make demo: the whole lifecycle, from nothing to a decision and its reports. make test: all tests.
# Both do their own set-up on a fresh Debian or Ubuntu machine with Python 3.11 to 3.13.

# Compiled bytecode makes imports 2 to 9 times quicker; some environments switch it off.
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV
export PATH := $(CURDIR)/.venv/bin:$(PATH)

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help setup demo serve mlflow monitor stop test bench soak check deps lock system-packages

help: ## This list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.installed ## Virtual environment with the locked dependencies
	@:

.venv/.installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.13 with venv is needed: apt-get install python3 python3-venv, or make PYTHON=/path/to/python"; exit 1; }
	@command -v git >/dev/null || { echo "git is needed: apt-get install git"; exit 1; }
	@echo "Installing the locked dependencies into .venv (about 2.5 GB, a minute or two) ..."
	@$(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --no-deps --python $(BIN)/python --editable .
	@touch $@

demo: setup ## The whole lifecycle; leaves the services running
	@$(BIN)/tally demo

serve: setup ## Place the champion and start the scoring service
	@$(BIN)/tally serve

mlflow: setup ## Start the MLflow UI
	@$(BIN)/tally mlflow

monitor: setup ## Bring the reports up to date; serve them and the dashboard
	@$(BIN)/tally monitor

stop: ## End exactly what was started
	@test ! -x $(BIN)/tally || $(BIN)/tally stop

test: setup system-packages ## All tests, two files at a time
	@$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder

bench: setup ## Measure, into reports/bench.json; ONLY=pipeline:60000 one of them
	@$(BIN)/python tests/performance $(ONLY)

soak: setup ## Long runs against faults, into reports/soak; ONLY=kill one of them
	@$(BIN)/python tests/soak $(ONLY)

check: setup ## Style, security rules, types and layers
	@status=0; for command in "ruff check ." "mypy" "lint-imports --no-cache"; do \
		echo "$$command"; $(BIN)/$$command || status=1; done; exit $$status

deps: setup ## Write each stage's import closure into dvc.yaml
	@$(BIN)/python tests/architecture/closures.py

lock: setup ## Resolve the dependencies again
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --override infra/overrides.txt --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra serving --universal --python-version 3.11 --constraint requirements.lock --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --quiet --output-file infra/serving.lock
	@$(BIN)/uv pip compile tests/performance/peers.in --universal --python-version 3.11 --override infra/overrides.txt \
		--override tests/performance/peers-overrides.txt --constraint requirements.lock --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --quiet --output-file tests/performance/peers.lock

system-packages:
	@{ command -v chromium && command -v curl && command -v redis-server && command -v promtool && ls /usr/lib/postgresql/*/bin/postgres; } >/dev/null 2>&1 \
		|| { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq \
		&& apt-get install -y -qq --no-install-recommends chromium curl postgresql prometheus redis-server >/dev/null; } \
		|| { echo "The tests open reports in Chromium, paste a curl line, start PostgreSQL and Redis and check alert rules: apt-get install chromium curl postgresql prometheus redis-server"; exit 1; }
