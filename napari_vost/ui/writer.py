"""What napari calls to save a labels layer: masks leave through the exporters, with the geometry of their scan."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import napari
import numpy as np
from napari.utils.notifications import show_info

from napari_vost.case_names import reader_name
from napari_vost.clip import Clip
from napari_vost.errors import ExportError
from napari_vost.io.exporters import Segmented, export
from napari_vost.types import Segmentation
from napari_vost.ui.adopt import check_labels
from napari_vost.ui.background import awake
from napari_vost.ui.layers import CLIP, SESSION, clip_of
from napari_vost.ui.outlook import weak_frames, weak_line, with_suffix
from napari_vost.ui.say import say_notices

Meta = Mapping[str, Any]


def write_nifti(path: str, data: Any, meta: Meta) -> list[str]:
    """Write masks as NIfTI; see `write`."""
    return write(with_suffix(Path(path), (".nii.gz", ".nii")), data, meta)


def write_dicom_seg(path: str, data: Any, meta: Meta) -> list[str]:
    """Write masks as DICOM-SEG; see `write`."""
    return write(with_suffix(Path(path), (".dcm",)), data, meta)


def write_nrrd(path: str, data: Any, meta: Meta) -> list[str]:
    """Write masks as NRRD or MHA; see `write`."""
    return write(with_suffix(Path(path), (".nrrd", ".mha")), data, meta)


def write(path: Path, data: Any, meta: Meta) -> list[str]:
    """Write a labels layer in the format of its suffix; what the file does not hold is said.

    Of our own layer the session is written, with the names of its objects; a layer of somebody else is taken as labels
    of the clip that it lies on.

    Raises
    ------
    ExportError
        No clip that the labels lie on, a disk that is full, or something that the format cannot hold.
    InputError
        Labels of another shape, or ids that are none.
    """
    session = meta.get("metadata", {}).get(SESSION)
    if session is not None:
        said = list(_write(session, path, session.reader or reader_name()))
        weak = weak_line(weak_frames(session))
        say_notices([*said, weak] if weak else said)
    else:
        say_notices(_write(_of_others(data, meta), path, reader_name()))
    show_info(f"Written: {path}")
    return [str(path)]


def _write(masks: Segmentation | Segmented, path: Path, creator: str) -> tuple[str, ...]:
    return awake(partial(export, masks, path, creator=creator), "Writing the masks …", may_cancel=False)


def _of_others(data: Any, meta: Meta) -> Segmentation:
    from napari_vost.label_map import from_label_map

    array = data[0] if meta.get("multiscale") else data
    clip = _clip_below(array, meta)
    return from_label_map(check_labels(array, clip), clip)


def _clip_below(array: Any, meta: Meta) -> Clip:
    """The one clip of the viewer that labels lie on: its own, else the one of the same shape and place."""
    own = meta.get("metadata", {}).get(CLIP)
    if isinstance(own, Clip):
        return own
    viewer = napari.current_viewer()
    shape = tuple(int(size) for size in array.shape)
    images = [layer for layer in (() if viewer is None else viewer.layers) if clip_of(layer) is not None]
    same = [layer for layer in images if tuple(layer.data.shape[:3]) == shape]
    placed = [layer for layer in same if _lies_on(layer, meta)]
    clips = {id(clip): clip for clip in map(clip_of, placed) if clip is not None}
    if len(clips) == 1:
        return next(iter(clips.values()))
    if len(clips) > 1:
        raise ExportError(
            "Several images of this shape are open, and it is unclear which one was labelled: close others."
        )
    size = " × ".join(map(str, shape))
    if same:
        raise ExportError("The labels lie elsewhere than the image of their shape: give them its scale and translate.")
    raise ExportError(f"No image of the shape of these labels ({size}) was opened with VOST: open their scan first.")


def _lies_on(layer: Any, meta: Meta) -> bool:
    scale, translate = np.asarray(meta.get("scale", 1.0)), np.asarray(meta.get("translate", 0.0))
    if scale.shape not in ((), layer.scale.shape) or translate.shape not in ((), layer.translate.shape):
        return False
    step = np.asarray(layer.scale)
    return bool(
        np.allclose(scale, step, rtol=1e-4) and (np.abs(translate - np.asarray(layer.translate)) < 0.1 * step).all()
    )
