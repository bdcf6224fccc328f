"""A window that is killed in the middle of work loses the last action at most, and its case opens as if nothing was."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pytestqt", reason="pytest-qt is not installed")

from napari_vost.cases import list_cases, open_case
from tests.ui.alone import READER, start
from tests.ui.killed import state

pytestmark = [
    pytest.mark.gui,
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here"),
]


def work_and_die(folder: Path, scan: Path, last: int, after_s: float) -> dict[str, Any]:
    """Have the window killed so long after its last action began; what was there before that."""
    window = start("tests.ui.killed", folder, scan, last)
    before: dict[str, Any] = {}
    try:
        assert window.stdout is not None
        for line in window.stdout:
            told = json.loads(line)
            if told.get("begins") == last:
                break
            if told.pop("did", 0):
                before = told
        time.sleep(after_s)
    finally:
        window.kill()
    assert window.wait() == -signal.SIGKILL
    return before


@pytest.mark.parametrize(
    ("last", "after_s"),
    [(3, 0.0), (4, 0.06), (5, 0.02), (5, 1.0)],
    ids=["as it clicks", "in a stroke", "after a stroke", "once it is done"],
)
def test_a_window_that_is_killed_loses_the_last_action_at_most(
    tmp_path: Path, nifti: Path, monkeypatch: pytest.MonkeyPatch, last: int, after_s: float
) -> None:
    before = work_and_die(tmp_path, nifti, last, after_s)
    assert len(before["areas"]) == 24 and max(before["areas"]) > 0
    (listed,) = list_cases(tmp_path / "cases")
    assert listed.problem == "" and listed.reader == READER
    found = open_case(listed.path, READER)
    assert found.read_only == "" and found.autosave is not None and found.autosave.close()
    done = len(found.session.ledger.done)
    assert done in ((last,) if after_s >= 1 else (last - 1, last))
    if done == last:
        found.session.undo()
    assert state(found.session) == before
