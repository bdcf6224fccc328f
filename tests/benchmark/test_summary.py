"""Means over cases: distances of one unit, paired gains, clicks to a target."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_vost.benchmark.marks import Figures, Mark
from napari_vost.benchmark.summary import summarise
from napari_vost.datasets import find_layout

NONE = Figures(None, None, None, None, None, None, 0)


def mark(case: str, found: float, copied: float = 0.5, unit: str = "mm", after: tuple[float, ...] = ()) -> Mark:
    """A mark all of whose shares are one number, whose HD95 is ten times that."""

    def figures(value: float) -> Figures:
        return Figures(value, value / 2, None, None, 10 * value, value, 1)

    rounds = tuple(figures(value) for value in after)
    return Mark(case, "LV", (3,), unit, figures(found), figures(copied), 1.0, 4, (), rounds)


def mean(interval: object) -> float:
    return interval.mean  # type: ignore[attr-defined]


def test_the_gain_is_paired_and_of_the_headline() -> None:
    marks = [mark("a", 0.8, 0.7), mark("b", 0.6, 0.7)]
    found = summarise(find_layout("acdc"), "LV", marks)
    assert mean(found.gain) == pytest.approx(0.0)
    assert found.gain is not None
    assert (found.gain.low, found.gain.high) == pytest.approx((-0.1, 0.1))
    stacked = summarise(find_layout("acdc_cine"), "LV", marks[:1])
    assert mean(stacked.gain) == pytest.approx(0.05)
    assert found.found.leak == 2 / 8


def test_distances_of_other_units_are_left_out() -> None:
    marks = [mark("a", 0.8), mark("b", 0.6, unit="px"), mark("c", 0.4)]
    found = summarise(find_layout("acdc"), "LV", marks)
    assert (found.cases, found.unit, found.measured) == (3, "mm", 2)
    assert mean(found.found.hd95) == pytest.approx(6.0)
    assert mean(found.found.frames) == pytest.approx(0.6)
    pixels = summarise(find_layout("acdc"), "LV", marks[1:2])
    assert (pixels.unit, pixels.measured, mean(pixels.found.hd95)) == ("px", 1, 6.0)


def test_a_case_with_nothing_to_judge_takes_no_part() -> None:
    marks = [mark("a", 0.8), replace(mark("b", 0.0), found=NONE, copied=NONE)]
    found = summarise(find_layout("acdc"), "LV", marks)
    assert (found.cases, mean(found.found.frames), mean(found.gain)) == (1, 0.8, pytest.approx(0.3))
    assert found.measured == 1


def test_corrections_have_paired_gains_and_the_clicks_to_the_target() -> None:
    marks = [
        mark("a", 0.9, after=(0.9, 0.9)),  # there before any click
        mark("b", 0.5, after=(0.6, 0.85)),  # after two
        mark("c", 0.5, after=(0.4, 0.3)),  # never: counts the two that were given
    ]
    found = summarise(find_layout("acdc"), "LV", marks).corrections
    assert found is not None
    assert [mean(one.frames) for one in found.after] == pytest.approx([1.9 / 3, 2.05 / 3])
    assert [mean(gain) for gain in found.gains] == pytest.approx([0.0, 0.15 / 3])
    assert (mean(found.noc), found.never) == (pytest.approx((0 + 2 + 2) / 3), 1)


def test_without_clicks_there_are_no_corrections() -> None:
    assert summarise(find_layout("acdc"), "LV", [mark("a", 0.8)]).corrections is None
