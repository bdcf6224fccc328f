# Two commands on Debian or Ubuntu with Python 3.11: `make demo` and `make test`. Both set up what they need, once.
#   PYTHON=/path/to/python   another Python (3.11 or newer)
#   PIP_ARGS="…"             more arguments for pip, for instance to choose the CPU or CUDA build of torch
#   WORKERS=2                how many tests run at a time

VENV ?= .venv
PIP_ARGS ?=
WORKERS ?= 2
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q install -c constraints.txt $(PIP_ARGS)
EXTRAS := video
TEST_EXTRAS := test

# A window without a screen, and dciodvfy (dicom3tools), which judges the DICOM files that we write.
SYSTEM := xvfb xauth libegl1 libdbus-1-3 libfontconfig1 libglib2.0-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 \
          libxcb-shape0 libxkbcommon-x11-0 dicom3tools
SCREEN := xvfb-run -a -s "-screen 0 1400x900x24"

.PHONY: help demo test lint format clean

help:
	@echo "make demo    set up and segment the sample scan and the sample cine"
	@echo "make test    set up and run all checks and tests"
	@echo "make lint    style, types, floors"
	@echo "make format  put files into the common style"
	@echo "make clean   remove what these commands made"

demo: $(VENV)/.demo-ready
	$(BIN)/napari-vost demo

test: $(VENV)/.system-ready lint
	$(SCREEN) $(BIN)/python -m pytest -m "not gpu and not weights" -n $(WORKERS) --dist worksteal

lint: $(VENV)/.test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.test-ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) demo dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: a second run finds them newer than what they depend on and does nothing.
$(BIN)/python:
	.ci/make-venv $(VENV)

$(VENV)/.demo-ready: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing napari-vost into $(VENV) (torch is large: minutes on a slow line)"
	$(PIP) -e ".[$(EXTRAS)]"
	@touch $@

$(VENV)/.test-ready: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing napari-vost and its test tools into $(VENV) (torch is large: minutes on a slow line)"
	$(PIP) -e ".[$(TEST_EXTRAS)]"
	@touch $@ $(VENV)/.demo-ready

$(VENV)/.system-ready: Makefile | $(BIN)/python
	.ci/system-packages $(SYSTEM)
	@touch $@
