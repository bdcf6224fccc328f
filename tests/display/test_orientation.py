"""Sides on the screen: where the patient's right, front and head come to lie, and what the letters say of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from napari_vost.clip import Clip
from napari_vost.display.orientation import Convention, Edges, View, side_letters, view
from napari_vost.display.planes import Plane, frame_plane, planes
from tests.display.patients import ORDERS, SHAPE, clip_at, gaps, places, rotation, screen, turned

CONVENTIONS: tuple[Convention, ...] = ("radiological", "neurological")
TOWARDS = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "S": (2, 1), "I": (2, -1)}
every_order = pytest.mark.parametrize(("axes", "signs"), ORDERS)


def plane_of(clip: Clip, name: str) -> Plane:
    return next(plane for plane in planes(clip) if plane.name == name)


def seen(clip: Clip, name: str, convention: Convention = "radiological") -> tuple[View, np.ndarray]:
    """The view of a plane, and the patient steps on the screen: away from the viewer, down, to the right."""
    shown = view(clip, plane_of(clip, name), convention)
    return shown, gaps(screen(places(clip), shown))


@every_order
def test_a_mark_on_the_patients_right_is_on_screen_left_with_the_letter_beside_it(axes: tuple, signs: tuple) -> None:
    clip = clip_at(turned(axes, signs))
    everywhere = places(clip)
    mark = everywhere[..., 0] == everywhere[..., 0].min()  # the sagittal slab that lies most to the right
    for name in ("Axial", "Coronal"):
        shown = view(clip, plane_of(clip, name))
        columns = screen(mark, shown).any(axis=(0, 1))
        assert columns[0] and not columns[1:].any()
        assert (shown.edges.left, shown.edges.right) == ("R", "L")
        mirrored = view(clip, plane_of(clip, name), "neurological")
        columns = screen(mark, mirrored).any(axis=(0, 1))
        assert columns[-1] and not columns[:-1].any()
        assert (mirrored.edges.left, mirrored.edges.right) == ("L", "R")


@every_order
def test_anterior_is_up_the_head_is_up_and_the_nose_is_left(axes: tuple, signs: tuple) -> None:
    clip = clip_at(turned(axes, signs))
    for convention in CONVENTIONS:
        shown, (_, down, right) = seen(clip, "Axial", convention)
        assert down[1] > 0 and np.abs(down[[0, 2]]).max() < 1e-9  # to posterior, and nowhere else
        assert (shown.edges.top, shown.edges.bottom) == ("A", "P")
        shown, (_, down, right) = seen(clip, "Coronal", convention)
        assert down[2] < 0 and (shown.edges.top, shown.edges.bottom) == ("S", "I")
        shown, (_, down, right) = seen(clip, "Sagittal", convention)
        assert down[2] < 0 and right[1] > 0
        assert shown.edges == Edges("S", "I", "A", "P")


@every_order
def test_the_slider_runs_along_the_axis_that_the_plane_hides(axes: tuple, signs: tuple) -> None:
    clip = clip_at(turned(axes, signs))
    for name, row in (("Axial", 2), ("Coronal", 1), ("Sagittal", 0)):
        plane = plane_of(clip, name)
        shown = view(clip, plane)
        assert plane.through == shown.order[0] == axes.index(row)
        assert sorted(shown.order) == [0, 1, 2]
        assert shown.swapped == (shown.order[1] > shown.order[2])


@every_order
def test_turning_the_convention_turns_the_camera_only(axes: tuple, signs: tuple) -> None:
    clip = clip_at(turned(axes, signs))
    for plane in planes(clip):
        one, other = (view(clip, plane, convention) for convention in CONVENTIONS)
        assert one.order == other.order
        assert (one.orientation2d == other.orientation2d) == (plane.name == "Sagittal")


@every_order
def test_3d_is_no_mirror_image_and_shows_the_patient_from_the_front_or_the_back(axes: tuple, signs: tuple) -> None:
    clip = clip_at(turned(axes, signs))
    for convention in CONVENTIONS:
        shown, (away, down, right) = seen(clip, "3D", convention)
        assert np.dot(np.cross(right, -down), -away) > 0  # right, up, towards: a right-handed world, as LPS is
        assert -down[2] > 0
        assert (away[1] > 0, right[0] > 0) == ((True, True) if convention == "radiological" else (False, False))
        assert shown.edges == Edges()


rotations = st.tuples(*(st.floats(-180, 180) for _ in range(3)))


@given(rotations, st.sampled_from(ORDERS), st.sampled_from(CONVENTIONS))
@settings(deadline=None)
def test_in_an_oblique_scan_the_letters_agree_with_where_the_world_axes_point(
    angles: tuple[float, float, float], order: tuple, convention: Convention
) -> None:
    affine = turned(*order)
    for axis, angle in enumerate(angles):
        affine = rotation(axis, angle) @ affine
    clip = clip_at(affine)
    for plane in planes(clip)[:3]:
        shown = view(clip, plane, convention)
        _, down, right = gaps(screen(places(clip), shown))
        for letters, step in (
            (shown.edges.bottom, down),
            (shown.edges.top, -down),
            (shown.edges.right, right),
            (shown.edges.left, -right),
        ):
            parts = [step[row] * sign for row, sign in (TOWARDS[letter] for letter in letters)]
            assert parts[0] == pytest.approx(np.abs(step).max())
            assert min(parts) > 0 and len(parts) in (1, 2)
            assert len(parts) == 2 or np.sort(np.abs(step))[1] <= np.sin(np.radians(5.001)) * np.linalg.norm(step)


@given(rotations, st.sampled_from(ORDERS))
@settings(deadline=None)
def test_3d_of_an_oblique_scan_is_no_mirror_image(angles: tuple[float, float, float], order: tuple) -> None:
    affine = turned(*order)
    for axis, angle in enumerate(angles):
        affine = rotation(axis, angle) @ affine
    clip = clip_at(affine)
    near = np.sort(np.abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)), axis=0)
    assume((near[2] - near[1]).min() > 1e-6)  # at 45 degrees either neighbour may give the name
    _, (away, down, right) = seen(clip, "3D")
    assert np.dot(np.cross(right, -down), -away) > 0


def test_two_letters_name_an_oblique_side_mainly_the_first() -> None:
    clip = clip_at(rotation(2, 20) @ turned((2, 1, 0), (1, 1, 1)))  # turned in the axial plane: the name holds
    plane = frame_plane(clip)
    assert plane.title == "Axial"
    assert view(clip, plane).edges == Edges("AL", "PR", "RA", "LP")
    slightly = clip_at(rotation(2, 4) @ turned((2, 1, 0), (1, 1, 1)))
    assert view(slightly, frame_plane(slightly)).edges == Edges("A", "P", "R", "L")


@pytest.mark.parametrize(
    ("direction", "letters"),
    [((1, 0, 0), "L"), ((-2, 0.01, 0), "R"), ((0, -1, 0.3), "AS"), ((-0.5, 0.1, -3), "IR"), ((-1, -0.9, 0.8), "RA")],
)
def test_a_direction_is_named_by_its_largest_parts(direction: tuple[float, ...], letters: str) -> None:
    assert side_letters(np.array(direction, dtype=float)) == letters


def test_a_scan_of_unknown_orientation_is_shown_as_stored_with_question_marks() -> None:
    clip = Clip.from_array(np.zeros(SHAPE))
    shown = view(clip, frame_plane(clip))
    assert (shown.order, shown.orientation2d) == ((0, 1, 2), ("down", "right"))
    assert shown.edges == Edges("?", "?", "?", "?")
    assert view(clip, planes(clip)[-1]).edges == Edges()


@pytest.mark.parametrize("modality", ["US", "ES"])
def test_ultrasound_and_endoscopy_have_no_letters(modality: str) -> None:
    clip = Clip.from_array(np.zeros(SHAPE), order="time", modality=modality)
    assert view(clip, frame_plane(clip)).edges == Edges()


def test_axes_in_front_of_the_clips_own_stay_in_front() -> None:
    clip = clip_at(turned((2, 1, 0), (1, 1, 1)))
    shown = view(clip, plane_of(clip, "Sagittal"))
    assert shown.dims_order() == (2, 0, 1) and shown.dims_order(4) == (0, 3, 1, 2)
