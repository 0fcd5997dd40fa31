# Everything runs in a local .venv, set up on first use with the tested versions of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The fits use one thread each and run side by side; more threads inside them only fight.
export OMP_NUM_THREADS := 1
export MPLBACKEND := Agg

.PHONY: demo test test-all lint docs bench clean

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

test: lint
	$(BIN)/python -m pytest -n 2 -m "not slow" --cov --cov-report=term --cov-fail-under=90

test-all: lint
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term --cov-fail-under=90

docs: $(READY)
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

bench: $(READY)
	$(BIN)/python benchmarks/accuracy.py --quick
	$(BIN)/python benchmarks/speed.py

clean:
	rm -rf $(VENV) docs/_build dist .coverage .pytest_cache .mypy_cache .ruff_cache
