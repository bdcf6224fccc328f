"""Sessions with masks that nobody had to follow; run by hand, it takes the CPU time of a large timeline."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import numpy as np

from napari_vost.clip import Clip
from napari_vost.history import Kept
from napari_vost.masks import PackedMask
from napari_vost.session import Session
from napari_vost.testing import BrightNetwork
from napari_vost.types import Label, PointPrompt, Scores

NAMES = ("Pancreas", "Liver", "Left kidney with its cyst", "Aorta", "Spleen", "Tumour", "Duct")


def disc(radius: float, size: int = 128) -> PackedMask:
    y, x = np.mgrid[:size, :size] - size // 2
    return PackedMask.pack(y * y + x * x < radius * radius)


def crowded_session(frames: int = 2000, objects: int = 5, size: int = 128, seed: int = 0) -> Session:
    """Discs that grow and shrink, confidence that wanders, two prompts each, a stretch accepted and one locked."""
    session = Session(Clip.from_array(np.zeros((frames, size, size), np.uint8), (1.0, 0.8, 0.8)), BrightNetwork())
    rng = np.random.default_rng(seed)
    for object_id in range(1, objects + 1):
        first, last = int(rng.uniform(0.1, 0.3) * frames), int(rng.uniform(0.7, 0.95) * frames)
        sure = np.clip(0.85 + np.cumsum(rng.normal(0, 1.3 / np.sqrt(frames), frames)), 0.2, 0.99)
        for frame in range(first, last + 1):
            share = (frame - first + 1) / (last - first + 2)
            radius = 0.4 * size * np.sqrt(np.sin(np.pi * share)) * (1 + 0.1 * np.sin(60 * share))
            session.ledger.kept[object_id, frame] = Kept(disc(radius, size), Scores(0.9, 3.0), float(sure[frame]))
        session.labels[object_id] = Label(NAMES[(object_id - 1) % len(NAMES)])
    prompts = tuple(
        PointPrompt(int(share * frames), one, 5, 5)
        for one in range(1, objects + 1)
        for share in (0.4 + 0.02 * one, 0.6)
    )
    accepted = frozenset((1, frame) for frame in range(int(0.4 * frames), int(0.55 * frames)))
    locked = frozenset((2, frame) for frame in range(int(0.5 * frames), int(0.53 * frames)))
    session.ledger.settings = replace(
        session.ledger.settings, prompts=prompts, accepted=accepted, locks=accepted | locked
    )
    return session


def milliseconds(act: Callable[[], object], times: int = 30) -> str:
    spent = []
    for _ in range(times):
        start = time.process_time()
        act()
        spent.append((time.process_time() - start) * 1000)
    return f"median {median(spent):.2f} ms, largest {max(spent):.2f} ms"


def measure() -> None:
    """CPU time of what has to stay fast, at 2,000 frames and 5 objects."""
    from qtpy.QtWidgets import QApplication

    from napari_vost.ui.lane import Lane
    from napari_vost.ui.lane_data import changed_frames, lane_data, updated

    app = QApplication.instance() or QApplication([])
    session = crowded_session()
    told = {"first reading (areas counted)": milliseconds(lambda: lane_data(session), 1)}
    data = lane_data(session)
    told["reading anew"] = milliseconds(lambda: lane_data(session))
    told["three frames read anew"] = milliseconds(lambda: updated(data, session, (700, 701, 702)))
    told["what changed"] = milliseconds(lambda: changed_frames(data, data))
    lane = Lane()
    lane.resize(1600, 140)
    lane.set_data(data)
    lane.show()
    told["everything painted"] = milliseconds(lambda: (lane.set_data(data), lane.grab()))
    frames = iter(range(500, 2000))
    zooms = iter((1.1, 1 / 1.1) * 100)
    told["zoomed"] = milliseconds(lambda: (lane._look_at(lane._scale.zoomed(next(zooms), 300.0)), lane.grab()))
    told["cursor moved"] = milliseconds(lambda: (lane.set_frame(next(frames)), lane.grab()))
    for what, spent in told.items():
        sys.stdout.write(f"{what}: {spent}\n")
    lane.close()
    app.quit()


if __name__ == "__main__":
    measure()
