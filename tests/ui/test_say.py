"""Sentences that were made for programs, as they stand in a window."""

from __future__ import annotations

import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari_vost.errors import InputError, ReadError
from napari_vost.ui.jobs import sentence_of
from napari_vost.ui.say import counted_from_one, in_window


@pytest.mark.parametrize(
    ("engine", "window"),
    [
        ("Object 1 has a lock on frame 9, after frame 0.", "Object 1 has a lock on frame 10, after frame 1."),
        ("Frame 24 does not exist: it has frames 0 to 23.", "Frame 25 does not exist: it has frames 1 to 24."),
        ("5 frames of object 2 are weak.", "5 frames of object 2 are weak."),
    ],
)
def test_frames_are_counted_from_one_as_on_the_screen(engine: str, window: str) -> None:
    assert counted_from_one(engine) == window and sentence_of(InputError(engine)) == window


def test_what_a_file_says_of_its_own_frames_stays() -> None:
    assert sentence_of(ReadError("Frame 3 of a.dcm is damaged.")) == "Frame 3 of a.dcm is damaged."


def test_a_window_knows_no_options_and_counts_slices_from_one() -> None:
    assert in_window("a gap (5 mm after slice 3 (0-based)): fill it (--fill-gap, fill_gap=True).") == (
        "a gap (5 mm after slice 4): fill it."
    )
