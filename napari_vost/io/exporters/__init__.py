"""Results out: one file per format, found by suffix. Entry points ``napari_vost.exporters`` add more.

An exporter is a function like `Exporter`: it writes atomically and returns what it has to say to the user. An entry
point is named after its suffix without the dot (``csv``) and points to one.
"""

from __future__ import annotations

import importlib
import os
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

from napari_vost.errors import ExportError
from napari_vost.types import Segmentation

_FOLDER = "/"
_BUILT_IN = {
    ".nii.gz": "nifti",
    ".nii": "nifti",
    ".dcm": "dicom_seg",
    ".nrrd": "itk",
    ".mha": "itk",
    _FOLDER: "label_png",
}


class Exporter(Protocol):
    """A function that writes one format."""

    def __call__(
        self,
        segmentation: Segmentation,
        path: Path,
        *,
        reference: Path | None = None,
        fill_gap: bool = False,
        resample: bool = False,
        creator: str = "",
    ) -> tuple[str, ...]:
        """Write ``segmentation`` to ``path``; return notices for the user."""
        ...


class Segmented(Protocol):
    """Anything that can give its masks, such as a session."""

    def segmentation(self) -> Segmentation:
        """Masks with geometry, names and codes."""
        ...


def suffixes() -> tuple[str, ...]:
    """Every suffix that can be written; ``"/"`` stands for a folder of PNG files."""
    added = (f".{point.name.lstrip('.')}" for point in entry_points(group="napari_vost.exporters"))
    return tuple(sorted({*_BUILT_IN, *added}))


def exporter_for(path: str | os.PathLike[str]) -> Exporter:
    """Find the exporter for a path by its suffix; a path that ends in a slash or is a folder means PNG files.

    Raises
    ------
    ExportError
        A suffix that nobody writes.
    """
    text = os.fspath(path)
    if text.endswith(("/", os.sep)) or Path(text).is_dir():
        suffix = _FOLDER
    else:
        name = Path(text).name.lower()
        suffix = max((known for known in suffixes() if name.endswith(known)), key=len, default="")
    if suffix in _BUILT_IN:
        module = importlib.import_module(f"{__name__}.{_BUILT_IN[suffix]}")
        return cast(Exporter, module.write)
    for point in entry_points(group="napari_vost.exporters"):
        if suffix == f".{point.name.lstrip('.')}":
            return cast(Exporter, point.load())
    known = ", ".join(one for one in suffixes() if one != _FOLDER)
    raise ExportError(
        f"Cannot tell the format of {Path(text).name!r}: end the name in {known}, or in / for a folder of PNG files."
    )


def export(
    target: Segmentation | Segmented,
    path: str | os.PathLike[str],
    *,
    reference: str | os.PathLike[str] | None = None,
    fill_gap: bool = False,
    resample: bool = False,
    creator: str = "",
) -> tuple[str, ...]:
    """Write masks to a file whose suffix says the format, in the geometry of the scan.

    Parameters
    ----------
    target
        A segmentation, or anything with a method ``segmentation()`` that gives one, such as a session.
    path
        ``.nii``, ``.nii.gz``, ``.dcm`` (DICOM-SEG), ``.nrrd``, ``.mha``, or a folder (a path that ends in a slash) for
        one PNG file per frame.
    reference
        Folder of a DICOM series in the same place, for DICOM-SEG of a clip that was not DICOM.
    fill_gap
        Put empty slices where the series lacks some (NIfTI, NRRD, MHA).
    resample
        Bring unevenly spaced slices to an even grid, each from the nearest slice (NIfTI, NRRD, MHA).
    creator
        Who made the masks, for DICOM-SEG; left out if empty.

    Returns
    -------
    tuple of str
        What the file does not hold, or what was assumed: one sentence each.

    Raises
    ------
    ExportError
        Unknown suffix, something that the format cannot hold, or a target that cannot be written; nothing is left
        half-written then.
    """
    write = exporter_for(path)
    segmentation = target if isinstance(target, Segmentation) else target.segmentation()
    source = segmentation.source
    read = {one.resolve() for one in (*source.files, *([source.path] if source.path else []))}
    if Path(path).resolve() in read and not Path(path).is_dir():
        raise ExportError(f"Cannot write {os.fspath(path)}: that is the scan itself; choose another name.")
    return write(
        segmentation,
        Path(path),
        reference=None if reference is None else Path(reference),
        fill_gap=fill_gap,
        resample=resample,
        creator=creator,
    )
