"""What a user should know before masks are written: frames that are still weak, and what a format cannot hold."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from napari_vost.errors import ExportError
from napari_vost.geometry import is_sheared
from napari_vost.io.exporters import suffixes
from napari_vost.ui.lane_data import WEAK_BELOW

if TYPE_CHECKING:
    from napari_vost.session import Session
    from napari_vost.types import Segmentation

FOLDER = "/"
TITLES = {
    ".nii.gz": "NIfTI label map",
    ".dcm": "DICOM-SEG",
    ".nrrd": "NRRD label map",
    ".mha": "MHA label map",
    ".nii": "NIfTI, not packed",
    FOLDER: "PNG files in a folder",
}
_LABEL_MAPS = (".nii.gz", ".nii", ".nrrd", ".mha", FOLDER)
_MOST_RANGES = 6


def formats() -> dict[str, str]:
    """Suffix and title of every format that can be written, the usual ones first; ``"/"`` is a folder."""
    known = suffixes()
    ordered = [*(one for one in TITLES if one in known), *(one for one in known if one not in TITLES)]
    return {one: TITLES.get(one, one.lstrip(".").upper()) for one in ordered}


def weak_frames(session: Session) -> tuple[int, ...]:
    """Frames that hold a mask of low confidence which nobody has accepted, edited or locked, rising."""
    settings = session.ledger.settings
    return tuple(
        sorted(
            {
                place[1]
                for place, kept in tuple(session.ledger.kept.items())
                if kept.confidence < WEAK_BELOW and place not in settings.locks and settings.review(place) == "open"
            }
        )
    )


def weak_line(frames: Iterable[int]) -> str:
    """One sentence on weak frames, numbered from 1 as the screen does; "" where there is none."""
    numbers = [frame + 1 for frame in frames]
    if not numbers:
        return ""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    words = [f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    told = ", ".join(words[:_MOST_RANGES]) + (" …" if len(words) > _MOST_RANGES else "")
    many = len(numbers) > 1
    return (
        f"{len(numbers)} frame{'s are' if many else ' is'} still weak (image{'s' * many} {told}) and "
        f"{'are' if many else 'is'} written as {'they are' if many else 'it is'}."
    )


def overlap_rule(segmentation: Segmentation, suffix: str) -> str:
    """Where objects overlap, which one has the pixel in a file of a format; it may take a second."""
    if suffix in _LABEL_MAPS:
        kept = "the one with the smaller number keeps a shared pixel"
        if segmentation.overlaps():
            return f"Objects overlap, and this format holds one per pixel: {kept}. DICOM-SEG keeps all."
        return f"One object per pixel: {kept}."
    return "Objects may overlap: each one is written whole." if suffix == ".dcm" else ""


def not_held(segmentation: Segmentation, suffix: str, has_reference: bool = False) -> tuple[str, ...]:
    """What a file of a format will not hold of these masks, one sentence each; it may take a second."""
    if all(packed.empty for frames in segmentation.masks.values() for packed in frames.values()):
        return ("No object has a mask yet: mark something and follow it first.",)
    found = []
    if suffix == FOLDER:
        found.append("Pictures hold no spacing, no orientation and no names.")
    tilted = is_sheared(segmentation.geometry.affine_lps)
    if tilted and suffix in (".nrrd", ".mha"):
        found.append("The slices are tilted, which this format cannot hold: take NIfTI or DICOM-SEG.")
    elif tilted and suffix in (".nii.gz", ".nii"):
        found.append("The slices are tilted: programs built on ITK refuse such a NIfTI; DICOM-SEG has no such limit.")
    if uneven(segmentation, suffix):
        found.append("The slices are unevenly spaced, which this format holds only with one of the choices below.")
    if needs_reference(segmentation, suffix) and not has_reference:
        found.append(
            "DICOM-SEG refers to DICOM images, and this scan is none: choose the series that it was made from."
        )
    return tuple(found)


def uneven(segmentation: Segmentation, suffix: str) -> bool:
    """Whether a format wants even slices and these are not."""
    geometry = segmentation.geometry
    return suffix in _LABEL_MAPS and suffix != FOLDER and geometry.frame_origins_lps is not None


def needs_reference(segmentation: Segmentation, suffix: str) -> bool:
    """Whether a format refers to DICOM images and the scan is none."""
    return suffix == ".dcm" and not segmentation.source.kind.startswith("dicom")


def with_suffix(path: Path, allowed: Iterable[str]) -> Path:
    """A path as it was typed, with the first of the suffixes where it has none of them.

    Raises
    ------
    ExportError
        The file with the suffix exists: nobody was asked whether it may be replaced.
    """
    allowed = tuple(allowed)
    if path.name.lower().endswith(allowed):
        return path
    whole = path.with_name(path.name + allowed[0])
    if whole.exists():
        raise ExportError(f"{whole} exists already: type the whole name to replace it, or choose another one.")
    return whole
