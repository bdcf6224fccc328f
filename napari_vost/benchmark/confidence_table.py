"""Tables of how far confidence can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from napari_vost.benchmark.calibrate import Numbers, columns_of, fit_logistic
from napari_vost.benchmark.tried import TRIED
from napari_vost.benchmark.witness import Sample
from napari_vost.confidence import GOOD_DICE, Calibration, confidence
from napari_vost.metrics.calibration import auroc, calibration_error
from napari_vost.model.judge import EVIDENCE

Groups = Mapping[str, Sequence[Sample]]
DATA_HEAD = (
    "data", "answers", "good", "AUROC", "plain", "calibration error", "plain", "AUROC, object there", "plain",
)  # fmt: skip
SORTS = ("painted slices", "painted frames of cines", "left empty")
EVIDENCE_HEAD = ("evidence", *SORTS, "all")
TRIED_HEAD = ("tried", "answers", "alone", "AUROC without", "with it")
LEAST = 20  # answers below which a figure says nothing


def data_rows(groups: Groups, calibration: Calibration) -> list[tuple[str, ...]]:
    """Rows under `DATA_HEAD`: one per group, all answers together, and the mean of the groups."""
    rows = [_numbers(samples, calibration) for samples in groups.values()]
    pooled = _numbers([one for samples in groups.values() for one in samples], calibration)
    named = [(name, *_words(row)) for name, row in zip(groups, rows, strict=True)]
    means: list[float | None] = [_mean([row[column] for row in rows]) for column in range(len(pooled))]
    means[0] = pooled[0]
    return [*named, ("**all answers**", *_words(pooled)), ("**mean of the rows**", *_words(means))]


def evidence_rows(fitted: Groups, judged: Groups) -> list[tuple[str, ...]]:
    """Rows under `EVIDENCE_HEAD`: AUROC on the judged answers.

    Of each piece of evidence alone, of a logistic sum of all that is fitted to the same answers as the calibration, and
    of the judge, who sees the images too.
    """
    train, test = _followed(fitted), _followed(judged)
    summed = fit_logistic(columns_of([one.evidence for one in train], EVIDENCE), _good(train))
    asked = columns_of([one.evidence for one in test], (*EVIDENCE, "judged"))
    columns = dict(zip((*EVIDENCE, "judged"), asked.T, strict=True))
    columns = {name: columns[name] for name in EVIDENCE} | {
        "all of these in one sum": summed.probability(asked[:, :-1]), "the judge": columns["judged"],
    }  # fmt: skip
    sorts = np.array([_sort(one) for one in test])
    good = _good(test)
    rows = []
    for name, values in columns.items():
        known = ~np.isnan(values)
        figures = [_auroc(values, good, known & (sorts == one)) for one in SORTS]
        rows.append((name, *figures, _auroc(values, good, known)))
    return rows


def _auroc(values: Numbers, good: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> str:
    return _figure(auroc(values[chosen].tolist(), good[chosen].tolist()) if chosen.sum() >= LEAST else None)


def _sort(sample: Sample) -> str:
    if sample.evidence.signs is None:
        return SORTS[2]
    return SORTS[0] if sample.evidence.order == "depth" else SORTS[1]


def tried_rows(fitted: Groups, judged: Groups) -> list[tuple[str, ...]]:
    """Rows under `TRIED_HEAD`: numbers that are not used, and what a sum of the judge's verdict and each is worth.

    Each row is fitted to and judged on the answers that have the number, with it and without.
    """
    rows: list[tuple[str, ...]] = []
    for name in TRIED:
        train, test = _followed(fitted, name), _followed(judged, name)
        if min(len(train), len(test)) < LEAST:
            rows.append((name, str(len(test)), "-", "-", "-"))
            continue
        good, right = _good(train), _good(test)
        seen, asked = (columns_of([one.evidence for one in each], ("judged",)) for each in (train, test))
        more, new = (np.array([[one.tried[name]] for one in each]) for each in (train, test))
        without = _score(seen, asked, good, right)
        added = _score(np.hstack([seen, more]), np.hstack([asked, new]), good, right)
        alone = auroc(new[:, 0].tolist(), right.tolist())
        rows.append((name, str(len(test)), _figure(alone), _figure(without), _figure(added)))
    return rows


def _followed(groups: Groups, tried: str | None = None) -> list[Sample]:
    """Answers that were followed to and judged; only those that have a number of `TRIED` where it is named."""
    every = [one for samples in groups.values() for one in samples if one.evidence.judged is not None]
    return [one for one in every if tried is None or tried in one.tried]


def _good(samples: Sequence[Sample]) -> NDArray[np.bool_]:
    return np.array([one.dice >= GOOD_DICE for one in samples], bool)


def _score(seen: Numbers, asked: Numbers, good: NDArray[np.bool_], right: NDArray[np.bool_]) -> float | None:
    """AUROC on asked rows of a sum that was fitted to seen ones."""
    chances: list[float] = fit_logistic(seen, good).probability(asked).tolist()
    return auroc(chances, right.tolist())


def _numbers(samples: Sequence[Sample], calibration: Calibration) -> list[float | None]:
    """Figures of a row, in the order of `DATA_HEAD`."""
    good = [one.dice >= GOOD_DICE for one in samples]
    sure = [confidence(one.evidence, calibration) for one in samples]
    plain = [one.plain for one in samples]
    held = [row for row, one in enumerate(samples) if one.held]
    there = [good[row] for row in held]
    return [
        len(samples), float(np.mean(good)), auroc(sure, good), auroc(plain, good), calibration_error(sure, good),
        calibration_error(plain, good), auroc([sure[row] for row in held], there) if held else None,
        auroc([plain[row] for row in held], there) if held else None,
    ]  # fmt: skip


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _words(row: Sequence[float | None]) -> tuple[str, ...]:
    count, good, *figures = row
    return f"{count:.0f}", f"{good:.0%}" if good is not None else "-", *(_figure(one) for one in figures)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
