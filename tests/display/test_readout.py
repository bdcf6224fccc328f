"""The line under the cursor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.display.readout import readout
from napari_vost.errors import InputError
from napari_vost.geometry import Grid
from napari_vost.io.readers import open_clip
from tests.display.patients import ORDERS, SHAPE, clip_at, places, turned
from tests.io.dicom_factory import ramp_volume, stack_origins, write_series

STRAIGHT = turned((2, 1, 0), (1, 1, 1))


def ct() -> Clip:
    """120 slices from the head down, 2.5 mm apart; frame 45 lies at z −132.5 and is instance 75."""
    affine = np.diag([0.8, 0.8, -2.5, 1.0])
    affine[:3, 3] = (-97.6, -44.7, -20.0)
    clip = clip_at(affine, shape=(120, 256, 256), modality="CT")
    return replace(clip, source=replace(clip.source, instance_numbers=tuple(120 - index for index in range(120))))


def test_a_ct_says_image_instance_place_value_and_object() -> None:
    line = readout(ct(), 45, (100.0, 100.0), 64.0, "Pancreas")
    assert line == "Image 46/120 (instance 75) · z −132.5 mm · R 17.6 P 35.3 · 64 HU · Pancreas"


def test_off_the_image_only_the_slice_is_said() -> None:
    for pixel in (None, (-0.6, 3.0), (3.0, 255.5)):
        assert readout(ct(), 45, pixel, 64.0, "Pancreas") == "Image 46/120 (instance 75) · z −132.5 mm"
    assert " · R 97.9 A 42.3" in readout(ct(), 45, (3.0, -0.4))  # the outer half of the first pixel is inside


@pytest.mark.parametrize(("axes", "signs"), ORDERS)
def test_the_place_is_the_voxels_own_whatever_the_order_of_axes(axes: tuple, signs: tuple) -> None:
    clip = clip_at(turned(axes, signs))
    frame, y, x = 3, 5, 2
    left, posterior, up = places(clip)[frame, y, x]
    line = readout(clip, frame, (float(y), float(x)))
    sides = f"{'R' if left < 0 else 'L'} {abs(left):.1f} {'A' if posterior < 0 else 'P'} {abs(posterior):.1f}"
    assert line == f"Image 4/5 · z {up:.1f} mm · {sides}".replace("-", "−")


def test_uneven_slices_are_read_at_their_own_place() -> None:
    origins = np.array([[-12.3, 45.6, z] for z in (0.0, 2.5, 5.0, 20.0, 22.5)])
    assert "z 20.0 mm" in readout(clip_at(STRAIGHT, frame_origins_lps=origins), 3)


def test_a_cine_says_milliseconds_and_where_its_plane_lies() -> None:
    clip = clip_at(STRAIGHT, "time", frame_times_s=(0.0, 0.03, 0.09, 0.1, 0.2), modality="MR")
    assert readout(clip, 2, (0.0, 0.0), 340) == "Image 3/5 · 90 ms · R 12.3 P 45.6 · 340"
    assert readout(replace(clip, frame_times_s=None), 2, (0.0, 0.0), 340) == "Image 3/5 · R 12.3 P 45.6 · 340"


def test_of_a_4d_source_the_other_axis_is_said_too() -> None:
    cine = clip_at(STRAIGHT, "time", frame_times_s=(0.0, 0.03, 0.09, 0.1, 0.2))
    shape = (7, 6, 10, 5)
    cine = replace(cine, source=replace(cine.source, grid=Grid(shape, (3, 1, 0), STRAIGHT, ((2, 3),))))
    assert readout(cine, 2, (0.0, 0.0), 340) == "Image 3/5 · Slice 4/10 · 90 ms · R 12.3 P 45.6 · 340"
    volume = clip_at(STRAIGHT)
    grid = Grid((7, 6, 5, 25), (2, 1, 0), STRAIGHT, ((3, 2),))
    volume = replace(volume, source=replace(volume.source, grid=grid))
    assert readout(volume, 3) == "Image 4/5 · Time 3/25 · z −125.0 mm"


def test_every_frame_of_a_cine_lies_where_the_first_one_lies() -> None:
    clip = clip_at(turned((1, 2, 0), (1, -1, 1)), "time")  # coronal: a step to the next frame would go backwards
    assert readout(clip, 4, (0.0, 0.0)) == "Image 5/5 · R 12.3 P 45.6"


def test_colour_has_three_numbers_and_no_spacing_means_pixels() -> None:
    clip = Clip.from_array(np.zeros((*SHAPE, 3), np.uint8), order="time")
    clip = replace(clip, geometry=replace(clip.geometry, spaced=False))
    line = readout(clip, 0, (2.0, 3.0), np.array([12, 0, 255], np.uint8), "Polyp")
    assert line == "Image 1/5 · x 3 y 2 px · 12 0 255 · Polyp"


def test_without_orientation_no_side_is_named() -> None:
    clip = Clip.from_array(np.zeros(SHAPE), spacing_mm_zyx=(2.5, 0.5, 0.25))
    assert readout(clip, 4, (2.0, 3.0), -0.5) == "Image 5/5 · z 10.0 mm · x 0.8 y 1.0 mm · −0.5"
    assert readout(Clip.from_array(np.zeros((1, 6, 7))), 0) == "Image 1/1"


@pytest.mark.parametrize(
    ("value", "words"), [(64, "64"), (-1024.0, "−1024"), (0.01234567, "0.01235"), (17.25, "17.25"), (12345.6, "12346")]
)
def test_numbers_are_short_and_have_a_real_minus_sign(value: float, words: str) -> None:
    assert readout(clip_at(STRAIGHT), 0, (0.0, 0.0), value).split(" · ")[-1] == words


def test_zero_millimetres_have_no_sign() -> None:
    affine = STRAIGHT.copy()
    affine[2, 3] = -0.04
    assert "z 0.0 mm" in readout(clip_at(affine), 0)


def test_a_frame_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="frames 0 to 119"):
        readout(ct(), 120)


def test_dicom_files_bring_their_instance_numbers(tmp_path: Path) -> None:
    write_series(tmp_path / "five", ramp_volume(5), stack_origins(5))  # numbered against the depth
    assert readout(open_clip(tmp_path / "five"), 0).startswith("Image 1/5 (instance 5) · z 30.0 mm")
    assert readout(open_clip(tmp_path / "five"), 2).startswith("Image 3/5 · ")  # instance 3 as well
    write_series(tmp_path / "six", ramp_volume(6), stack_origins(6))
    assert readout(open_clip(tmp_path / "six"), 0).startswith("Image 1/6 (instance 6) · ")
    across = open_clip(tmp_path / "six", axis="coronal")
    assert len(across) == 6 and readout(across, 0).startswith("Image 1/6 · ")  # none of its frames is an instance
