"""The line on top of the dock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from qtpy.QtWidgets import QLabel, QToolButton

from napari_vost.cases import Case, OpenCase
from napari_vost.ui.head import Head

pytestmark = pytest.mark.gui


def test_it_says_whose_case_is_open_and_offers_a_copy_of_another_readers(qtbot: Any) -> None:
    head = Head()
    qtbot.addWidget(head)
    title = head.findChild(QLabel)
    mine, close = (
        next(b for b in head.findChildren(QToolButton) if b.text() == word) for word in ("Make mine", "Close")
    )
    head.show_case(None)
    assert title.text() == "New case" and mine.isHidden()
    case = Case(Path("case-001-slice04_ann.vost"), "case-001-slice04", "Ann")
    head.show_case(OpenCase(case, None, None, "It is Ann's."))  # type: ignore[arg-type]  # only the case is read
    assert title.text() == "case-001-slice04 · Ann" and title.toolTip() == "It is Ann's." and mine.isVisible()
    with qtbot.waitSignals([head.mine_asked, head.close_asked]):
        mine.click()
        close.click()
    head.show_case(OpenCase(case, None, None))  # type: ignore[arg-type]
    assert mine.isHidden()
