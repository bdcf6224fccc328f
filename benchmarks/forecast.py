"""The tables of docs/forecast.md: where the box will be 1 to 5 frames ahead, against where it is.

    python benchmarks/forecast.py                                  all clips, then the page
    python benchmarks/forecast.py --clips fast --seeds 1           a try, of which nothing is kept

Priors are shown the true mask of every frame of a hard clip, one by one; no network takes part. From the 11th frame on
each says where the box will be 1 to 5 frames later.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from napari_vost.benchmark.table import markdown, replace_part
from napari_vost.contracts import MotionPrior, Observation
from napari_vost.errors import UnknownName, VostError
from napari_vost.masks import box_of
from napari_vost.motion.forecast import Forecast, forecast
from napari_vost.motion.priors import make_prior
from napari_vost.motion.signals import numbers_of
from napari_vost.phantoms.hard import HARD, hard_clip

PAGE = Path(__file__).resolve().parents[1] / "docs" / "forecast.md"
CLIPS = ("breath", "beat-20", "fast", "long")
PRIORS = ("kalman", "regression", "harmonic", "imm")  # the others look at images, and what lies ahead has none
STAYS = "stays"
SEEDS = 3
FIRST = 10
SHOWN = (1, 3, 5)

Numbers = dict[int, list[float]]


def main(words: Sequence[str] | None = None) -> int:
    """Forecast on every clip, print the tables, write the page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", nargs="+", default=list(CLIPS), metavar="CLIP", help=", ".join(HARD))
    parser.add_argument("--seeds", type=int, default=SEEDS, help="clips of each kind")
    given = parser.parse_args(words)
    for name in given.clips:
        if name not in HARD:
            raise UnknownName("hard clip", name, tuple(HARD))
    missed: dict[tuple[str, str], Numbers] = {}
    held: dict[tuple[str, str], Numbers] = {}
    for name in given.clips:
        for seed in range(given.seeds):
            seen = observations(name, seed)
            for prior in (None, *map(make_prior, PRIORS)):
                watch(seen, prior, _numbers(missed, prior, name), _numbers(held, prior, name))
    head = ("prior", *(f"{name}, {ahead}" for name in given.clips for ahead in SHOWN))
    tables = {
        "error": markdown(head, rows_of(missed, given.clips, "{:.1f}")),
        "held": markdown(head, rows_of(held, given.clips, "{:.0%}")),
    }
    for text in tables.values():
        print(text)
    if (given.clips, given.seeds) == (list(CLIPS), SEEDS):
        page = PAGE.read_text(encoding="utf-8")
        for part, text in tables.items():
            page = replace_part(page, part, text)
        PAGE.write_text(page, encoding="utf-8")
    return 0


def observations(name: str, seed: int) -> list[Observation]:
    """The true masks of a hard clip, as a prior is shown them."""
    masks = hard_clip(name, seed=seed).truth()
    return [
        Observation(at, None, torch.from_numpy(mask), box_of(mask), int(mask.sum()), 1.0)
        for at, mask in enumerate(masks)
    ]


def _numbers(found: dict[tuple[str, str], Numbers], prior: MotionPrior | None, clip: str) -> Numbers:
    return found.setdefault((STAYS if prior is None else prior.name, clip), {ahead: [] for ahead in SHOWN})


def watch(seen: list[Observation], prior: MotionPrior | None, missed: Numbers, held: Numbers) -> None:
    """Add, by frames ahead, how far centres were missed in pixels, and whether the 95 % region held the box.

    Without a prior the box stays where it is. Frames that do not show the object are left out.
    """
    state = None if prior is None else prior.start(seen[0])
    for at in range(1, len(seen) - max(SHOWN)):
        here = seen[at].box
        if prior is not None:
            state = prior.update(state, seen[at])
        if at < FIRST or here is None:
            continue
        found = [] if prior is None else forecast(prior, state, at, max(SHOWN))
        for ahead in SHOWN:
            there = seen[at + ahead].box
            if there is None:
                continue
            expected = here if prior is None else found[ahead - 1].box
            missed[ahead].append(float(np.hypot(*(numbers_of(expected) - numbers_of(there))[:2])))
            if prior is not None:
                held[ahead].append(float(Forecast.of(found[ahead - 1], at + ahead, prior.name).holds(there)))


def rows_of(found: dict[tuple[str, str], Numbers], clips: Sequence[str], form: str) -> list[tuple[str, ...]]:
    """One row per prior: the mean per clip and frames ahead."""
    priors = dict.fromkeys(prior for (prior, _), numbers in found.items() if any(numbers.values()))
    return [
        (prior, *(form.format(np.mean(found[prior, name][ahead])) for name in clips for ahead in SHOWN))
        for prior in priors
    ]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except VostError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
