"""How fast a clip plays: milliseconds of each frame, and the frame that is due."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_vost.checks import check_range
from napari_vost.clip import Clip
from napari_vost.errors import InputError

UNKNOWN_FRAME_MS = 50.0  # slices, and cines that say no times


def frame_durations_ms(clip: Clip) -> tuple[float, ...]:
    """Milliseconds that each frame stays on the screen, length T, each above 0.

    From the file's frame times, even or not; the last frame, and one that the file dates before its neighbour, stays
    as long as the median frame. `UNKNOWN_FRAME_MS` where the file says no times.
    """
    times = clip.frame_times_s
    steps = np.diff(np.array(times or (), dtype=np.float64)) * 1000.0
    known = steps[steps > 0]
    if known.size == 0:
        return (UNKNOWN_FRAME_MS,) * len(clip)
    usual = float(np.median(known))
    return tuple(float(step) if step > 0 else usual for step in (*steps, 0.0))


def frame_due(durations_ms: Sequence[float], start_frame: int, elapsed_ms: float) -> int:
    """Frame to show so many milliseconds after ``start_frame`` came up; plays in a loop.

    A timer that asks this when it can, drops frames rather than slowing down.

    Raises
    ------
    InputError
        No such frame, or a time before the start.
    """
    if not 0 <= start_frame < len(durations_ms):
        raise InputError(f"Frame {start_frame} does not exist: the clip has frames 0 to {len(durations_ms) - 1}.")
    check_range(elapsed_ms, 0.0, float("inf"), "elapsed_ms")
    ends = np.cumsum(durations_ms)
    began = ends[start_frame] - durations_ms[start_frame]
    due = (began + elapsed_ms) % ends[-1]
    return min(int(np.searchsorted(ends, due, side="right")), len(durations_ms) - 1)
