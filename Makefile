# The two commands are `make book` and `make test`; `make help` lists the rest.

PYTHON ?= python3
python := .venv/bin/python

export OMP_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help book serve test check format notebooks export gpu-test bench differences lock clean environment \
	site-environment python

help:  ## list these commands
	@sed -n 's/^\([a-z-]*\):.*  ## /\1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

book: site-environment  ## build the website from the stored notebooks
	@$(python) -m tools.site build

serve: book  ## show the website on this machine (PORT=8000)
	@$(python) -m tools.site serve $(if $(PORT),--port $(PORT))

test: check  ## prove everything: checks, unit tests, and every notebook run again
	@$(python) -m pytest -q -n 2 --dist worksteal --ignore=tests/browser cnnbook tools tests
	@$(python) -m tools.chapters.verify

check: environment  ## the fast part of test: lint, and what shows without running a notebook
	@$(python) -m ruff check --quiet --output-format=concise .
	@$(python) -m ruff format --quiet --check . || { $(python) -m ruff format --check . ; echo "Not in ruff's format: run 'make format'."; exit 1; }
	@$(python) -m tools.chapters.check

format: environment  ## put code and the code in notebooks into ruff's format
	@$(python) -m ruff check --quiet --fix-only .
	@$(python) -m ruff format .

notebooks: export  ## run the notebooks whose outputs are stale, or one: make notebooks NB=path
	@$(python) -m tools.chapters.run $(NB)

export: environment  ## collect the cells tagged export into cnnbook/networks
	@$(python) -m tools.chapters.export

gpu-test: environment  ## run the notebooks on CUDA against the same stored outputs
	@$(python) -m tools.chapters.verify --gpu

bench: environment  ## measure the networks, the counting and the drawing; write book/benchmarks.md
	@$(python) -m tools.pages.benchmarks

differences: environment  ## hold the networks beside those of others; write book/differences.md
	@$(python) -m tools.pages.differences

lock: python  ## write requirements.txt anew from pyproject.toml (UPGRADE=1: newest versions)
	@$(PYTHON) -m tools.lock $(if $(UPGRADE),--upgrade)

clean:  ## remove what was built, but not .venv
	rm -rf _build dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

environment: python
	@$(PYTHON) -m tools.environment

site-environment: python
	@$(PYTHON) -m tools.environment site

python:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) on the PATH: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.12"; exit 1; }
