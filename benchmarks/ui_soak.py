"""Thousands of actions of a restless user in one window: what they leave in memory."""

from __future__ import annotations

import gc
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
from ui_rows import Fact, press_sample, with_dock
from ui_window import Window

WARM_UP = 0.25  # of all actions, before memory is looked at for the first time: caches fill their budgets by then
MOST_OBJECTS = 4
REST_MS = 12_000  # longer than the window takes to give back what it does not need
KEYS = {  # key and modifiers → how often, of 100
    ("P",): 4, ("B",): 1, ("S",): 1, ("T",): 2, ("W",): 4, ("K",): 2, ("Comma",): 1, ("Period",): 1, ("PageUp",): 1,
    ("PageDown",): 1, ("Home",): 1, ("End",): 1, ("Minus",): 1, ("Equal",): 1, ("G",): 1, ("Delete",): 1,
    ("Return",): 2, ("F",): 3, ("Z", "Control"): 9, ("Z", "Control", "Shift"): 7,
}  # fmt: skip
CLICK, WHEEL, STROKE, PLANE = 14, 38, 3, 1


def soak(actions: int) -> list[Fact]:
    """Act at random, with a seed, and look at memory, references, threads and timers."""
    window, rng = with_dock(open_it=False), np.random.default_rng(0)
    known = {id(one) for one in timers()}
    window.open_dock()
    press_sample(window)
    window.at_desk()
    before = 0, 0
    for number in range(1, actions + 1):
        act(window, rng)
        window.waiter.wait(int(rng.integers(0, 12)))
        if number % 50 == 0:
            window.settle()
        if number == int(actions * WARM_UP):
            before = at_rest(window), none_count()
    after = at_rest(window), none_count()
    steps = len(window.studio.session.ledger.done)
    window.close()
    window.waiter.wait(300)
    gc.collect()
    threads = [one.name for one in threading.enumerate() if one.name.startswith("napari-vost")]
    growth = 100 * (after[0] - before[0]) / before[0]
    memory = f"{before[0] / 1e6:.0f} → {after[0] / 1e6:.0f} MB ({growth:+.1f} %), {steps} steps of undo kept"
    return [
        Fact(
            f"{actions} actions: resident memory after the first quarter and at the end",
            "± 5 %",
            memory,
            timed=False,
        ),
        Fact("references of `None`", "never fewer", f"{before[1]} → {after[1]} ({binding()})", timed=False),
        Fact(
            "threads and running timers of ours after closing",
            "none",
            ", ".join([*threads, *(f"a timer of {one.interval()} ms" for one in timers() if id(one) not in known)])
            or "none",
            timed=False,
        ),
    ]


def act(window: Window, rng: np.random.Generator) -> None:
    """One action of a user."""
    desk, kinds = window.desk, [*KEYS, "click", "wheel", "stroke", "plane"]
    weights = np.array([*KEYS.values(), CLICK, WHEEL, STROKE, PLANE], float)
    kind = kinds[rng.choice(len(kinds), p=weights / weights.sum())]
    y, x = int(rng.integers(60, 190)), int(rng.integers(50, 200))
    if isinstance(kind, tuple):
        window.key(*kind)
    elif kind == "wheel":
        window.hands.wheel(float(rng.choice([-1, 1])))
    elif kind == "plane":
        desk.view.show(str(rng.choice(["Axial", "Coronal"])))
    elif not desk.view.shows_frames:
        desk.view.show("Axial")
    elif kind == "stroke":
        if rng.random() < 0.5:
            desk.tools.arm(str(rng.choice(["brush", "eraser", "scribble", "box"])))
        window.hands.drag([(y, x), (y + 12, x + 15)])
        if rng.random() < 0.2 and len(window.studio.object_ids) < MOST_OBJECTS:
            window.key("N")
        desk.tools.arm("point")
    else:
        desk.tools.arm("point")
        window.hands.click(y, x)


def at_rest(window: Window) -> int:
    """Resident bytes once everything is done and collected, and the user has looked on for a while."""
    window.settle()
    window.waiter.wait(REST_MS)
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


def binding() -> str:
    """Qt for Python, and its version."""
    import qtpy

    return f"{qtpy.API_NAME} {qtpy.PYSIDE_VERSION or qtpy.PYQT_VERSION}"


def none_count() -> int:
    """References of None; from Python 3.12 on the number means nothing, for None is immortal."""
    return sys.getrefcount(None)


def timers() -> list[Any]:
    """Timers that run."""
    from qtpy.QtCore import QTimer

    found: list[Any] = []
    for one in gc.get_objects():
        if isinstance(one, QTimer):
            try:
                found += [one] if one.isActive() else []
            except RuntimeError:  # deleted in C++
                continue
    return found
