"""What is put before a judge of answers, and what it owes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from napari_vost.confidence import Evidence

EXHIBIT_SIDE = 64  # pixels along a side of all that a judge sees


@dataclass(frozen=True, eq=False)
class Exhibit:
    """One answer on a followed frame beside what the user showed, all (64, 64), on the device of the network.

    Attributes
    ----------
    evidence
        Of the answer, not judged yet.
    image
        Values 0..1 of the region that was looked at, channels averaged.
    logits, before
        Mask logits of the answer and of the frame before, in that region.
    shown_image, shown_mask
        The nearest prompted frame that holds the object, in its own region: values and coverage, 0..1.
    """

    evidence: Evidence
    image: Tensor
    logits: Tensor
    before: Tensor
    shown_image: Tensor
    shown_mask: Tensor


class Judge(Protocol):
    """Says of answers whether they are good, by comparing them with what the user showed."""

    def judge(self, exhibits: Sequence[Exhibit]) -> list[float]:
        """Log odds that each has a Dice of .7 or more (of one left empty: that nothing is there)."""
        ...
