"""``python -m napari_vost.training --minutes N --pack pack.npz --out runs/x``."""

from __future__ import annotations

import argparse
import sys

from napari_vost.errors import VostError
from napari_vost.training.options import add_options, start


def main() -> int:
    """Command line of the trainer, for machines that hold nothing but its own dependencies; returns the exit code."""
    parser = argparse.ArgumentParser(prog="napari_vost.training", description="Train vost-nano.")
    add_options(parser)
    try:
        return start(parser.parse_args())
    except VostError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
