"""A long clip with many masks that nobody had to follow."""

from __future__ import annotations

from dataclasses import replace

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
