"""What readers find in a path before anything is opened: candidates for a clip, and objects that are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from napari_vost.clip import Clip
from napari_vost.errors import ChoiceNeeded, ReadError
from napari_vost.types import Order

Axis = int | str
ONE_FRAME = "This is a clip of one frame: there is nothing to follow."


@dataclass(frozen=True)
class Options:
    """What the caller chose.

    Attributes
    ----------
    order
        ``"depth"`` or ``"time"``; None leaves it to the source.
    axis
        Axis of the default clip array (frame, y, x) that the frames run along, 0, 1 or 2, or ``"axial"``,
        ``"coronal"``, ``"sagittal"``.
    at
        Time point (order ``"depth"``) or slice (order ``"time"``) of a 4D source, from 0.
    """

    order: Order | None = None
    axis: Axis | None = None
    at: int | None = None

    def __post_init__(self) -> None:
        if self.order not in (None, "depth", "time"):
            raise ReadError(f"order must be 'depth' or 'time', got {self.order!r}.")


@dataclass(frozen=True, eq=False)
class Candidate:
    """Something that opens as one clip.

    Attributes
    ----------
    kind
        As in `Source.kind`.
    path
        The file, or the folder of a series or an image stack.
    files
        All files that it is made of.
    open
        Makes the clip; reads headers, no pixels.
    modality, uid, transfer_syntax, label
        Facts for lists: DICOM modality, series UID, name of the encoding, what tells it from others of its series.
    frames, size
        Images and their ``(height, width)`` as far as they are known without opening it; 0 where they are not.
    """

    kind: str
    path: Path
    files: tuple[Path, ...]
    open: Callable[[Options], Clip]
    modality: str = ""
    uid: str = ""
    transfer_syntax: str = ""
    label: str = ""
    frames: int = 0
    size: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class WithoutPixels:
    """An object that is no image: a segmentation, a report, contours.

    Attributes
    ----------
    what
        ``"SEG"``, ``"SR"``, ``"RTSTRUCT"``, …
    path
        Where it is.
    """

    what: str
    path: Path


@dataclass(frozen=True, eq=False)
class Found:
    """What one reader found: candidates in a fixed order, objects without pixels, and notices about the search."""

    candidates: tuple[Candidate, ...] = ()
    without_pixels: tuple[WithoutPixels, ...] = ()
    notices: tuple[str, ...] = ()

    def __add__(self, other: Found) -> Found:
        return Found(
            self.candidates + other.candidates,
            self.without_pixels + other.without_pixels,
            self.notices + other.notices,
        )


class Reader(Protocol):
    """A reader: which file names are its own, and what it makes of them."""

    name: str
    suffixes: tuple[str, ...]

    def find(self, files: tuple[Path, ...]) -> Found:
        """Candidates among files; must not read pixels."""
        ...


USES = {
    "SEG": "a segmentation (SEG): open the scan that it was drawn on, then start from it",
    "SR": "a report (SR): it holds measurements and text, open the images that it speaks of",
    "RTSTRUCT": "contours (RTSTRUCT): open the scan that they were drawn on",
}


def advice(objects: tuple[WithoutPixels, ...]) -> str:
    """Say in words what objects without pixels are, and what to open instead."""
    kinds = sorted({one.what for one in objects})
    return "; ".join(
        USES.get(kind, f"an object without an image ({kind}): open the images that it belongs to") for kind in kinds
    )


def look(candidate: Candidate) -> Clip:
    """Open a candidate for its facts; of a 4D source the first time point stands for all.

    Raises
    ------
    ReadError
        The candidate cannot be opened whatever is chosen.
    """
    try:
        return candidate.open(Options())
    except ChoiceNeeded:
        return candidate.open(Options(order="depth", at=0))


def summary(number: int, candidate: Candidate) -> str:
    """One line about a candidate: number, modality, frames, size, and what tells it apart."""
    words = [f"{number}:", candidate.modality or candidate.kind]
    try:
        clip = look(candidate)
    except ReadError as problem:
        words.append(f"cannot be opened ({problem})")
    else:
        frames, height, width = clip.shape
        shape = clip.source.grid.shape
        points = f" x {shape[3]} time points" if len(shape) == 4 else ""
        words.append(f"{shape[2] if points else frames} frames{points}, {height} x {width} px")
    words += [word for word in (candidate.label, candidate.path.name if not candidate.uid else candidate.uid) if word]
    return " ".join(words)


def choose(found: Found, series: str | int | None, path: Path) -> Candidate:
    """Pick the one candidate that is meant.

    Raises
    ------
    ReadError
        There is none, or no such series.
    ChoiceNeeded
        There are several and none is chosen.
    """
    candidates = found.candidates
    if series is not None:
        word = str(series)
        if word.isdigit() and 1 <= int(word) <= len(candidates):
            return candidates[int(word) - 1]
        named = tuple(one for one in candidates if one.uid == word)
        if not named:
            numbers = f"1 to {len(candidates)}" if candidates else "none"
            raise ReadError(f"Series {word!r} is not in {path}: give a number ({numbers}) or a series UID from `info`.")
        candidates = named
    if len(candidates) == 1:
        return candidates[0]
    lines = [summary(found.candidates.index(one) + 1, one) for one in candidates]
    raise ChoiceNeeded(f"{path} holds {len(lines)} series: choose one with series=NUMBER (--series NUMBER).", lines)
