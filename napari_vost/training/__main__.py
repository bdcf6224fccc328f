"""``python -m napari_vost.training --minutes N --pack pack.npz --out runs/x``."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from napari_vost.errors import VostError
from napari_vost.training.loop import Plan, train


def main() -> int:
    """Command line of the trainer; returns the exit code."""
    parser = argparse.ArgumentParser(prog="napari_vost.training", description="Train vost-nano.")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; goes on where one is there")
    parser.add_argument("--pack", type=Path, default=None, help="packed real clips; without it, synthetic ones alone")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=1, help="factor on the batch size")
    parser.add_argument("--weights", type=Path, default=None, help="folder of weights to start from")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    plan = Plan(given.out, given.minutes, given.pack, given.size, given.rate, given.seed, given.device, given.weights,
                given.rows)  # fmt: skip
    try:
        train(plan, logging.getLogger("napari_vost.training").info)
    except VostError as error:
        logging.getLogger("napari_vost.training").error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
