"""How long the timeline takes to be painted; a row of benchmarks/ui.py."""

from __future__ import annotations

import time
from collections.abc import Callable

from ui_rows import Fact, with_dock
from ui_window import spread

TIMES = 60
WIDTH_PX, HEIGHT_PX = 1600, 140
NOTCH = 120


def timeline() -> list[Fact]:
    """2,000 frames and 5 objects: with news of two frames, zoomed, with the cursor moved; each painted at once."""
    window = with_dock(open_it=False)
    from napari_vost.ui.lane import Lane
    from napari_vost.ui.lane_data import lane_data, updated
    from tests.ui.made_up import crowded_session

    session, lane = crowded_session(), Lane()
    data = lane_data(session)
    lane.resize(WIDTH_PX, HEIGHT_PX)
    lane.set_data(data)
    lane.show()
    window.waiter.wait(300)

    def told(act: Callable[[int], object]) -> str:
        spent = []
        for number in range(TIMES):
            start = time.perf_counter()
            act(number)
            lane.repaint()
            spent.append(1000 * (time.perf_counter() - start))
            window.waiter.wait(5)
        return spread(spent)

    facts = [
        Fact(f"timeline of 2,000 frames and 5 objects: {what} (p50 / p95 / max)", "≤ 16 ms", told(act))
        for what, act in (
            ("news of two frames", lambda number: lane.set_data(updated(data, session, (700 + number, 701 + number)))),
            ("a notch of the wheel", lambda number: turn_wheel(lane, 1 if number % 20 < 10 else -1)),
            ("another frame", lambda number: lane.set_frame(500 + number)),
        )
    ]
    lane.close()
    window.close()
    return facts


def turn_wheel(widget: object, notches: int) -> None:
    """Over the middle of a widget."""
    from qtpy.QtCore import QPoint, QPointF, Qt
    from qtpy.QtGui import QWheelEvent
    from qtpy.QtWidgets import QApplication

    middle = QPointF(WIDTH_PX / 2, HEIGHT_PX / 2)
    event = QWheelEvent(
        middle, middle, QPoint(), QPoint(0, NOTCH * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
