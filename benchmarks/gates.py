"""Gates before a long run: 64 clips are learnt by heart, and fresh ones soon followed better than copying does.

    python benchmarks/gates.py            both, about 20 minutes of one core; exit code 1 where one stays shut

Both start from scratch, from masks, on synthetic clips. Time is processor time, so that a busy machine changes nothing.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from napari_vost.model.nano import NanoNetwork, build_nano
from napari_vost.model.nano_parts import NanoShape
from napari_vost.training.batches import Batch, ClipPool
from napari_vost.training.lessons import Habits, lesson
from napari_vost.training.loop import CLIPS, PAIRS, Plan, train
from napari_vost.training.rollout import track

CPU = torch.device("cpu")
BY_HEART = Habits(clicked=0.0, dropped=0.0, spoiled=0.0, forgotten=0.0, corrected=0.0, endings=0.0)
FIXED, SIZE, LEAST_IOU, LEAST_GAIN = 64, 128, 0.9, 0.05


def main(words: Sequence[str] | None = None) -> int:
    """Try both gates; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0, help="for the 64 clips")
    parser.add_argument("--steps", type=int, default=2000, help="on fresh clips")
    parser.add_argument("--only", choices=("by-heart", "fresh"), help="one gate")
    parser.add_argument("--memory-stride", type=int, choices=(8, 16), default=8)
    given = parser.parse_args(words)
    torch.set_num_threads(1)
    shape = NanoShape(memory_stride=given.memory_stride)
    good = []
    if given.only != "fresh":
        found = by_heart(build_nano(SIZE, 0, shape), given.minutes * 60)
        good.append(found > LEAST_IOU)
        print(f"{FIXED} fixed pairs, {given.minutes:g} min: IoU {found:.3f} (> {LEAST_IOU} wanted)", flush=True)
    if given.only != "by-heart":
        mine, copied = fresh(build_nano(SIZE, 0, shape), given.steps)
        good.append(mine - copied >= LEAST_GAIN)
        print(f"fresh clips, {given.steps} steps: Dice {mine:.3f}, copied {copied:.3f} (+{LEAST_GAIN} wanted)")
    return 0 if all(good) else 1


def by_heart(network: NanoNetwork, seconds: float) -> float:
    """Mean IoU on the second frames of 64 fixed pairs after training on nothing else."""
    random = np.random.default_rng(0)
    pool = ClipPool(FIXED, 10, 160, None, 0, CPU)
    pool.renew(FIXED)
    fixed = pool.batch(FIXED, 2, SIZE, random)
    begun = time.process_time()

    def batches() -> Iterator[Batch]:
        while time.process_time() - begun < seconds:
            rows = torch.from_numpy(random.choice(FIXED, PAIRS.rows, replace=False))
            yield Batch(fixed.images[rows], fixed.masks[rows])

    _teach(network, batches(), BY_HEART, random)
    with torch.no_grad():
        masks = torch.cat([track(network, images[None], first[None]) for images, first in
                           zip(fixed.images, fixed.masks[:, 0], strict=True)])[:, 1]  # fmt: skip
    truth = fixed.masks[:, 1, 0] > 0.5
    both, either = (masks & truth).sum((1, 2)), (masks | truth).sum((1, 2))
    return float(torch.where(either > 0, both / either.clamp(min=1), 1.0).mean())


def fresh(network: NanoNetwork, steps: int) -> tuple[float, float]:
    """Dice on fixed clips that are never trained on, followed and copied, after steps of a run in small."""
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(Path(folder), steps / 60, size=SIZE, device="cpu", pool=400)
        stages = replace(PAIRS, until=0.4), replace(CLIPS, until=1.01)
        ticks = itertools.count()
        done = train(plan, lambda line: None, stages, network, lambda: float(next(ticks)))  # a tick is a step
    return done.curve[-1]["synthetic"], done.curve[-1]["synthetic_copied"]


def _teach(network: NanoNetwork, batches: Iterator[Batch], habits: Habits, random: np.random.Generator) -> None:
    network.train()
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3, (0.9, 0.98), weight_decay=0.01)
    for step, batch in enumerate(batches):
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * min(1.0, (step + 1) / 100)
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16):
            loss = lesson(network, batch, habits, random)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    network.eval()


if __name__ == "__main__":
    sys.exit(main())
