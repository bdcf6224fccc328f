"""``napari-vost train``: train vost-nano, from nothing, from a checkpoint or from the shipped weights."""

from __future__ import annotations

import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``train`` to the command line."""
    from napari_vost.training.options import add_options

    parser = subparsers.add_parser("train", help="train vost-nano", description=__doc__)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Train until the minutes are over; checkpoints are saved every minute."""
    from napari_vost.training.options import start

    return start(args)
