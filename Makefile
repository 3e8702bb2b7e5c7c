# make demo: sets up by itself, runs the main job, says where the report is.   make test: sets up by itself, runs every check and test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup demo test lint bench proof recovery million clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[all,dev]"
	touch $(READY)

setup: $(READY)

demo: $(READY)
	$(BIN)/issmp-cat demo

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/issmp-cat warmup --quiet
	$(BIN)/python -m pytest -n 2
	$(BIN)/python -m pytest --import-mode=prepend --nbmake notebooks

bench: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[benchmarks]"
	$(BIN)/python benchmarks/run.py

# Some 1,500 decisions against the whole integer programme: half an hour, resumable, proof/ keeps what is done.
proof: $(READY)
	PYTHONPATH=tests $(BIN)/python -m oracle --folder proof

# 200 simulated calibrations of each model against the truth: some twenty minutes, resumable, recovery/ keeps what is done.
recovery: $(READY)
	PYTHONPATH=tests OPENBLAS_NUM_THREADS=1 $(BIN)/python -m recovery --folder recovery

# A million exams checked at every length, and run three ways that must agree to the last bit: some five minutes.
million: $(READY)
	$(BIN)/python benchmarks/million.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache demo proof recovery
