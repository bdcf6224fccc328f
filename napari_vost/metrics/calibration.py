"""How far a number that claims to be a probability can be believed: ranking, calibration, reliability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from napari_vost.errors import InputError


@dataclass(frozen=True)
class Bin:
    """One bar of a reliability picture: how many numbers fell into it, their mean, and the share that came true."""

    count: int
    claimed: float
    true: float


def auroc(claimed: Sequence[float], true: Sequence[bool]) -> float | None:
    """Area under the ROC curve: how often a case that came true got a higher number than one that did not; ties half.

    Source: the Mann-Whitney form (Hanley and McNeil, Radiology 1982).

    Parameters
    ----------
    claimed
        One number per case, higher for surer.
    true
        Whether it came true.

    Returns
    -------
    float or None
        0 to 1, .5 for guessing; None where all cases came true, or none did.

    Raises
    ------
    InputError
        Not one outcome per number, or no case.
    """
    numbers, outcomes = _pair(claimed, true)
    right, wrong = int(outcomes.sum()), int((~outcomes).sum())
    if not right or not wrong:
        return None
    ranks = rankdata(numbers)
    return float((ranks[outcomes].sum() - right * (right + 1) / 2) / (right * wrong))


def reliability(claimed: Sequence[float], true: Sequence[bool], bins: int = 10) -> list[Bin]:
    """Cases by what was claimed of them, in ``bins`` equal parts of 0 to 1; empty ones are left out.

    Raises
    ------
    InputError
        As `auroc`, or numbers outside 0 to 1.
    """
    numbers, outcomes = _pair(claimed, true)
    if numbers.min() < 0 or numbers.max() > 1:
        raise InputError(
            f"Probabilities lie in 0 to 1, got {numbers.min():g} to {numbers.max():g}: give what was claimed."
        )
    place = np.minimum((numbers * bins).astype(int), bins - 1)
    found = [(numbers[place == index], outcomes[place == index]) for index in range(bins)]
    return [Bin(len(part), float(part.mean()), float(hits.mean())) for part, hits in found if len(part)]


def calibration_error(claimed: Sequence[float], true: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error, 0 to 1: mean distance of claim and outcome over the bins, weighted by their cases.

    Source: Guo et al., ICML 2017 (arXiv:1706.04599). Raises as `reliability`.
    """
    found = reliability(claimed, true, bins)
    total = sum(one.count for one in found)
    return sum(one.count * abs(one.claimed - one.true) for one in found) / total


def _pair(claimed: Sequence[float], true: Sequence[bool]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    numbers, outcomes = np.asarray(claimed, np.float64), np.asarray(true, bool)
    if numbers.ndim != 1 or numbers.shape != outcomes.shape or not len(numbers):
        raise InputError(
            f"Expected one outcome for each of at least one number, got shapes {numbers.shape} and {outcomes.shape}."
        )
    return numbers, outcomes
