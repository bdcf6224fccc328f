"""What `test_scaled` starts: a click on the sample in a window that is scaled; it leaves JSON and a picture."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.ui.alone import Waiter, open_dock, open_path

LIVER = (50, 99, 65)  # frame, y, x in the sample volume
WHITE = 220  # blue from here on; masks and scan have less
LOOKS = 400  # places at which the picture is compared with the frame


def likeness(hands: Any) -> float:
    """How well the screen's own pixels agree with those of the frame, where the hands would touch them; at most 1."""
    canvas, frame = hands.canvas, hands.desk.studio.session.clip.frame(LIVER[0])
    grey = canvas.grabFramebuffer()
    ratio, rng = canvas.devicePixelRatioF(), np.random.default_rng(0)
    told, painted = [], []
    for y, x in rng.integers(20, np.array(frame.shape[:2]) - 20, (LOOKS, 2)):
        place = hands.place(y, x)
        if canvas.rect().contains(place):
            told.append(float(np.clip(frame[y, x], *hands.desk.scene.image.contrast_limits)))
            painted.append(float(grey.pixelColor(round(place.x() * ratio), round(place.y() * ratio)).lightness()))
    return float(np.corrcoef(told, painted)[0, 1]) if len(told) > LOOKS / 2 else 0.0


def mark_width(hands: Any) -> float:
    """Logical pixels from one side of the mark's white edge to the other, as the screen shows it."""
    painted, ratio, place = hands.canvas.grabFramebuffer(), hands.canvas.devicePixelRatioF(), hands.place(*LIVER[1:])
    y, middle = round(place.y() * ratio), round(place.x() * ratio)
    across = range(middle - round(20 * ratio), middle + round(20 * ratio))
    white = [x for x in across if painted.pixelColor(x, y).blue() > WHITE]
    return (white[-1] - white[0]) / ratio if white else 0.0


def all_in_view(hands: Any) -> bool:
    """Whether the corners of the frame are on the canvas."""
    height, width = hands.desk.studio.session.clip.frame(LIVER[0]).shape[:2]
    return all(hands.canvas.rect().contains(hands.place(y, x)) for y in (0, height) for x in (0, width))


def main(told: str, picture: str) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QDockWidget

    from napari_vost.ui.dock import LEAST_PX
    from napari_vost.ui.folding import Fold
    from napari_vost.ui.samples import sample_path
    from tests.ui.test_narrow import cut_off

    dock = open_dock()
    window = dock.window()
    holder = next(one for one in window.findChildren(QDockWidget) if one.isAncestorOf(dock))

    def narrow() -> None:
        window.resizeDocks([holder], [LEAST_PX], Qt.Orientation.Horizontal)
        Waiter.waitUntil(lambda: dock.width() <= LEAST_PX + 2)

    narrow()
    found: dict[str, Any] = {"at the start": cut_off(dock.start)}
    hands = open_path(dock, sample_path("volume"))
    narrow()
    for fold in dock.desk.findChildren(Fold):
        fold.head.click()
    Waiter.wait(200)
    found["at the desk"] = cut_off(dock)
    dock.desk.view.go_to(LIVER[0])
    dock.desk.view.fit()
    Waiter.waitUntil(hands.steady)
    found["all of it"] = all_in_view(hands)
    found["likeness"] = likeness(hands)
    hands.click(*LIVER[1:])
    hands.settle()
    Waiter.waitUntil(hands.steady)
    (prompt,) = dock.studio.session.prompts
    window.grab().save(picture)
    found |= {
        "ratio": hands.canvas.devicePixelRatioF(),
        "width": dock.width(),
        "prompt": [prompt.frame_index, prompt.y, prompt.x],
        "mark": np.asarray(dock.desk.scene.prompts.data)[0].tolist(),
        "mark's width": mark_width(hands),
        "answered": int(dock.desk.scene.masks.data[LIVER]),
    }
    Path(told).write_text(json.dumps(found), encoding="utf-8")
    dock.end()
    dock.viewer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
