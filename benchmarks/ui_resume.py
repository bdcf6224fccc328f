"""From Continue to where a case of a large scan was left; a row of benchmarks/ui.py."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nibabel
import numpy as np
from ui_rows import MIDDLE, Fact, large_clip, organ, with_dock
from ui_window import Window

TIMES = 5
LEFT_AT = 7  # frames from the one that was clicked
KEPT_MS = 3000  # until all is in the file


def resume() -> list[Fact]:
    """Follow an organ through 300 slices, close the case, and go on with it, again and again."""
    window = with_dock()
    window.dock.open_path(large_scan())
    window.at_desk()
    (_, y, x), frame = organ(), 5 * MIDDLE + 2
    window.desk.view.go_to(frame)
    window.settle()
    window.hands.click(2 * y, 2 * x)
    window.settle()
    window.key("F")
    window.settle()
    masks, seconds = with_masks(window), []
    for _ in range(TIMES):
        window.desk.view.go_to(frame + LEFT_AT)
        window.waiter.wait(KEPT_MS)
        window.dock.close_clip()
        window.waiter.waitUntil(lambda: window.dock.start.cases.count() > 0, 20_000)
        window.waiter.wait(500)
        seconds.append(window.timed(lambda: press_first_case(window), lambda: is_back(window, frame, masks)) / 1000)
        window.desk = window.dock.desk
    steps = len(window.studio.session.ledger.done)
    window.close()
    told = f"{min(seconds):.1f} to {max(seconds):.1f} s ({TIMES} times; {masks} masks, {steps} steps of undo)"
    return [Fact("a case of 300 slices of 512 x 512, from Continue to frame and masks as they were", "≤ 3 s", told)]


def large_scan() -> Path:
    """The large clip as a file."""
    clip = large_clip()
    values = np.stack([clip.frame(one) for one in range(len(clip))]).astype(np.int16)
    path = Path(tempfile.mkdtemp()) / "large.nii"
    nibabel.save(nibabel.Nifti1Image(values.transpose(2, 1, 0), np.diag([0.65, 0.65, 0.5, 1.0])), path)
    return path


def with_masks(window: Window) -> int:
    """How many frames show one."""
    return sum(bool(frame.any()) for frame in window.dock.desk.scene.labels)


def press_first_case(window: Window) -> None:
    """The newest case of the first screen."""
    from tests.ui.hands import LEFT, NONE, QTest

    cases = window.dock.start.cases
    QTest.mouseClick(cases.viewport(), LEFT, NONE, cases.visualItemRect(cases.item(0)).center())


def is_back(window: Window, frame: int, masks: int) -> bool:
    """Whether the case is open where it was left, with all of its masks."""
    desk = window.dock.desk
    if desk is None or desk.view.frame_index != frame + LEFT_AT or desk.scene.drawing:
        return False
    return with_masks(window) == masks
