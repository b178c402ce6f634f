# run: start the product · test: prove everything · check: the fast tests, under a
# minute · bench: measure · lock: pin what the *.in files ask for (UP=--upgrade)
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
PYTHON ?= python3
UV := uv==0.13.9
VENV := .venv
BIN := $(VENV)/bin
PASSES := $(VENV)/passes
# uv then finds the wheels that pip would find, where such a folder is set.
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
# Without it each of the many processes compiles thousands of modules anew.
unexport PYTHONDONTWRITEBYTECODE
# Nothing is to be written outside this folder and DATA_DIR.
export UV_CACHE_DIR ?= $(CURDIR)/$(VENV)/cache
# The browsers and Node of the machine first, the ones in the environment else.
export PATH := $(PATH):$(CURDIR)/$(BIN)
hash = $(shell cat $(1) | sha256sum | cut -c1-16)
LOCKS := requirements-web.txt requirements.txt
PRODUCT := $(VENV)/product-$(call hash,$(LOCKS))
TOOLS := $(VENV)/tools-$(call hash,$(LOCKS) requirements-dev.txt)
.PHONY: run test check bench lock gates frontend browser

run: $(PRODUCT)
	@exec $(BIN)/python manage.py up

# Two at once, since much of it is waiting: beside the pass that is seen, one on
# PostgreSQL and one without a database. What failed anywhere closes the output.
test: $(TOOLS) browser gates frontend
	@trap 'kill 0' INT TERM; rm -rf $(PASSES) && mkdir $(PASSES); \
	{ TEST_DATABASE=postgres $(BIN)/pytest || touch $(PASSES)/failed; \
	  $(BIN)/pytest -m "not (database or browser)" || touch $(PASSES)/failed; \
	} > $(PASSES)/beside 2>&1 & \
	$(BIN)/pytest -m "database or browser" | tee $(PASSES)/seen || touch $(PASSES)/failed; \
	wait; cat $(PASSES)/beside; \
	grep -hE '^(FAILED|ERROR) ' $(PASSES)/* || true; test ! -e $(PASSES)/failed

QUICK := "not slow and not browser and not database"
check: $(TOOLS)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/pytest -m $(QUICK) tests/ratings & \
	$(BIN)/pytest -m $(QUICK) --ignore=tests/ratings || bad=1; \
	wait $$! || bad=1; exit $${bad:-0}

bench: $(TOOLS)
	$(BIN)/python -m bench

gates: export DATA_DIR := $(CURDIR)/$(VENV)/gates
gates: export SITE_URL := https://blindfold.example
gates: export TRUSTED_PROXIES := 1
gates: $(TOOLS)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --deploy --fail-level WARNING

frontend: $(TOOLS)
	cd frontend && npm ci --no-audit --no-fund && npm run check && npm test
	rm -rf $(VENV)/dist && cp -r static/dist $(VENV)/dist && cd frontend && npm run build
	@diff -rq $(VENV)/dist static/dist || { echo "static/dist was not what" \
	  "frontend/ builds: commit the result of 'npm run build'." >&2; exit 1; }

browser:
	@command -v chromium >/dev/null || bash .ci/install chromium fonts-dejavu-core

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
	  "Blindfold needs Python 3.11 or later: make PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "No virtual environment could" \
	  "be made: on Debian, run 'apt install python3-venv' first." >&2; exit 1; }
	@$(BIN)/pip install --quiet --no-cache-dir --disable-pip-version-check $(UV) || $(UNREACHED)

INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.txt
UNREACHED := { echo "The packages could not be installed, for the reason above:" \
  "check the network and the disk, then run this again." >&2; exit 1; }
$(PRODUCT): | $(BIN)/uv
	@echo "Installing the pinned packages into $(VENV): this takes a minute or two."
	@$(INSTALL) || $(UNREACHED)
	@rm -f $(VENV)/product-* && touch $@

$(TOOLS): | $(PRODUCT)
	@$(INSTALL) -r requirements-dev.txt || $(UNREACHED)
	@rm -f $(VENV)/tools-* && touch $@

COMPILE := $(BIN)/uv pip compile --quiet --no-header --no-annotate \
  --python-version 3.11 --overrides $(VENV)/lock/overrides $(UP)
lock: | $(BIN)/uv
	@mkdir -p $(VENV)/lock
	@# Without torch in the graph its own dependencies stay out of the lock.
	@echo 'torch ; sys_platform == "never"' > $(VENV)/lock/overrides
	@cat $(LOCKS) requirements-dev.txt | grep -v '^-r' > $(VENV)/lock/dev || true
	@cp $(VENV)/lock/dev $(VENV)/lock/all
	$(COMPILE) requirements-web.in -o requirements-web.txt
	$(COMPILE) requirements.in -c requirements-web.txt -o $(VENV)/lock/all
	$(COMPILE) requirements-dev.in -c $(VENV)/lock/all -o $(VENV)/lock/dev
	@{ echo '-r requirements-web.txt'; { grep -vxFf requirements-web.txt \
	  $(VENV)/lock/all; grep '^torch==' requirements.in; } | sort; } > $(VENV)/lock/out
	@mv $(VENV)/lock/out requirements.txt
	@grep -vxFf $(VENV)/lock/all $(VENV)/lock/dev > requirements-dev.txt
