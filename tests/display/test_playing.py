"""Playing at the file's own times."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.display.playing import UNKNOWN_FRAME_MS, frame_due, frame_durations_ms
from napari_vost.errors import InputError


def cine(times_s: tuple[float, ...] | None, frames: int = 4) -> Clip:
    return Clip.from_array(np.zeros((frames, 2, 2)), order="time", frame_times_s=times_s)


def test_uneven_frame_times_are_kept_and_the_last_frame_stays_as_long_as_most() -> None:
    assert frame_durations_ms(cine((0.0, 0.03, 0.09, 0.12))) == pytest.approx((30, 60, 30, 30))


def test_a_frame_dated_before_its_neighbour_stays_as_long_as_most() -> None:
    assert frame_durations_ms(cine((0.0, 0.04, 0.02, 0.06))) == pytest.approx((40, 40, 40, 40))


@pytest.mark.parametrize("times", [None, (0.0, 0.0, 0.0, 0.0)])
def test_a_cine_without_times_plays_at_the_fixed_speed(times: tuple[float, ...] | None) -> None:
    assert frame_durations_ms(cine(times)) == (UNKNOWN_FRAME_MS,) * 4
    assert frame_durations_ms(cine((0.0,), frames=1)) == (UNKNOWN_FRAME_MS,)


def test_the_frame_that_is_due_drops_those_that_were_missed_and_goes_round() -> None:
    durations = (30.0, 60.0, 30.0, 30.0)
    assert [frame_due(durations, 0, elapsed) for elapsed in (0, 29, 30, 89, 90, 149, 150, 179, 180)] == [
        0, 0, 1, 1, 2, 3, 0, 0, 1,
    ]  # fmt: skip
    assert frame_due(durations, 2, 0) == 2 and frame_due(durations, 2, 60) == 0
    assert frame_due(durations, 1, 150.0 * 1000 + 65) == 2


def test_a_frame_or_a_time_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="frames 0 to 1"):
        frame_due((10.0, 10.0), 2, 0)
    with pytest.raises(InputError, match="elapsed_ms"):
        frame_due((10.0, 10.0), 0, -1)
