"""Fitting confidence: known constants come back, weights are never negative, every source has the same say."""

import numpy as np
import pytest

from napari_vost.benchmark.calibrate import calibrate, columns_of, fit_logistic
from napari_vost.confidence import WEIGHED, Evidence, Signs, confidence
from napari_vost.errors import InputError


def test_a_logistic_law_is_found_again() -> None:
    random = np.random.default_rng(0)
    columns = random.normal(size=(20000, 2)) * [2.0, 0.5] + [1.0, 3.0]
    chance = 1 / (1 + np.exp(-(0.4 + 0.8 * (columns[:, 0] - 1) + 1.5 * (columns[:, 1] - 3))))
    fit = fit_logistic(columns, random.random(20000) < chance)
    assert fit.weights / fit.deviation == pytest.approx([0.8, 1.5], abs=0.1)
    assert fit.bias == pytest.approx(0.4, abs=0.1)
    assert np.abs(fit.probability(columns) - chance).max() < 0.05


def test_a_term_that_speaks_against_gets_no_weight() -> None:
    random = np.random.default_rng(1)
    columns = random.normal(size=(500, 2))
    fit = fit_logistic(columns, columns[:, 0] - columns[:, 1] > 0)
    assert fit.weights[0] > 0.5
    assert fit.weights[1] == 0


def test_a_missing_value_counts_as_the_mean() -> None:
    columns = np.array([[0.0], [1.0], [np.nan], [0.0], [1.0], [np.nan]])
    fit = fit_logistic(columns, np.array([False, True, True, False, True, False]))
    assert fit.typical[0] == pytest.approx(0.5)
    assert fit.probability(columns)[2] == pytest.approx(fit.probability(np.array([[0.5]]))[0])


def test_one_outcome_alone_teaches_nothing() -> None:
    with pytest.raises(InputError, match="expected both kinds"):
        fit_logistic(np.zeros((3, 1)), np.array([True] * 3))


def test_columns_leave_out_what_nobody_knows() -> None:
    found = columns_of([Evidence(0.5, 2.0, None, None, 3)], ["affinity", "sharpness", "nearness"])
    assert found[0, 0] == pytest.approx(0)
    assert np.isnan(found[0, 1])
    assert found[0, 2] == pytest.approx(-np.log(4))


def test_a_calibration_claims_what_comes_true() -> None:
    random = np.random.default_rng(2)
    answers = []
    for index in range(6000):
        quality = float(random.uniform(0.05, 0.95))
        painted, prompted = index % 3 != 0, index % 3 == 2
        signs = Signs(quality, 0.9, 3.0, 0.8, 0.0) if painted else None
        occurrence = 3.0 if painted else -10 * quality
        good = random.random() < quality
        order = "time" if index % 2 else "depth"
        verdict = None if prompted else float(np.log(quality / (1 - quality))) * 2
        evidence = Evidence(quality, occurrence, signs, signs, 0 if prompted else 4, None, order, judged=verdict)
        answers.append((evidence, 0.9 if good else 0.1))
    calibration = calibrate(answers, "made up")
    assert calibration.weights == "made up"
    for kind in WEIGHED:
        chosen = [(one, score) for one, score in answers if one.kind == kind]
        sure = np.array([confidence(one, calibration) for one, _ in chosen])
        good = np.array([score > 0.7 for _, score in chosen])
        high = sure > np.median(sure)
        assert sure[high].mean() == pytest.approx(good[high].mean(), abs=0.08)
        assert sure[~high].mean() == pytest.approx(good[~high].mean(), abs=0.08)
        assert good[high].mean() > good[~high].mean() + 0.3
