# Everything that one does with this checkout. `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help run install test lint format bench-enumeration lock fresh-machine

PYTHON ?= python3
export PYTHON

BIN := .venv/bin

help: ## Show this list
	@echo "Gateway. What you can make:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Install what is needed, then start gateway and a demo application behind nginx
	@scripts/install run
	@$(BIN)/gateway demo

install: ## Install everything into .venv, and Debian's nginx and Chromium when root
	@scripts/install

test: install ## Install what is needed, then run every test
	@$(BIN)/pytest -n auto

lint: install ## Check format, style, types and the direction of imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## Write the code as `make lint` wants to read it
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench-enumeration: install ## Measure whether an answer's time tells that an account exists (some minutes, on a quiet machine)
	@$(BIN)/python benchmarks/enumeration.py

lock: install ## Write the lock files anew from pyproject.toml (UPGRADE=1: with the newest versions)
	@scripts/lock

fresh-machine: ## Try the README's commands on a bare Debian 12 (as root; takes some minutes)
	@scripts/fresh-machine
