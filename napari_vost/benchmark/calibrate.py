"""Fitting confidence: a logistic sum whose weights cannot be negative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from napari_vost.confidence import GOOD_DICE, TERMS, WEIGHED, Calibration, Evidence, Kind, LogisticSum, Term
from napari_vost.errors import InputError

Numbers = NDArray[np.float64]
PENALTY = 1e-3  # of squared weights, per standard deviation of a term
LEAST = 0.02  # weights below this, per standard deviation, are left out


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted sum over columns: bias, and per column its weight, its typical value and its deviation (K,)."""

    bias: float
    weights: Numbers
    typical: Numbers
    deviation: Numbers

    def probability(self, columns: Numbers) -> Numbers:
        """Of rows (N, K), nan where a value is missing; (N,)."""
        values = np.nan_to_num((columns - self.typical) / self.deviation)
        chances: Numbers = 1 / (1 + np.exp(-(self.bias + values @ self.weights)))
        return chances


def fit_logistic(columns: Numbers, good: NDArray[np.bool_], share: Numbers) -> Fit:
    """Fit by maximum likelihood.

    Parameters
    ----------
    columns
        (N, K) values, nan where one is missing: it then counts as the column's mean.
    good
        (N,) outcomes, both kinds.
    share
        (N,) weight of every row, summing to 1.

    Raises
    ------
    InputError
        All outcomes are the same.
    """
    if good.all() or not good.any():
        raise InputError("All cases have the same outcome, expected both kinds: give more cases.")
    known = ~np.isnan(columns)
    mass = np.where(known, share[:, None], 0.0)
    total = np.maximum(mass.sum(0), 1e-12)
    filled = np.nan_to_num(columns)
    typical = (mass * filled).sum(0) / total
    deviation = np.sqrt((mass * (filled - typical) ** 2).sum(0) / total) + 1e-6
    values = np.where(known, (filled - typical) / deviation, 0.0)
    sign = np.where(good, 1.0, -1.0)

    def loss(theta: Numbers) -> tuple[float, Numbers]:
        margin = sign * (theta[0] + values @ theta[1:])
        slope = -sign * share / (1 + np.exp(margin))
        value = float(share @ np.logaddexp(0, -margin) + PENALTY * (theta[1:] ** 2).sum())
        return value, np.concatenate([[slope.sum()], slope @ values + 2 * PENALTY * theta[1:]])

    bounds = [(None, None)] + [(0, None)] * columns.shape[1]
    found = minimize(loss, np.zeros(columns.shape[1] + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    return Fit(float(found[0]), found[1:], typical, deviation)


def columns_of(evidence: Sequence[Evidence], names: Sequence[str]) -> Numbers:
    """Values (N, K) of terms, nan where one is missing."""
    rows = [[TERMS[name](one) for name in names] for one in evidence]
    return np.array([[np.nan if value is None else value for value in row] for row in rows], np.float64)


def equal_shares(groups: Sequence[str]) -> Numbers:
    """Weights of rows (N,) by which every group has the same say; they sum to 1."""
    names, place, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    shares: Numbers = 1.0 / counts[place] / len(names)
    return shares


def calibrate(groups: Mapping[str, Sequence[tuple[Evidence, float]]], fingerprint: str) -> Calibration:
    """Fit all sums.

    Parameters
    ----------
    groups
        Evidence and true Dice of answers, by where they come from; every source has the same say.
    fingerprint
        Of the weights that gave the answers.

    Raises
    ------
    InputError
        Nothing of one kind, or all of it good, or all bad.
    """
    sums = {kind: _fit_kind(groups, kind) for kind in WEIGHED}
    return Calibration(fingerprint, sums["painted"], sums["empty"], sums["prompted"])


def _fit_kind(groups: Mapping[str, Sequence[tuple[Evidence, float]]], kind: Kind) -> LogisticSum:
    rows = [(name, one, score) for name, each in groups.items() for one, score in each if one.kind == kind]
    names = WEIGHED[kind]
    good = np.array([score >= GOOD_DICE for _, _, score in rows], bool)
    columns = columns_of([one for _, one, _ in rows], names)
    share = equal_shares([name for name, _, _ in rows])
    kept = fit_logistic(columns, good, share).weights >= LEAST
    fit = fit_logistic(columns[:, kept], good, share)
    left = [name for name, one in zip(names, kept, strict=True) if one]
    terms = zip(left, fit.weights / fit.deviation, fit.typical, strict=True)
    return LogisticSum(
        round(fit.bias, 5), tuple(Term(name, round(float(w), 5), round(float(t), 5)) for name, w, t in terms)
    )
