# `make` shows the targets. Everything is installed into .venv; nothing outside of this folder is touched.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: help demo test check run bench clean install docs screenshots

help: ## Show this help
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

install: $(VENV)/.installed

$(VENV)/.installed: requirements.txt requirements-production.txt requirements-dev.txt constraints.txt pyproject.toml
	PYTHON="$(PYTHON)" ./scripts/install.sh $(VENV)

demo: install ## Start Airflow and two Opencast simulators, migrate a real library, show the report
	$(RUN) -m scripts.demo up

test: install ## Run the whole test suite
	$(RUN) -m pytest $(ARGS)

check: install ## Check style, types and generated documents
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(RUN) -m scripts.docs --check

run: install ## Start Airflow alone, for your own servers
	$(RUN) -m scripts.demo airflow

bench: install ## Measure; the figures are written to docs/benchmarks.md
	$(RUN) -m benchmarks $(ARGS)

docs: install ## Make the generated documents anew
	$(RUN) -m scripts.docs

screenshots: install ## Take the pictures of the documentation from the running demo
	$(RUN) -m scripts.screenshots

clean: ## End what demo and run started, and remove what they made
	@if [ -x $(RUN) ]; then $(RUN) -m scripts.demo clean; fi
	rm -rf .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
