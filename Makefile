CASE ?= case_studies/nafta
OUT ?= runs/nafta
SEED ?= 1
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help setup report test test-slow lint bench lock wheel-check

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

setup: ## .venv with the pinned requirements and this package
	@sh .ci/setup

report: setup ## fit CASE, forecast, and write the report to OUT
	$(BIN)/bayes-compliance run $(CASE) --out $(OUT) --seed $(SEED)

lint: setup ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## lint, types, doctests and the fast tests
	$(BIN)/python -m pytest -n 2

test-slow: setup ## calibration and recovery of known truth
	$(BIN)/python -m pytest -n 2 -m slow

wheel-check: setup ## the wheel in a fresh environment away from the checkout
	@sh .ci/wheel-check

bench: setup ## seconds from commands to what they say, beside a plain script; the better part of an hour
	$(BIN)/python tests/benchmarks/run.py

lock: setup ## resolve pyproject.toml again
	.uv/bin/uv pip compile --quiet pyproject.toml --all-extras --group dev --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.12 --output-file requirements.lock
