"""What was painted becomes masks when it is its turn: clicks and strokes before it have been answered by then."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.errors import InputError
from napari_vost.history import Place
from napari_vost.io.label_files import names_in, read_labels
from napari_vost.masks import Mask
from napari_vost.session import Session
from napari_vost.ui.adopt import check_labels

if TYPE_CHECKING:
    from napari_vost.ui.studio import Studio

Masks = tuple[Mapping[Place, Mask], str]  # by object and frame, (H, W); what the user should know of them
SPARED = "Another object is locked or hidden here and was left as it is: unlock it (K) or show it first."
RESAMPLED = "The file lies on another grid: each pixel has taken the nearest label, so look at the edges."


@dataclass(frozen=True)
class Patch:
    """Label maps (H, W) of a frame, before a stroke and after it."""

    frame_index: int
    old: NDArray[Any]
    new: NDArray[Any]


def masks_of(session: Session, patches: Sequence[Patch], chosen: int, hidden: Collection[int]) -> Masks:
    """New masks of the objects that gained or lost pixels.

    A pixel of an object that is locked there or hidden stays what it is, unless that object is the chosen one.

    Parameters
    ----------
    session
        Asked for what it holds now.
    patches
        What has been painted.
    chosen
        The object that was painted, or that the eraser was meant for.
    hidden
        Objects that the user does not see.

    Returns
    -------
    tuple of dict and str
        Masks, bool (H, W), by object and frame; what is said where pixels were spared.
    """
    masks: dict[Place, Mask] = {}
    said = ""
    for patch in patches:
        at, differs = patch.frame_index, patch.old != patch.new
        for other in np.unique(patch.old[differs]).tolist():
            if other not in (0, chosen) and (other in hidden or (other, at) in session.locks):
                differs &= patch.old != other
                said = SPARED
        for object_id in np.union1d(patch.old[differs], patch.new[differs]).tolist():
            if object_id:
                mask = mask_of(session, (object_id, at))
                mask[differs] = patch.new[differs] == object_id
                masks[object_id, at] = mask
    return masks, said


def mask_of(session: Session, place: Place) -> Mask:
    """The mask that a session holds, bool (H, W), to change; an empty one where there is none."""
    kept = session.ledger.kept.get(place)
    return np.zeros(session.clip.shape[1:], np.bool_) if kept is None else kept.mask.unpack()


def painted_ids(patches: Sequence[Patch]) -> frozenset[int]:
    """Objects that gained pixels."""
    return frozenset(int(one) for patch in patches for one in np.unique(patch.new[patch.old != patch.new]) if one)


def cut(session: Session, place: Place, inside: Mask) -> Masks:
    """A mask without what lies inside an outline, bool (H, W).

    Raises
    ------
    InputError
        Nothing lies there.
    """
    mask = mask_of(session, place)
    if not (mask & inside).any():
        raise InputError("There is nothing of this object inside the lasso to remove.")
    return {place: mask & ~inside}, ""


class LabelMasks(Mapping[Place, Mask]):
    """The masks of a label map (T, H, W), by object and frame; each is cut out when it is asked for."""

    def __init__(self, labels: NDArray[np.uint16]) -> None:
        self._labels = labels
        self._places = {
            (object_id, frame): None
            for frame, plane in enumerate(labels)
            for object_id in np.flatnonzero(np.bincount(plane.ravel())).tolist()
            if object_id
        }

    def __getitem__(self, place: Place) -> Mask:
        if place not in self._places:
            raise KeyError(place)
        return np.asarray(self._labels[place[1]] == place[0])

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def of_labels(session: Session, labels: Any) -> Masks:
    """The masks of an array of labels that lies on a session's clip.

    Raises
    ------
    InputError
        It is of another shape, holds ids that are none, or nothing at all.
    """
    masks = LabelMasks(check_labels(labels, session.clip))
    if not masks:
        raise InputError("The labels are empty: take a Labels layer in which something is drawn.")
    return masks, ""


def of_file(session: Session, path: Path) -> Masks:
    """The masks of a DICOM-SEG or a label map that lies on a disk; on another grid each pixel takes the nearest label.

    Objects that have no name yet take that of the file.

    Raises
    ------
    InputError
        It is no label map, holds nothing, or does not say where it lies on the scan.
    """
    said = ""
    try:
        labels = read_labels(path, session.clip)
    except InputError:
        labels, said = read_labels(path, session.clip, resample=True), RESAMPLED
    masks = of_labels(session, labels)[0]
    drawn = {object_id for object_id, _ in masks}
    for object_id, label in names_in(path).items():
        if object_id in drawn and object_id not in session.labels:
            session.name_object(object_id, label)
    return masks, said


def hand_over(
    studio: Studio, masks: Callable[[Session], Masks], objects: Collection[int], frames: Collection[int]
) -> None:
    """Have masks worked out and painted on the engine's thread; whatever comes of it, the frames are shown anew.

    Parameters
    ----------
    studio
        Whose session gets them.
    masks
        Works them out.
    objects
        Those that may begin with them.
    frames
        Where they lie.
    """

    def paint(session: Session) -> tuple[frozenset[int], str]:
        found, said = masks(session)
        session.paint(found)
        return frozenset(object_id for object_id, _ in found), said

    def painted(done: tuple[frozenset[int], str]) -> None:
        studio.masks_changed.emit(frozenset(frames))
        studio.objects_changed.emit()
        if done[0]:
            studio.refollow.corrected(done[0])
        if done[1]:
            studio.said.emit(done[1])

    def refused(sentence: str) -> None:
        studio.failed.emit(sentence)
        studio.masks_changed.emit(frozenset(frames))

    studio.begin(objects)
    studio.change(paint, painted, refused, go_on=True)
