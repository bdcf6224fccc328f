"""Which Qt for Python the tests of the window run with."""

from __future__ import annotations

import os
import sys

import pytest

pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

import qtpy
from pytestqt.qt_compat import qt_api

BINDINGS = {"PySide6", "PyQt6"}


def test_one_binding_is_loaded_and_it_is_the_one_that_was_asked_for() -> None:
    assert qtpy.API_NAME.lower() == qt_api.pytest_qt_api == os.environ.get("QT_API", "pyside6")
    assert BINDINGS & set(sys.modules) == {qtpy.API_NAME}
