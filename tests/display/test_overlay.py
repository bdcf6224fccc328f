"""Another scan is laid over a clip where it lies in the patient, whatever the order, tilt and steps of its slices."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from napari_vost.clip import ArrayStack, Clip
from napari_vost.display.overlay import notes, overlay, same_grid
from napari_vost.errors import Cancelled, InputError
from napari_vost.geometry import Affine, Geometry
from tests.display.patients import ORDERS, clip_at, rotation, turned

STRAIGHT = turned((2, 1, 0), (1, 1, 1))


def ramp(geometry: Geometry, shape: tuple[int, int, int]) -> Clip:
    """A scan whose value is ``2 L - 3 P + 5 S`` at each place: linear interpolation loses nothing."""
    frames, height, width = shape
    like = Clip(ArrayStack(np.zeros(shape)), "depth", geometry, Clip.from_array(np.zeros(shape)).source)
    y, x = np.mgrid[0:height, 0:width]
    values = [
        geometry.frame_origin(frame) @ (2, -3, 5)
        + (geometry.affine_lps[:3, 0] @ (2, -3, 5)) * x
        + (geometry.affine_lps[:3, 1] @ (2, -3, 5)) * y
        for frame in range(frames)
    ]
    return replace(like, frames=ArrayStack(np.stack(values)))


def around(affine: Affine, shape: tuple[int, int, int], middle: np.ndarray) -> Affine:
    """An affine moved so that the middle of its volume lies at a place."""
    moved = affine.copy()
    centre = (np.array(shape[::-1]) - 1) / 2
    moved[:3, 3] = middle - affine[:3, :3] @ centre
    return moved


HERE = clip_at(STRAIGHT)
MIDDLE = STRAIGHT[:3, :3] @ ((np.array(HERE.shape[::-1]) - 1) / 2) + STRAIGHT[:3, 3]


@pytest.mark.parametrize(("axes", "signs"), ORDERS)
@pytest.mark.parametrize("degrees", [0.0, 20.0])
def test_every_pixel_gets_the_value_of_its_place(axes: tuple, signs: tuple, degrees: float) -> None:
    shape = (40, 44, 48)
    scan = ramp(Geometry(around(rotation(1, degrees) @ turned(axes, signs), shape, MIDDLE)), shape)
    truth = ramp(HERE.geometry, HERE.shape)
    expected = np.stack(list(truth))
    got = overlay(scan, HERE)
    inside = got > np.stack(list(scan)).min() + 1e-3
    assert inside.mean() > 0.5
    assert np.abs(got - expected)[inside].max() < 1e-2


def test_slices_of_a_tilted_gantry_and_at_uneven_steps_lie_where_they_were_taken() -> None:
    shape = (40, 44, 48)
    leaning = around(STRAIGHT, shape, MIDDLE)
    leaning[:3, 1] = rotation(0, 18.5)[:3, :3] @ leaning[:3, 1]
    steps = np.cumsum(np.tile([1.0, 0.6, 1.4], 14)[:40]) - 1.0
    origins = leaning[:3, 3] + steps[:, None] * leaning[:3, 2]
    scan = ramp(Geometry(leaning, frame_origins_lps=origins), shape)
    got, expected = overlay(scan, HERE), np.stack(list(ramp(HERE.geometry, HERE.shape)))
    inside = got > np.stack(list(scan)).min() + 1e-3
    assert inside.any() and np.abs(got - expected)[inside].max() < 1e-2


def test_outside_of_the_scan_is_its_lowest_value() -> None:
    shape = (3, 3, 3)
    small = ramp(Geometry(around(STRAIGHT, shape, MIDDLE)), shape)
    got = overlay(small, HERE)
    assert (got == np.float32(np.stack(list(small)).min())).mean() > 0.8 and got[0, 0, 0] == got.min()


def test_a_scan_over_itself_is_itself() -> None:
    scan = ramp(HERE.geometry, HERE.shape)
    assert np.allclose(overlay(scan, HERE), np.stack(list(scan)), atol=1e-3)
    assert same_grid(scan, HERE) and notes(scan, HERE)


def test_another_size_place_or_order_is_another_grid() -> None:
    moved = HERE.geometry.affine_lps.copy()
    moved[0, 3] += 0.5
    assert not same_grid(HERE, replace(HERE, geometry=replace(HERE.geometry, affine_lps=moved)))
    assert not same_grid(HERE, replace(HERE, order="time"))
    assert not same_grid(HERE, clip_at(STRAIGHT, shape=(5, 6, 8)))


def test_scans_of_one_frame_of_reference_need_no_word() -> None:
    placed = replace(HERE, geometry=replace(HERE.geometry, frame_of_reference="1.2.3"))
    assert notes(placed, placed) == () and notes(placed, HERE)


@pytest.mark.parametrize("which", ["cine", "colour", "unknown", "single", "far"])
def test_what_cannot_be_laid_over_is_refused_in_a_sentence(which: str) -> None:
    far = HERE.geometry.affine_lps.copy()
    far[:3, 3] += 1000
    wrong = {
        "cine": replace(HERE, order="time"),
        "colour": replace(HERE, frames=ArrayStack(np.zeros((*HERE.shape, 3), np.uint8))),
        "unknown": replace(HERE, geometry=replace(HERE.geometry, oriented=False)),
        "single": replace(HERE, frames=ArrayStack(np.zeros((1, *HERE.shape[1:])))),
        "far": replace(HERE, geometry=replace(HERE.geometry, affine_lps=far)),
    }[which]
    with pytest.raises(InputError, match=r"\.$"):
        overlay(wrong, HERE)


def test_it_can_be_stopped() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        overlay(HERE, HERE, stop)
