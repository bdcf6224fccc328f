"""Print how far our engine is from transformers' own inference on the cases of ``tests/engine/test_parity.py``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "engine"))

import test_parity as parity

from napari_vost.testing import tiny_sam2_model


def main() -> None:
    """Print one Markdown row per case and direction."""
    model, images = tiny_sam2_model(), parity.clip()
    parity.centre_scores(model, images, parity.CASES)
    print("| prompt | direction | largest difference of logits | least IoU | masks not empty |")
    print("| --- | --- | --- | --- | --- |")
    for case in parity.CASES:
        for direction, word in ((1, "forward"), (-1, "backward")):
            theirs = parity.theirs(model, images, case, direction)
            ours = parity.ours(model, images, case, direction)
            worst, least, filled = parity.compare(theirs, ours)
            print(f"| {case.name} | {word} | {worst:.1e} | {least:.4f} | {filled:.0%} |")


if __name__ == "__main__":
    main()
