# The commands of this project; `make` alone lists them. Each does the set-up it needs by itself, once.
# Works with GNU make 3.81 and newer, and in a folder whose path has blanks in it: all paths here are relative.

# What a person may set:  make book PYTHON=python3.12   make run CHAPTERS="01 02-ngrams"   make homework HW=hw02
PYTHON ?=
CHAPTERS ?=
PORT ?= 8000
HW ?=
EXERCISE ?=
LEVEL ?= 1
ARGS ?=

RUN = .venv/bin/python

# Somebody's own Python settings have no say in here, nor has another kernel that is called python3.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP
export JUPYTER_PREFER_ENV_PATH = 1
export JUPYTER_PLATFORM_DIRS = 1
export UNROLLED_PYTHON = $(PYTHON)

.DEFAULT_GOAL := help
.PHONY: help set-up book test serve lab run homework hint bench lint data peers resolve links clean

help: ## this list
	@echo "Unrolled: language models and recurrent networks, every equation executed."
	@echo ""
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile
	@echo ""
	@echo 'Settings: PYTHON=/path/to/python3.12, CHAPTERS="01 02-ngrams" (run), PORT=8080 (serve), HW=hw02 (homework, hint),'
	@echo '          ARGS="..." (lab, bench, homework)'

set-up:
	@sh code/tools/prepare.sh

book: set-up ## build the book into _build/html
	@$(RUN) code/tools/build_book.py

test: set-up ## test the package, then run every chapter again and compare every output
	@$(RUN) code/tools/run_tests.py

serve: set-up ## serve the built book on http://localhost:8000 (builds it first if need be)
	@[ -f _build/html/index.html ] || $(RUN) code/tools/build_book.py
	@$(RUN) code/tools/serve.py $(PORT)

lab: set-up ## open the notebooks in JupyterLab, with labels and admonitions rendered
	@$(RUN) -m jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

run: set-up ## run the chapters (all, or CHAPTERS="01 02") and store their outputs
	@$(RUN) code/tools/store_outputs.py $(CHAPTERS)

homework: set-up ## check your homework: make homework HW=hw02 (alone: the list of them)
	@$(RUN) -m unrolled.homework $(if $(HW),check $(HW) $(ARGS),list)

hint: set-up ## a hint: make hint HW=hw02 EXERCISE=backward LEVEL=1
	@$(RUN) -m unrolled.homework hint $(HW) $(EXERCISE) --level $(LEVEL)

bench: set-up ## measure the package's speed side by side with its peers
	@cd code && ../$(RUN) -m benchmarks $(ARGS)

lint: set-up ## check style: package, tests, tools and notebooks
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

data: set-up ## fetch and verify the data (every command does)
	@echo "The data are in data/cache, verified."

peers: ## build KenLM for the peer tests (needs a C++ compiler and cmake)
	@sh code/tools/prepare.sh peers

resolve: set-up ## show that the pinned packages resolve on Python 3.11 to 3.14
	@$(RUN) code/tools/resolve_check.py

links: set-up ## follow every link that leads out of the book
	@$(RUN) code/tools/build_book.py linkcheck

clean: ## remove what was built (not .venv, not the data)
	@rm -rf _build .pytest_cache .ruff_cache .hypothesis
	@find chapters code book -name __pycache__ -type d -prune -exec rm -rf {} +
