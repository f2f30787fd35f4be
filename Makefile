# Yunhe's build. `make help` lists the targets; everything lives in .venv and in native/'s target folder.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/stamps
# Behind a proxy that inspects only the system's certificates are right; a machine that has none uses those that uv brings.
CERTS  := $(if $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt),--system-certs)
UV     := $(BIN)/uv --no-config $(CERTS)
SYNC   := $(UV) pip sync --quiet --python $(BIN)/python --require-hashes
OURS   := $(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation

# The demo needs no linters: it gets the small lock, unless the development lock, which contains it, is installed or asked for.
SMALL_GOALS := bench demo native try-wheels wheels
ENV := $(STAMPS)/$(if $(wildcard $(STAMPS)/dev-synced)$(filter-out $(SMALL_GOALS),$(MAKECMDGOALS)),dev,build)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# --- environment -------------------------------------------------------------------------------------------------------------------

.PHONY: setup
setup: $(STAMPS)/dev ## make .venv with everything needed to develop and test
	@:

$(STAMPS)/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Yunhe needs CPython 3.11 or later: make PYTHON=python3.11")'
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@mkdir -p $(STAMPS) && touch $@

# A sync removes what is not in the lock, and hash mode refuses local packages: so ours are installed again after each sync.
SYNCED := $(STAMPS)/build-synced $(STAMPS)/dev-synced
$(SYNCED): $(STAMPS)/%-synced: requirements/%.txt $(STAMPS)/uv
	@echo "installing requirements/$*.txt"
	@$(SYNC) requirements/$*.txt
	@rm -f $(STAMPS)/native
	@touch $@

$(STAMPS)/dev $(STAMPS)/build: $(STAMPS)/%: $(STAMPS)/%-synced pyproject.toml
	@$(OURS) --editable .
	@touch $@

# --- native core -------------------------------------------------------------------------------------------------------------------

# One target folder for maturin, clippy and the tests, so that dependencies are compiled once per profile.
export CARGO_TARGET_DIR := $(CURDIR)/native/target
WHEELS := native/target/wheels
NATIVE_SOURCES = $(shell find native -path native/target -prune -o -type f -not -name '*.pyc' -print)

.PHONY: native
native: $(STAMPS)/native ## build the Rust core and install it into .venv
	@:

$(WHEELS)/built: $(NATIVE_SOURCES) | $(ENV)
	@echo "building yunhe-native (about two minutes the first time)"
	@rm -rf $(WHEELS) && mkdir -p $(WHEELS)
	@$(BIN)/maturin build --quiet --release --manifest-path native/binding/Cargo.toml --interpreter $(BIN)/python --out $(WHEELS)
	@touch $@

$(STAMPS)/native: $(WHEELS)/built $(ENV)
	@$(OURS) --reinstall $(WHEELS)/*.whl
	@touch $@

DIST ?= dist

.PHONY: wheels
wheels: $(WHEELS)/built ## build both wheels into dist/, or into DIST=…
	@mkdir -p $(DIST) && rm -f $(DIST)/*.whl && cp $(WHEELS)/*.whl $(DIST)/
	@$(UV) build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir $(DIST) .
	@ls $(DIST)/*.whl

# With the locked versions, from uv's cache if it has them all, so that it works without a network as well.
BARE    ?= bare
INSTALL := $(UV) pip install --quiet --python $(BARE)/bin/python --constraint requirements/build.txt

.PHONY: try-wheels
try-wheels: wheels ## install both wheels into a bare virtual environment, bare/ or BARE=…
	@$(BIN)/python -m venv --clear --without-pip $(BARE)
	@$(INSTALL) --offline $(DIST)/*.whl 2>/dev/null || $(INSTALL) $(DIST)/*.whl

# --- engine between organisations ---------------------------------------------------------------------------------------------------

GO     := go
ENGINE := engine/bin/cometbft
# Where Go is missing, everything but networks of several organisations works.
ENGINE_IF_GO := $(if $(shell command -v $(GO)),$(ENGINE))

.PHONY: engine
engine: $(ENGINE) ## build CometBFT, the engine between organisations; needs Go
	@:

$(ENGINE): engine/go.mod engine/go.sum
	@command -v $(GO) >/dev/null || { echo "the engine between organisations is built with Go 1.25 or later: install it, or make engine GO=..." >&2; exit 1; }
	@echo "building CometBFT (about three minutes the first time)"
	@cd engine && CGO_ENABLED=0 $(GO) build -mod=readonly -trimpath -o bin/cometbft github.com/cometbft/cometbft/cmd/cometbft

# --- what users run ----------------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: $(STAMPS)/native ## build what is needed and run the bill-of-lading demonstration; where Go is, four organisations' nodes too
	@$(BIN)/yunhe demo --act first
	@if [ -n "$(ENGINE_IF_GO)" ]; then $(MAKE) engine && $(BIN)/yunhe demo --act second; fi

.PHONY: bench
bench: $(STAMPS)/native ## measure a node on this machine (`yunhe bench`); ARGS=… are passed on
	@$(BIN)/yunhe bench $(ARGS)

TREE_MANIFEST := --manifest-path bench/tree/Cargo.toml

.PHONY: bench-tree
bench-tree: ## compare state trees (docs/adr/0003), about half an hour; ARGS=… are passed on
	@$(CARGO) run --quiet --release --locked $(TREE_MANIFEST) -- all $(ARGS)

# --- checks ------------------------------------------------------------------------------------------------------------------------

GATES  := lint types stubs imports cargo-fmt clippy cargo-test
CARGO  := cargo
NATIVE_MANIFEST := --manifest-path native/Cargo.toml
PYTEST := $(BIN)/python -m pytest

# Every gate runs, so that one run shows all that is wrong; pytest comes last and closes the output.
.PHONY: test
test: $(STAMPS)/dev $(STAMPS)/native $(ENGINE_IF_GO) ## run every gate and every test
	@failed=""; \
	for gate in $(GATES); do \
	    echo "--- $$gate"; $(MAKE) $$gate || failed="$$failed $$gate"; \
	done; \
	echo "--- pytest"; $(PYTEST) -n 2 --dist worksteal --continue-on-collection-errors -m "not long" || failed="$$failed pytest"; \
	if [ -n "$$failed" ]; then echo "FAILED GATES:$$failed" >&2; exit 1; fi

.PHONY: test-long
test-long: $(STAMPS)/dev $(STAMPS)/native $(ENGINE_IF_GO) ## run the tests that take minutes; the report is test-long.md
	@$(PYTEST) -m long --hypothesis-profile=long -p tests.seed_report --seed-report test-long.md $(ARGS)

.PHONY: lint
lint: $(STAMPS)/dev ## check format and lint rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

.PHONY: format
format: $(STAMPS)/dev ## format Python and Rust sources
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only --select I .
	@$(CARGO) fmt --all $(NATIVE_MANIFEST)
	@$(CARGO) fmt --all $(TREE_MANIFEST)

.PHONY: types
types: $(STAMPS)/dev
	@$(BIN)/python -m mypy

.PHONY: stubs
stubs: $(STAMPS)/dev $(STAMPS)/native
	@$(BIN)/python -m mypy.stubtest yunhe_native

.PHONY: imports
imports: $(STAMPS)/dev
	@$(BIN)/lint-imports

.PHONY: cargo-fmt
cargo-fmt:
	@$(CARGO) fmt --all --check $(NATIVE_MANIFEST)
	@$(CARGO) fmt --all --check $(TREE_MANIFEST)

.PHONY: clippy
clippy:
	@PYO3_PYTHON=$(CURDIR)/$(BIN)/python $(CARGO) clippy --quiet --locked --all-targets $(NATIVE_MANIFEST) -- -D warnings
	@$(CARGO) clippy --quiet --locked --all-targets $(TREE_MANIFEST) -- -D warnings

.PHONY: cargo-test
cargo-test:
	@PYO3_PYTHON=$(CURDIR)/$(BIN)/python $(CARGO) test --quiet --locked $(NATIVE_MANIFEST)

# --- documents and locks -----------------------------------------------------------------------------------------------------------

.PHONY: docs
docs: $(STAMPS)/dev $(STAMPS)/native ## regenerate the generated pages of docs/reference
	@$(BIN)/python -m tools.reference

.PHONY: protocol
protocol: $(STAMPS)/dev ## regenerate what is generated from the engine's protocol, abci.proto
	@$(BIN)/python -m tools.protocol

LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

.PHONY: lock
lock: $(STAMPS)/uv ## compile requirements/*.in again; UPGRADE=--upgrade takes newer versions
	@for name in uv build; do $(LOCK) $(UPGRADE) --output-file requirements/$$name.txt requirements/$$name.in; done
	@$(LOCK) $(UPGRADE) --constraint requirements/build.txt --output-file requirements/dev.txt requirements/dev.in

.PHONY: clean
clean: ## remove everything that was built
	@rm -rf $(VENV) native/target engine/bin bare dist demo-run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
