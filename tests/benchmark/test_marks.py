"""What is scored, against truths whose score is known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_vost.benchmark.marks import Followed, score
from napari_vost.datasets import find_layout
from napari_vost.metrics.boundary import boundary_f_per_frame
from napari_vost.metrics.interactive import Click

Change = Callable[[NDArray[np.bool_]], NDArray[np.bool_]]


def followed(name: str, folder: Path, structure: str, change: Change) -> list[Followed]:
    """What a network would have found that gives ``change(truth)`` on every case."""
    parts = []
    for case in find_layout(name).cases(folder):
        prompted = case.prompted_frame(structure) if structure in case.structures else None
        if prompted is not None:
            truth = case.truth(structure)
            parts.append(Followed(case, structure, prompted, truth, change(truth)))
    return parts


def test_the_truth_scores_one_and_nothing_scores_zero(acdc: Path) -> None:
    layout = find_layout("acdc")
    (right, _) = followed("acdc", acdc, "LV", lambda truth: truth.copy())
    (nothing, _) = followed("acdc", acdc, "LV", np.zeros_like)
    (mark,) = score(layout, "a", [right])
    assert (mark.found.frames, mark.found.stack, mark.prompted, mark.found.leaked) == (1.0, 1.0, 1.0, 0)
    (mark,) = score(layout, "a", [nothing])
    assert (mark.found.frames, mark.found.stack, mark.prompted) == (0.0, 0.0, 0.0)


def test_copying_is_scored_without_the_prompted_slice(acdc: Path) -> None:
    (one, _) = followed("acdc", acdc, "LV", np.zeros_like)
    (mark,) = score(find_layout("acdc"), "a", [one])
    # slices 1, 2 equal the prompted one (100 pixels), slices 4, 5 hold half of it
    assert mark.copied.frames == pytest.approx((1 + 1 + 2 / 3 + 2 / 3) / 4)
    assert mark.copied.stack == pytest.approx(2 * 300 / (400 + 300))
    assert mark.empty == 2


def test_painting_where_nothing_is_counts_as_leaking_and_not_against_the_score(acdc: Path) -> None:
    (one, _) = followed("acdc", acdc, "LV", lambda truth: np.repeat(truth[3:4], len(truth), axis=0))
    (mark,) = score(find_layout("acdc"), "a", [one])
    assert (mark.found.leaked, mark.empty) == (2, 2)
    assert mark.found.frames == mark.copied.frames


def test_slices_of_a_patient_are_scored_together_and_vanished_ones_cost(acdc_cine: Path) -> None:
    layout = find_layout("acdc_cine")
    parts = followed("acdc_cine", acdc_cine, "LV", lambda truth: np.repeat(truth[:1], len(truth), axis=0))
    (mark,) = score(layout, "patient009", parts)
    assert mark.prompted_frames == (0, 0)
    # slice 0: 36 pixels moved by one column, 30 shared; slice 1: 16 painted where nothing is left
    assert mark.found.stack == pytest.approx(2 * 30 / (36 + 36 + 16))
    assert mark.found.stack == mark.copied.stack
    assert mark.found.frames == pytest.approx(60 / 72)
    assert (mark.found.leaked, mark.empty) == (1, 1)


def test_davis_is_scored_by_region_and_boundary(davis16: Path) -> None:
    (one,) = followed("davis16", davis16, "object", np.zeros_like)
    (mark,) = score(find_layout("davis16"), "goose", [one])
    assert mark.copied.j == pytest.approx(np.mean([48 / 80, 32 / 96, 16 / 112]))
    f = boundary_f_per_frame(np.repeat(one.truth[:1], 3, axis=0), one.truth[1:]).mean()
    assert mark.copied.f == pytest.approx(f)
    assert mark.copied.frames == pytest.approx((mark.copied.j + f) / 2)
    assert (mark.found.j, mark.found.f, mark.found.frames, mark.unit) == (0.0, 0.0, 0.0, "px")


def shifted(truth: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Three columns to the right."""
    return np.roll(truth, 3, axis=2)


def test_distances_are_in_millimetres_where_the_pixel_size_is_known(acdc: Path) -> None:
    layout = find_layout("acdc")
    known, unknown = followed("acdc", acdc, "LV", shifted)
    (mark,) = score(layout, "a", [known])
    assert (mark.unit, mark.found.hd95) == ("mm", 4.5)  # 1.5 mm a pixel
    (mark,) = score(layout, "b", [unknown])
    assert (mark.unit, mark.found.hd95) == ("px", 3.0)
    assert mark.copied.nsd is not None
    assert mark.found.nsd is not None
    assert mark.found.nsd < mark.copied.nsd


def test_a_lost_structure_costs_the_longest_side(acdc: Path) -> None:
    (known, _) = followed("acdc", acdc, "LV", np.zeros_like)
    (mark,) = score(find_layout("acdc"), "a", [known])
    assert (mark.found.hd95, mark.found.nsd) == (40 * 1.5, 0.0)


def test_distances_are_of_the_frames_of_the_headline(acdc_cine: Path) -> None:
    parts = followed("acdc_cine", acdc_cine, "LV", lambda truth: np.repeat(truth[:1], len(truth), axis=0))
    (mark,) = score(find_layout("acdc_cine"), "patient009", parts)
    # slice 0: one column off; slice 1 is painted though nothing is left: the longest of 24 x 20 pixels
    assert mark.found.hd95 == pytest.approx((1.5 + 24 * 1.5) / 2)
    assert mark.found.nsd == pytest.approx((1.0 + 0.0) / 2)


def test_the_frame_of_a_correction_stays_judged(acdc: Path) -> None:
    (one, _) = followed("acdc", acdc, "LV", np.zeros_like)
    mended = np.zeros_like(one.truth)
    mended[4] = one.truth[4]
    given = replace(one, clicks=(Click(4, 17, 12, True), None), corrected=(mended, mended))
    (mark,) = score(find_layout("acdc"), "a", [given])
    assert mark.found.frames == 0.0
    assert [after.frames for after in mark.corrected] == [0.25, 0.25]  # one of slices 1, 2, 4, 5
    assert mark.clicks == ((Click(4, 17, 12, True), None),)
