"""Sessions with masks that nobody had to follow, for tests of what comes after."""

from __future__ import annotations

import numpy as np

from napari_vost.clip import Clip
from napari_vost.history import Kept
from napari_vost.masks import PackedMask
from napari_vost.session import Session
from napari_vost.types import Label, Scores


def session_on(clip: Clip, weak: tuple[int, ...] = (), overlap: bool = False) -> Session:
    """A session with object 1, a rectangle on every frame, and object 2 beside it, or over it."""
    session = Session(clip)
    first, second = np.zeros(clip.shape[1:], bool), np.zeros(clip.shape[1:], bool)
    first[1:3, 1:3] = True
    second[(2 if overlap else 3) : 5, 2:4] = True
    for frame in range(len(clip)):
        sure = 0.3 if frame in weak else 0.95
        session.ledger.kept[1, frame] = Kept(PackedMask.pack(first), Scores(0.9, 5.0), sure)
        session.ledger.kept[2, frame] = Kept(PackedMask.pack(second), Scores(0.9, 5.0), 0.95)
    session.labels = {1: Label("Liver"), 2: Label("Spleen")}
    session.alias, session.reader = "case-007", "Doe^Jane"
    return session
