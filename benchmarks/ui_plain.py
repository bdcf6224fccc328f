"""What a frame change and a marker take in napari alone: what no plugin can be faster than on this machine."""

from __future__ import annotations

from typing import Any

import numpy as np
from ui_rows import CLICKS, ORGAN, PAUSE_MS, STEPS, Fact, large_clip, organ, truth
from ui_window import Heart, Window, own_folders, spread


def plain() -> list[Fact]:
    """The large scan with a mask of the organ as outlines and a layer of points; nothing else is open or runs."""
    own_folders()
    window, clip = Window(), large_clip()
    viewer = window.viewer
    viewer.add_image(np.stack([clip.frame(one) for one in range(len(clip))]), scale=(0.5, 0.65, 0.65))
    labels = viewer.add_labels(truth().repeat(5, 0).repeat(2, 1).repeat(2, 2).astype(np.uint8), scale=(0.5, 0.65, 0.65))
    labels.contour, labels.name = 1, ORGAN
    points = viewer.add_points(np.zeros((0, 3)), scale=(0.5, 0.65, 0.65), size=5)
    middle = 5 * organ()[0]
    viewer.dims.set_current_step(0, middle - 60)
    window.waiter.wait(1000)
    frames, heart = [], Heart()
    for number in range(STEPS):
        target = middle - 59 + number
        frames.append(
            window.timed(
                lambda to=target: viewer.dims.set_current_step(0, to),
                lambda at=target: viewer.dims.current_step[0] == at,
            )
        )
        window.waiter.wait(PAUSE_MS)
    gaps = heart.stop()
    points.mode = "add"
    window.waiter.wait(200)
    markers = []
    for number in range(CLICKS):
        viewer.dims.set_current_step(0, middle - 30 + 3 * number)
        window.waiter.wait(400)
        count = len(points.data)
        markers.append(
            window.timed(lambda at=number: _click(window, at), lambda before=count: len(points.data) > before)
        )
    window.close()
    return [
        Fact("a frame change in napari alone, nothing being followed (p50 / p95 / max)", "", spread(frames)),
        Fact("gaps of the heart there", "", spread(gaps)),
        Fact("a point that napari alone adds, from the press to the paint", "", spread(markers)),
    ]


def _click(window: Any, number: int) -> None:
    from tests.ui.hands import LEFT, NONE, QPoint, QTest

    canvas = window.canvas.native
    place = QPoint(canvas.width() // 2 + 6 * (number % 10), canvas.height() // 2 + 6 * (number // 10))
    QTest.mouseClick(canvas, LEFT, NONE, place)
