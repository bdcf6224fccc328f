"""What a path holds, in plain facts: never a name, an id or a date of a patient."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from napari_vost.errors import ReadError
from napari_vost.geometry import tilt_deg
from napari_vost.io.readers.candidates import USES, Candidate, Found, Options, look
from napari_vost.io.readers.registry import find
from napari_vost.types import Order


@dataclass(frozen=True)
class SeriesDescription:
    """One thing that opens as a clip.

    Attributes
    ----------
    number
        What ``series=`` takes, from 1.
    kind, modality, uid, label
        As in `Source.kind`; DICOM modality, series UID; what tells it from others of its series.
    path
        File or folder, relative to what was described.
    frames, height, width, colour
        Size of the clip; of a 4D source, of one time point.
    spacing_mm_zyx
        Millimetres per (frame, y, x) step, None where the source does not say.
    orientation
        Patient side that (frame, y, x) run towards, such as ``"SPL"``; "" where unknown.
    tilt_deg
        Angle between the stacking direction and the normal of the frames; above 0.1 the stack is sheared.
    order
        ``"depth"`` or ``"time"``; None for a 4D source.
    time_points, slices
        Of a 4D source; None for the rest.
    frame_time_s, heart_rate_hz
        None where unknown.
    transfer_syntax
        Name of the DICOM encoding, "" for the rest.
    choices
        What a 4D source asks to be chosen.
    notices
        What opening it would say.
    problem
        Why it cannot be opened, "" when it can.
    """

    number: int
    kind: str
    path: str
    modality: str = ""
    uid: str = ""
    label: str = ""
    frames: int = 0
    height: int = 0
    width: int = 0
    colour: bool = False
    spacing_mm_zyx: tuple[float, float, float] | None = None
    orientation: str = ""
    tilt_deg: float = 0.0
    order: Order | None = None
    time_points: int | None = None
    slices: int | None = None
    frame_time_s: float | None = None
    heart_rate_hz: float | None = None
    transfer_syntax: str = ""
    choices: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class ObjectDescription:
    """An object without an image: what it is, where, and what to do with it."""

    what: str
    path: str
    advice: str


@dataclass(frozen=True)
class Description:
    """What `napari-vost info` prints about a path.

    Attributes
    ----------
    path
        What was described.
    kind
        Kind of all series, ``"mixed"`` when they differ, ``"no image"`` when there is none.
    modality
        Modalities of all series, "" when none says.
    series
        What opens as a clip.
    without_pixels
        SEG, SR, RTSTRUCT and other objects that are no images.
    notices
        About the search.
    """

    path: str
    kind: str
    modality: str
    series: tuple[SeriesDescription, ...]
    without_pixels: tuple[ObjectDescription, ...] = ()
    notices: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers, as JSON takes them."""
        return asdict(self)


def describe(path: str | os.PathLike[str]) -> Description:
    """Say what a path holds; headers are read, pixels are not.

    Raises
    ------
    ReadError
        The path does not exist, is empty, or holds nothing that any reader knows.
    """
    where = Path(path)
    found = find(where)
    series = tuple(_describe(number, one, where) for number, one in enumerate(found.candidates, 1))
    kinds = sorted({one.kind for one in series})
    modalities = sorted({one.modality for one in series if one.modality})
    return Description(
        path=str(where),
        kind="no image" if not kinds else kinds[0] if len(kinds) == 1 else "mixed",
        modality=", ".join(modalities),
        series=series,
        without_pixels=_objects(found, where),
        notices=found.notices,
    )


def _objects(found: Found, where: Path) -> tuple[ObjectDescription, ...]:
    return tuple(
        ObjectDescription(one.what, _relative(one.path, where), USES.get(one.what, "an object without an image"))
        for one in found.without_pixels
    )


def _relative(path: Path, where: Path) -> str:
    if where.is_dir() and path.is_relative_to(where):
        return str(path.relative_to(where))
    return path.name


def _describe(number: int, candidate: Candidate, where: Path) -> SeriesDescription:
    known: dict[str, Any] = {
        "number": number,
        "kind": candidate.kind,
        "path": _relative(candidate.path, where),
        "modality": candidate.modality,
        "uid": candidate.uid,
        "label": candidate.label,
        "transfer_syntax": candidate.transfer_syntax,
    }
    try:
        return SeriesDescription(**known, **_facts(candidate))
    except ReadError as problem:
        height, width = candidate.size
        return SeriesDescription(**known, frames=candidate.frames, height=height, width=width, problem=str(problem))


def _facts(candidate: Candidate) -> dict[str, Any]:
    clip = look(candidate)
    frames, height, width = clip.shape
    shape = clip.source.grid.shape
    geometry = clip.geometry
    facts: dict[str, Any] = {
        "frames": frames,
        "height": height,
        "width": width,
        "colour": clip.colour,
        "spacing_mm_zyx": tuple(round(size, 6) for size in geometry.spacing_mm_zyx) if geometry.spaced else None,
        "orientation": "".join(geometry.letters or ()),
        "tilt_deg": round(tilt_deg(geometry.affine_lps), 2),
        "order": clip.order,
        "frame_time_s": clip.frame_time_s,
        "heart_rate_hz": clip.heart_rate_hz,
        "notices": clip.notices,
    }
    if len(shape) == 4 and shape[2] > 1:
        facts |= {"order": None, "time_points": shape[3], "slices": shape[2], "frames": shape[2]}
        facts["frame_time_s"] = candidate.open(Options(order="time", at=0)).frame_time_s
        facts["choices"] = (
            f"order='depth', at=0 to {shape[3] - 1}: the volume of one time point",
            f"order='time', at=0 to {shape[2] - 1}: the cine of one slice",
        )
    return facts
