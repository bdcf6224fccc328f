"""How long keeping takes: a session of many actions is saved, resumed, and goes on with autosave.

    python benchmarks/keeping.py [--actions 5000]

The actions are made up (clicks, acceptances, locks, follows of 40 frames in 300 frames of 256 x 256) and no network
runs: what is measured is the log and its file.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

from napari_vost import Session
from napari_vost.autosave import Autosave
from napari_vost.clip import Clip
from napari_vost.history import Kept
from napari_vost.masks import PackedMask
from napari_vost.testing import BrightNetwork
from napari_vost.types import PointPrompt, Scores

FRAMES, SIDE, FOLLOWED = 300, 256, 40
WRITES = 50


def discs() -> list[Kept]:
    """Masks of a disc in sixty places."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    packed = [PackedMask.pack((y - 128) ** 2 + (x - 60 - shift) ** 2 < 900) for shift in range(60)]
    return [Kept(mask, Scores(0.9, 5.0), 0.8) for mask in packed]


def act(session: Session, number: int, masks: list[Kept]) -> None:
    """Six clicks, an acceptance, a lock, an unlock and a follow in ten actions."""
    settings, frame, object_id = session.ledger.settings, number * 7 % FRAMES, 1 + number % 4
    kind = number % 10
    if kind < 6:
        after = replace(settings, prompts=(*settings.prompts, PointPrompt(frame, object_id, 128.0, 60.0)))
        session.ledger.act("prompt", after, {(object_id, frame): masks[number % 60]})
    elif kind == 6:
        session.accept(next(reversed(session.ledger.kept))[1])
    elif kind == 7:
        session.lock(frame)
    elif kind == 8:
        session.unlock(frame)
    else:
        found = {(1, (frame + ahead) % FRAMES): masks[(number + ahead) % 60] for ahead in range(FOLLOWED)}
        session.ledger.act("follow", settings, found)


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--actions", type=int, default=5000)
    count = parser.parse_args().actions
    clip = Clip.from_array(np.zeros((FRAMES, SIDE, SIDE), np.uint8))
    session, masks = Session(clip, BrightNetwork()), discs()
    for number in range(count):
        act(session, number, masks)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.vost"
        start = time.perf_counter()
        session.save(path)
        saved = time.perf_counter()
        session = Session.load(path, source=clip, model=BrightNetwork())
        resumed = time.perf_counter()
        print(f"{count} actions, {path.stat().st_size / 1e6:.1f} MB: save {saved - start:.2f} s", end=", ")
        print(f"resume {resumed - saved:.2f} s")
        acting, writing = [], []
        with Autosave(session, path) as autosave:
            for number in range(WRITES):
                start = time.perf_counter()
                act(session, number, masks)
                done = time.perf_counter()
                if not autosave.flush():
                    sys.exit(autosave.problem)
                acting.append(1e3 * (done - start))
                writing.append(1e3 * (time.perf_counter() - done))
    print(f"one more action: {median(acting):.1f} ms (longest {max(acting):.1f}), in the file after", end=" ")
    print(f"{median(writing):.0f} ms (longest {max(writing):.0f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
