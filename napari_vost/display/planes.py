"""Which planes a clip can be looked at in, named after the patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.geometry import tilt_deg

OBLIQUE_DEG = 5.0  # further than this from a plane or side of the patient, and the screen says so
_NAMES = {"IS": "Axial", "AP": "Coronal", "RL": "Sagittal"}  # by the letters of the axis that runs through the plane
_SIDELESS = frozenset({"US", "IVUS", "ES", "XC", "GM", "SM", "OP", "OPT", "IVOCT"})  # DICOM PS3.3 C.7.3.1.1.1
_LPS_ROW = {"RL": 0, "AP": 1, "IS": 2}


@dataclass(frozen=True)
class Plane:
    """One way to look at a clip.

    Attributes
    ----------
    name
        ``"Axial"``, ``"Coronal"``, ``"Sagittal"``, ``"3D"``; ``"Frame"`` where the source says no orientation.
    through
        Axis of the clip (0 frame, 1 y, 2 x) that the slider runs along; None in 3D.
    tilt_deg
        Degrees between the plane and the plane of the patient that it is named after, 0 to 90.
    """

    name: str
    through: int | None
    tilt_deg: float = 0.0

    @property
    def oblique(self) -> bool:
        """Whether the name is only the nearest one."""
        return self.tilt_deg > OBLIQUE_DEG

    @property
    def title(self) -> str:
        """The name as a button shows it: ``"Axial"``, or ``"Axial, oblique 18°"``."""
        return f"{self.name}, oblique {self.tilt_deg:.0f}°" if self.oblique else self.name

    @property
    def shows_frames(self) -> bool:
        """Whether this is the frame plane, in which box, scribble and lasso work."""
        return self.through == 0


def axis_direction(clip: Clip, axis: int) -> NDArray[np.float64]:
    """Where an axis of the clip (0 frame, 1 y, 2 x) runs in the patient: (3,), length 1, LPS."""
    column = clip.geometry.affine_lps[:3, 2 - axis]
    return np.asarray(column / np.linalg.norm(column))


def axis_of(letters: tuple[str, str, str], pair: str) -> int:
    """Axis of the clip whose letter is one of a pair such as ``"IS"``; see `Geometry.letters`."""
    return next(axis for axis, letter in enumerate(letters) if letter in pair)


def frame_plane(clip: Clip) -> Plane:
    """The plane of the clip's own frames, the one that a clip opens in."""
    return _plane(clip, 0)


def planes(clip: Clip) -> tuple[Plane, ...]:
    """Planes that a clip can be looked at in, in the order of their buttons.

    Axial, coronal, sagittal and 3D for a volume; the frame plane and 3D for one whose orientation nobody states; the
    frame plane alone for a cine or a single image.
    """
    if clip.order == "time" or len(clip) == 1:
        return (frame_plane(clip),)
    volume = Plane("3D", None)
    letters = clip.geometry.letters
    if letters is None:
        return frame_plane(clip), volume
    return (*(_plane(clip, axis_of(letters, pair)) for pair in _NAMES), volume)


def notes(clip: Clip) -> tuple[str, ...]:
    """Sentences on what the screen cannot show as it is: unknown or oblique orientation, tilt, uneven slices."""
    geometry = clip.geometry
    said = []
    if says_sides(clip) == "unknown":
        said.append("The file does not say how the patient lies: left and right are unknown.")
    if frame_plane(clip).oblique:
        said.append(
            f"The frames are oblique: {frame_plane(clip).name} is the nearest plane, and letters name two sides."
        )
    if clip.order == "depth" and geometry.oriented and geometry.sheared:
        angle = tilt_deg(geometry.affine_lps)
        said.append(f"The slices are tilted by {angle:.1f}°: the other planes and 3D show the stack straightened.")
    if geometry.frame_origins_lps is not None:
        said.append("The slices are unevenly spaced: the other planes and 3D show them evenly, positions are exact.")
    return tuple(said)


def says_sides(clip: Clip) -> Literal["known", "unknown", "none"]:
    """What is known of the patient's sides: ``"known"``, ``"unknown"``, or ``"none"`` where a picture has none.

    Ultrasound, endoscopy, photographs and video show no side of the patient.
    """
    if clip.geometry.oriented:
        return "known"
    photograph = not clip.modality and (clip.colour or clip.source.kind == "video")
    return "none" if photograph or clip.modality in _SIDELESS else "unknown"


def _plane(clip: Clip, through: int) -> Plane:
    letters = clip.geometry.letters
    if letters is None:
        return Plane("Frame", through)
    pair = next(pair for pair in _NAMES if letters[through] in pair)
    first, second = (axis_direction(clip, axis) for axis in range(3) if axis != through)
    normal = np.cross(first, second)
    cosine = abs(normal[_LPS_ROW[pair]]) / np.linalg.norm(normal)
    return Plane(_NAMES[pair], through, float(np.degrees(np.arccos(min(cosine, 1.0)))))
