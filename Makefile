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
$(STAMPS)/editable: $(if $(wildcard $(BUILD)/CMakeCache.txt),,FORCE)
$(STAMPS)/editable:
	@echo "building fastml (the first build takes a few minutes)"
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable . \
	  --config-settings=build-dir=$(BUILD) --config-settings=cmake.define.FASTML_BUILD_TESTS=ON
	@touch $@

.PHONY: build
build: $(STAMPS)/editable  ## build and install into .venv, only what changed
	@cmake --build $(BUILD) -- --quiet
	@cmake --install $(BUILD) --prefix "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("platlib"))')" > $(BUILD)/install.log

# They build everything once more, as a user's pip does: some minutes.
DIST_TESTS := tests/packaging/test_distribution.py
# Tests that take long, and that few changes concern: of our own tools, which start many processes, and of peaks of memory.
SLOW_TESTS := $(patsubst %,tests/benchmarks/test_%.py,image_networks measure turns worker) tests/suite/test_harness.py \
  $(patsubst %,tests/cluster/test_%_memory.py,cluster dbscan) tests/svm/test_svm_memory.py \
  tests/decomposition/test_incremental_memory.py
# Two tests at a time, C++ and Python; their threads wait asleep, so as not to take the other's core.
.PHONY: test
test: export OMP_WAIT_POLICY := passive
test: build $(STAMPS)/test  ## build, then all C++ and Python tests but scikit-learn's own, slow ones and those of the wheel
	ctest --test-dir $(BUILD) --parallel 2 --output-on-failure --no-tests=error
	$(PY) -m pytest --numprocesses 2 --dist worksteal --ignore=$(DIST_TESTS) $(SLOW_TESTS:%=--ignore=%)

.PHONY: test-slow
test-slow: build $(STAMPS)/test  ## tests of the programs behind suite and bench, and of peaks of memory
	$(PY) -m pytest $(SLOW_TESTS)

.PHONY: suite
suite: build $(STAMPS)/test  ## scikit-learn's own tests on fastml's classes (MODULES="..." picks some)
	$(PY) tests/suite/run.py $(MODULES)

.PHONY: demo
demo: build $(STAMPS)/examples  ## scikit-learn scripts as they are and accelerated, side by side
	$(PY) examples/demo.py

.PHONY: bench
bench: build $(STAMPS)/bench  ## timings against the peers (ONLY=regex picks some)
	$(PY) -m benchmarks $(if $(ONLY),--only '$(ONLY)')

# What lint reads of C++. clang-format and ruff come from PyPI, so that all machines use the same.
CXX_FILES = $(shell find csrc src cmake -name '*.cpp' -o -name '*.hpp')

.PHONY: lint
lint: build $(STAMPS)/dev  ## ruff, clang-format, cython-lint, mypy
	ruff check .
	ruff format --check .
	clang-format --dry-run --Werror $(CXX_FILES)
	cython-lint src
	mypy

.PHONY: format
format: $(STAMPS)/dev  ## put all sources into the form lint asks for
	ruff check --fix .
	ruff format .
	clang-format -i $(CXX_FILES)

.PHONY: stubs
stubs: build $(STAMPS)/dev  ## write src/fastml/_core.pyi anew from the built module
	$(PY) tools/stubs.py

.PHONY: coverage
coverage: build  ## write docs/coverage.md, the table of what fastml serves, anew
	$(PY) tools/coverage_table.py

.PHONY: sanitize
sanitize: $(STAMPS)/cmake  ## C++ tests under ASan, UBSan and TSan; Python tests of the kernels under ASan (PYTESTS="...")
	@mkdir -p build
	for preset in sanitizers tsan; do \
	  cmake --preset $$preset > build/$$preset.log; \
	  cmake --build --preset $$preset -- --quiet; \
	  ctest --preset $$preset; \
	done
	$(MAKE) --no-print-directory sanitize-python

# The editable install of .venv stays as it is: the instrumented one has an environment of its own, which borrows the
# packages of .venv but not its editable hook (a path is added, whose own .pth files are not read).
ASAN_VENV := build/sanitizers/venv
# Not the tests of memory: AddressSanitizer keeps what is freed for a while.
PYTESTS ?= tests/cluster tests/linear_model tests/neighbors tests/tree tests/ensemble tests/parity/test_tree_parity.py \
  --ignore=tests/cluster/test_cluster_memory.py --ignore=tests/cluster/test_dbscan_memory.py
.PHONY: sanitize-python
sanitize-python: build $(STAMPS)/test
	cmake --preset sanitizers > build/sanitizers.log
	$(PY) -m venv --without-pip $(ASAN_VENV)
	purelib() { "$$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }; \
	  purelib $(VENV) > "$$(purelib $(ASAN_VENV))/borrowed.pth"
	$(ASAN_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . \
	  --config-settings=build-dir=build/sanitizers --config-settings=cmake.build-type=Debug
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libstdc++.so)" \
	  ASAN_OPTIONS=detect_leaks=0 $(ASAN_VENV)/bin/python -m pytest --capture=sys $(PYTESTS)

.PHONY: dist
dist: build $(STAMPS)/test  ## source distribution and wheel, in dist/, and the tests of both
	rm -rf dist
	$(PY) -c 'from scikit_build_core.build import build_sdist; build_sdist("dist")'
	$(PY) -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist dist/*.tar.gz
	@ls -l dist
	$(PY) -m pytest $(DIST_TESTS)

.PHONY: clean
clean:  ## remove builds, not .venv
	rm -rf build dist
