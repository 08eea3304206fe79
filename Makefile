# The two commands are `make book` and `make test`; `make help` lists the rest.

PYTHON ?= python3
python := .venv/bin/python

export OMP_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help book serve test shake alone repeat check format notebooks export gpu-test bench real \
	every contents differences pictures lock clean environment colab-environment site-environment python

help:  ## list these commands
	@sed -n 's/^\([a-z-]*\):.*  ## /\1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

book: site-environment  ## build the website from the stored notebooks
	@$(python) -m tools.site build

serve: book  ## show the website on this machine (PORT=8000)
	@$(python) -m tools.site serve $(if $(PORT),--port $(PORT))

test: check  ## prove everything: checks, unit tests, and every notebook run again
	@$(python) -m pytest -q -n 2 --dist worksteal --ignore=tests/browser cnnbook tools tests
	@$(python) -m tools.chapters.verify

shake: environment  ## run a third of the notebooks as other machines would (KIND=… NB=… ALL=1)
	@$(python) -m tools.chapters.shake $(KIND:%=--kind %) $(if $(ALL),--all) $(NB)

check: environment  ## the fast part of test: lint, and what shows without running a notebook
	@$(python) -m ruff check --quiet --output-format=concise .
	@$(python) -m ruff format --quiet --check . || { $(python) -m ruff format --check . ; echo "Not in ruff's format: run 'make format'."; exit 1; }
	@$(python) -m tools.chapters.check
	@$(python) -m tools.pages.contents --check

format: environment  ## put code and the code in notebooks into ruff's format
	@$(python) -m ruff check --quiet --fix-only .
	@$(python) -m ruff format .

notebooks: export  ## run the notebooks whose outputs are stale, or one: make notebooks NB=path
	@$(python) -m tools.chapters.run $(NB)

export: environment  ## collect the cells tagged export into cnnbook/networks
	@$(python) -m tools.chapters.export

gpu-test: environment  ## run the notebooks on CUDA against the same stored outputs
	@$(python) -m tools.chapters.verify --gpu

alone: environment  ## open every chapter alone, as Colab does, with a release on this machine
	@CNNBOOK_ALONE=all $(python) -m pytest -q -n 2 tests/test_colab.py

repeat: environment  ## an experiment again, nothing stored: NB=path SEEDS=10 LONGER=2 RATES="0.1 0.2"
	@$(python) -m tools.chapters.repeat $(SEEDS:%=--seeds %) $(LONGER:%=--longer %) $(RATES:%=--rate %) $(NB)

bench: environment  ## measure the networks, the counting and the drawing; write book/benchmarks.md
	@$(python) -m tools.pages.benchmarks

real: environment  ## train small networks on Fashion-MNIST; write book/real-images.md
	@$(python) -m tools.pages.real

every: environment  ## count every network of torchvision, timm and pytorchcv; write book/every-network.md
	@$(python) -m tools.pages.every

contents: environment  ## write every table of contents from _toc.yml and the chapters' first lines
	@$(python) -m tools.pages.contents

differences: environment  ## hold the networks beside those of others; write book/differences.md
	@$(python) -m tools.pages.differences

pictures: book environment  ## draw the pictures of the front page, the openers and README.md
	@$(python) -m tools.pages.art

colab-environment: environment  ## Colab's versions in .venv-colab, which make shake KIND=colab uses
	@$(python) -m tools.chapters.colab

lock: python  ## write requirements.txt anew from pyproject.toml (UPGRADE=1: newest versions)
	@$(PYTHON) -m tools.lock $(if $(UPGRADE),--upgrade)

clean:  ## remove what was built, but not .venv
	rm -rf _build dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

environment: python  ## install all that runs and proves the book into .venv
	@$(PYTHON) -m tools.environment

site-environment: python
	@$(PYTHON) -m tools.environment site

python:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) on the PATH: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.12"; exit 1; }
