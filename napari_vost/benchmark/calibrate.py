"""Fitting confidence: a logistic sum whose weights cannot be negative."""

from __future__ import annotations

from collections.abc import Sequence
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


def fit_logistic(columns: Numbers, good: NDArray[np.bool_]) -> Fit:
    """Fit by maximum likelihood.

    Parameters
    ----------
    columns
        (N, K) values, nan where one is missing: it then counts as the column's mean.
    good
        (N,) outcomes, both kinds.

    Raises
    ------
    InputError
        All outcomes are the same.
    """
    if good.all() or not good.any():
        raise InputError("All cases have the same outcome, expected both kinds: give more cases.")
    known = ~np.isnan(columns)
    total = np.maximum(known.sum(0), 1)
    filled = np.nan_to_num(columns)
    typical = filled.sum(0) / total
    deviation = np.sqrt(np.where(known, (filled - typical) ** 2, 0.0).sum(0) / total) + 1e-6
    values = np.where(known, (filled - typical) / deviation, 0.0)
    sign = np.where(good, 1.0, -1.0)

    def loss(theta: Numbers) -> tuple[float, Numbers]:
        margin = sign * (theta[0] + values @ theta[1:])
        slope = -sign / (1 + np.exp(margin)) / len(sign)
        value = float(np.logaddexp(0, -margin).mean() + PENALTY * (theta[1:] ** 2).sum())
        return value, np.concatenate([[slope.sum()], slope @ values + 2 * PENALTY * theta[1:]])

    bounds = [(None, None)] + [(0, None)] * columns.shape[1]
    found = minimize(loss, np.zeros(columns.shape[1] + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    return Fit(float(found[0]), found[1:], typical, deviation)


def columns_of(evidence: Sequence[Evidence], names: Sequence[str]) -> Numbers:
    """Values (N, K) of terms, nan where one is missing."""
    rows = [[TERMS[name](one) for name in names] for one in evidence]
    return np.array([[np.nan if value is None else value for value in row] for row in rows], np.float64)


def calibrate(answers: Sequence[tuple[Evidence, float]], fingerprint: str) -> Calibration:
    """Fit all sums.

    Parameters
    ----------
    answers
        Evidence and true Dice; every answer has the same say.
    fingerprint
        Of the weights that gave the answers.

    Raises
    ------
    InputError
        Nothing of one kind, or all of it good, or all bad.
    """
    sums = {kind: _fit_kind([(one, score) for one, score in answers if one.kind == kind], kind) for kind in WEIGHED}
    return Calibration(fingerprint, sums)


def _fit_kind(answers: Sequence[tuple[Evidence, float]], kind: Kind) -> LogisticSum:
    good = np.array([score >= GOOD_DICE for _, score in answers], bool)
    columns = columns_of([one for one, _ in answers], WEIGHED[kind])
    kept = fit_logistic(columns, good).weights >= LEAST
    fit = fit_logistic(columns[:, kept], good)
    left = [name for name, one in zip(WEIGHED[kind], kept, strict=True) if one]
    numbers = zip(left, (fit.weights / fit.deviation).tolist(), fit.typical.tolist(), strict=True)
    return LogisticSum(round(fit.bias, 5), tuple(Term(name, round(w, 5), round(t, 5)) for name, w, t in numbers))
