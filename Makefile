# Yunhe's build. `make help` lists the targets; everything lives in .venv and in native/'s target folder.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/stamps
UV     := $(BIN)/uv --no-config
SYNC   := $(UV) pip sync --quiet --python $(BIN)/python --require-hashes
OURS   := $(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation

# The demo needs no linters: it gets the small lock, unless the development lock, which contains it, is installed already.
ENV := $(if $(wildcard $(STAMPS)/dev),$(STAMPS)/dev,$(STAMPS)/build)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# --- environment -------------------------------------------------------------------------------------------------------------------

.PHONY: setup
setup: $(STAMPS)/dev ## make .venv with everything needed to develop and test

$(STAMPS)/uv: requirements/uv.txt
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@mkdir -p $(STAMPS) && touch $@

# A sync removes what is not in the lock, and hash mode refuses local packages: so ours is installed again after each sync.
$(STAMPS)/dev $(STAMPS)/build: $(STAMPS)/%: requirements/%.txt pyproject.toml $(STAMPS)/uv
	@echo "installing requirements/$*.txt"
	@$(SYNC) requirements/$*.txt
	@$(OURS) --editable .
	@rm -f $(STAMPS)/native
	@touch $@
