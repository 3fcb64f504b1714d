# Everything that one does with this checkout. `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help run cluster install test lint format faults bench bench-quick soak bench-enumeration bench-revocation lock fresh-machine

PYTHON ?= python3
export PYTHON

BIN := .venv/bin

help: ## Show this list
	@echo "Gateway. What you can make:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Install what is needed, then start gateway and a demo application behind nginx
	@scripts/install run
	@$(BIN)/gateway demo

cluster: install ## Start two gateways on PostgreSQL and Redis behind nginx, as compose.yaml does with containers
	@$(BIN)/python -m tests.cluster

install: ## Install everything into .venv, and Debian's nginx and Chromium when root
	@scripts/install

# Tests wait for servers and browsers a third of their time. More processes than this cost more than they bring.
TEST_PROCESSES ?= $(shell echo $$(( ($$(nproc) * 3 + 1) / 2 )))

test: install ## Install what is needed, then run every test
	@$(BIN)/pytest -n $(TEST_PROCESSES)

lint: install ## Check format, style, types and the direction of imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## Write the code as `make lint` wants to read it
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

faults: install ## Do harm to real servers under load, and print what came of it (some minutes; ARGS="--seed 7")
	@$(BIN)/python -m tests.faults $(ARGS)

bench-quick: ## Measure whether a check is still quick enough (< 60 s, on a quiet machine with two cores)
	@scripts/install bench
	@$(BIN)/python -m benchmarks quick

bench: ## Measure everything, and write benchmarks/results.md (half an hour; ROWS="P4 P6": only these)
	@scripts/install bench
	@$(BIN)/python -m benchmarks all $(ROWS)

soak: ## Serve at half capacity for ten minutes, and tell whether anything grows
	@scripts/install bench
	@$(BIN)/python -m benchmarks soak

bench-enumeration: install ## Measure whether an answer's time tells that an account exists (some minutes, on a quiet machine)
	@$(BIN)/python benchmarks/enumeration.py

bench-revocation: install ## Measure how soon the slowest of 4 workers refuses what was revoked (some minutes)
	@$(BIN)/python benchmarks/revocation.py

lock: install ## Write the lock files anew from pyproject.toml (UPGRADE=1: with the newest versions)
	@scripts/lock

fresh-machine: ## Try the README's commands on a bare Debian 12 (as root; takes some minutes)
	@scripts/fresh-machine
