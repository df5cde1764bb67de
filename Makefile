# Everyday commands. `make` lists them. Everything happens in .venv and build/; VENV=<dir> uses another environment.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
BUILD := build/default
PY := $(VENV)/bin/python
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check
# CMake and its ninja come from PyPI: distributions ship a CMake older than the one required.
export PATH := $(abspath $(VENV))/bin:$(PATH)

# A requirement group of pyproject.toml is installed again only when that file changes.
STAMPS := $(VENV)/.stamps

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

$(PY):
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fastml needs Python 3.11 or later: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(STAMPS)/%: pyproject.toml tools/requirements.py | $(PY)
	@echo "installing requirements: $*"
	@mkdir -p $(STAMPS)
	@$(PY) tools/requirements.py $* > $@.txt
	@$(PIP_INSTALL) -r $@.txt
	@touch $@

$(STAMPS)/cmake: | $(PY)
	@mkdir -p $(STAMPS)
	@$(PIP_INSTALL) 'cmake>=3.26' ninja
	@touch $@

# The editable install: Python files are used where they are, extension modules are put into the environment. It notes
# which packages hold an extension module, so a new .pyx asks for a new installation.
CYTHON_SOURCES := $(STAMPS)/cython-sources
.PHONY: FORCE
$(CYTHON_SOURCES): FORCE | $(PY)
	@mkdir -p $(STAMPS)
	@find src -name '*.pyx' | sort > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(STAMPS)/editable: pyproject.toml $(CYTHON_SOURCES) $(STAMPS)/build $(STAMPS)/run $(STAMPS)/cmake
	@echo "building fastml (the first build takes a few minutes)"
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable . \
	  --config-settings=build-dir=$(BUILD) --config-settings=cmake.define.FASTML_BUILD_TESTS=ON
	@touch $@

.PHONY: build
build: $(STAMPS)/editable  ## build and install into .venv, only what changed
	@cmake --build $(BUILD) -- --quiet
	@cmake --install $(BUILD) --prefix "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("platlib"))')" > $(BUILD)/install.log

.PHONY: test
test: build $(STAMPS)/test  ## build, then run every test except the suite and the benchmarks
	ctest --test-dir $(BUILD) --output-on-failure --no-tests=ignore
	$(PY) -m pytest
