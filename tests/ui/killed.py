"""What `test_killed` starts and kills: a reader who marks and paints, and tells before and after each action."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from napari_vost.session import Session
from tests.ui.alone import Waiter, open_dock, open_path

LAST_PAUSE_MS = 2000


def state(session: Session) -> dict[str, Any]:
    """What must be the same when the case is opened again."""
    masks = session.label_map(dense=True)
    return {
        "prompts": [[type(one).__name__, one.frame_index] for one in session.prompts],
        "areas": np.count_nonzero(masks, axis=(1, 2)).tolist(),
        "sum": int((masks.astype(np.int64).ravel() * np.arange(masks.size)).sum()),
    }


def acts(hands: Any) -> list[Callable[[], None]]:
    """Three clicks, a stroke of the brush, another click."""
    desk = hands.desk

    def click(frame: int, y: int, x: int) -> None:
        desk.view.go_to(frame)
        desk.tools.arm("point")
        hands.click(y, x)

    def stroke() -> None:
        desk.tools.arm("brush")
        desk.scene.masks.brush_size = 5
        hands.drag([(8, 8), (8, 30)])

    return [
        lambda: click(12, 30, 40),
        lambda: click(12, 34, 46),
        lambda: click(16, 28, 38),
        stroke,
        lambda: click(9, 30, 44),
    ]


def tell(**words: Any) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def main(path: str, last: str) -> None:
    hands = open_path(open_dock(), Path(path))
    for number, act in enumerate(acts(hands), start=1):
        if number == int(last):
            Waiter.wait(LAST_PAUSE_MS)
        tell(begins=number)
        act()
        hands.settle()
        tell(did=number, **state(hands.desk.studio.session))
    Waiter.wait(60_000)  # to be killed


if __name__ == "__main__":
    main(*sys.argv[1:])
