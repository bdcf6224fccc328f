"""Options of a training run, shared by ``napari-vost train`` and ``python -m napari_vost.training``."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a training run to a parser."""
    parser.add_argument("--minutes", type=float, required=True, help="how long to train")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; goes on where one is there")
    parser.add_argument("--pack", type=Path, default=None, help="packed real clips; without it, synthetic ones alone")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: %(default)s)")
    parser.add_argument("--size", type=int, default=128, help="side of the input (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=1, help="factor on the batch size")
    parser.add_argument("--weights", type=Path, default=None, help="folder of weights to start from")
    parser.add_argument(
        "--memory-stride", type=int, choices=(8, 16), help="build the network anew; of --weights what fits is taken"
    )


def start(given: argparse.Namespace) -> int:
    """Train as the options say; returns the exit code 0.

    Raises
    ------
    VostError
        A pack, a checkpoint or weights that cannot be used.
    """
    from napari_vost.model.nano_parts import NanoShape
    from napari_vost.training.loop import Plan, train

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    plan = Plan(
        given.out,
        given.minutes,
        given.pack,
        given.size,
        given.rate,
        given.seed,
        given.device,
        given.weights,
        given.rows,
        shape=NanoShape(memory_stride=given.memory_stride) if given.memory_stride else None,
    )
    train(plan, logging.getLogger("napari_vost.training").info)
    return 0
