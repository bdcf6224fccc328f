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

# PyQt6 instead of PySide6: an environment that adds it to the first one, and window tests that touch what bindings do.
PYQT6 := $(VENV)/pyqt6
PYQT6_TESTS := $(patsubst %,tests/ui/test_%.py,binding brush export_panel keys lane_strip leaks other_reader)

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

test: $(VENV)/.system-ready $(VENV)/.pyqt6-ready lint
	$(SCREEN) $(BIN)/python -m pytest -m "not gpu and not weights" -n $(WORKERS) --dist worksteal
	QT_API=pyqt6 PYTEST_QT_API=pyqt6 $(SCREEN) $(PYQT6)/bin/python -m pytest $(PYQT6_TESTS) -m "not slow" -n $(WORKERS) --dist worksteal

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

$(VENV)/.pyqt6-ready: constraints.txt $(VENV)/.test-ready
	@echo "Installing PyQt6 into $(PYQT6)"
	PYTHON=$(BIN)/python .ci/make-venv $(PYQT6)
	$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
	  > "$$($(PYQT6)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/first.pth"
	$(subst $(BIN),$(PYQT6)/bin,$(PIP)) PyQt6
	@touch $@

$(VENV)/.system-ready: Makefile | $(BIN)/python
	.ci/system-packages $(SYSTEM)
	@touch $@
