"""Planes are named after the patient, and only where the source says how the patient lies."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.display.planes import Plane, frame_plane, notes, planes, says_sides
from napari_vost.geometry import Geometry
from tests.display.patients import ORDERS, SHAPE, clip_at, rotation, turned

STRAIGHT = turned((2, 1, 0), (1, 1, 1))


@pytest.mark.parametrize(("axes", "signs"), ORDERS)
def test_every_order_of_axes_has_the_three_planes_and_3d(axes: tuple, signs: tuple) -> None:
    clip = clip_at(turned(axes, signs))
    assert [plane.title for plane in planes(clip)] == ["Axial", "Coronal", "Sagittal", "3D"]
    assert {plane.through for plane in planes(clip)} == {0, 1, 2, None}
    assert frame_plane(clip).name == {2: "Axial", 1: "Coronal", 0: "Sagittal"}[axes[0]]
    assert frame_plane(clip) in planes(clip) and frame_plane(clip).shows_frames


def test_an_oblique_plane_has_the_nearest_name_and_says_how_far_off_it_is() -> None:
    clip = clip_at(rotation(0, 18.5) @ STRAIGHT)  # about the left-right axis: the sagittal plane stays true
    assert [plane.title for plane in planes(clip)] == ["Axial, oblique 18°", "Coronal, oblique 18°", "Sagittal", "3D"]
    assert frame_plane(clip).tilt_deg == pytest.approx(18.5)
    assert frame_plane(clip_at(rotation(0, 60) @ STRAIGHT)).title == "Coronal, oblique 30°"
    assert notes(clip) == ("The frames are oblique: Axial is the nearest plane, and letters name two sides.",)


def test_the_frames_of_a_tilted_gantry_are_oblique_and_its_sagittal_plane_is_not() -> None:
    tilted = STRAIGHT.copy()
    tilted[:3, 1] = rotation(0, 18.5)[:3, :3] @ STRAIGHT[:3, 1]  # the table moves along z, the frames lean
    clip = clip_at(tilted)
    assert [plane.oblique for plane in planes(clip)] == [True, False, False, False]
    assert any("tilted by 18.5°" in note for note in notes(clip))


def test_a_cine_and_a_single_image_have_the_frame_plane_alone() -> None:
    assert planes(clip_at(STRAIGHT, "time")) == (Plane("Axial", 0, 0.0),)
    assert [plane.name for plane in planes(clip_at(STRAIGHT, shape=(1, 6, 7)))] == ["Axial"]
    assert [plane.name for plane in planes(Clip.from_array(np.zeros((9, 4, 4, 3)), order="time"))] == ["Frame"]


def test_a_volume_of_unknown_orientation_has_no_named_plane() -> None:
    clip = Clip.from_array(np.zeros(SHAPE))
    assert [plane.name for plane in planes(clip)] == ["Frame", "3D"]
    assert notes(clip) == ("The file does not say how the patient lies: left and right are unknown.",)


def test_pictures_without_sides_are_told_from_scans_that_do_not_say_theirs() -> None:
    grey, colour = np.zeros(SHAPE), np.zeros((*SHAPE, 3), np.uint8)
    assert says_sides(clip_at(STRAIGHT)) == "known"
    assert says_sides(Clip.from_array(grey, modality="MR")) == "unknown"
    assert says_sides(Clip.from_array(colour, modality="OT")) == "unknown"  # a screen copy of a scan
    assert says_sides(Clip.from_array(colour, order="time")) == "none"
    assert says_sides(Clip.from_array(grey, order="time", modality="US")) == "none"
    assert notes(Clip.from_array(grey, order="time", modality="US")) == ()


def test_uneven_slices_are_said() -> None:
    origins = np.array([[0, 0, z] for z in (0.0, 2.5, 5.0, 20.0, 22.5)])
    clip = clip_at(STRAIGHT, frame_origins_lps=origins)
    assert isinstance(clip.geometry, Geometry) and any("unevenly spaced" in note for note in notes(clip))
    assert notes(clip_at(STRAIGHT)) == ()
