"""The words of napari-vost: frames, prompts, scores, results. Frozen, numpy only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_vost.geometry import Geometry, Grid
from napari_vost.masks import Mask, PackedMask

Order = Literal["depth", "time"]
Direction = Literal["forward", "backward", "both"]
Image = NDArray[np.generic]


@dataclass(frozen=True)
class PointPrompt:
    """A click on one frame. ``y`` and ``x`` are array pixels, centres on integers."""

    frame_index: int
    object_id: int
    y: float
    x: float
    positive: bool = True


@dataclass(frozen=True)
class BoxPrompt:
    """A box on one frame, corners ``(y0, x0)`` and ``(y1, x1)`` in array pixels, both inside the box."""

    frame_index: int
    object_id: int
    y0: float
    x0: float
    y1: float
    x1: float


@dataclass(frozen=True)
class ScribblePrompt:
    """A stroke on one frame: the points ``(y, x)`` that the pen passed, in order."""

    frame_index: int
    object_id: int
    points_yx: tuple[tuple[float, float], ...]
    positive: bool = True


@dataclass(frozen=True)
class MaskPrompt:
    """A mask on one frame, taken as truth. An empty mask says that the object is not here."""

    frame_index: int
    object_id: int
    mask: PackedMask


Prompt = PointPrompt | BoxPrompt | ScribblePrompt | MaskPrompt


@dataclass(frozen=True)
class Scores:
    """What the network and the motion prior thought of one answer.

    Attributes
    ----------
    affinity
        Predicted IoU of the chosen mask, 0 to 1.
    occurrence
        Logit that the object is in the frame; positive means present.
    motion
        IoU of the mask's box with the predicted box, 0 to 1; None without a motion prior.
    """

    affinity: float
    occurrence: float
    motion: float | None = None


@dataclass(frozen=True)
class FrameResult:
    """One frame's answer, by object id. Masks are bool (H, W); confidence is 0 to 1, see `confidence`."""

    frame_index: int
    masks: Mapping[int, Mask]
    scores: Mapping[int, Scores]
    confidence: Mapping[int, float]


@dataclass(frozen=True)
class Region:
    """Part of a frame that the network looks at: corner and size in array pixels; it may reach past the frame.

    Pixel centre ``y`` of the frame lies at ``(y + 0.5 - y0) * input_size / height - 0.5`` of the network's input.
    """

    y0: float
    x0: float
    height: float
    width: float

    @classmethod
    def full(cls, height: int, width: int) -> Region:
        """The whole frame; squashed to a square as SAM 2 does."""
        return cls(0.0, 0.0, float(height), float(width))


@dataclass(frozen=True)
class Code:
    """A coded concept (DICOM PS3.3 section 8): value, coding scheme and meaning."""

    value: str
    scheme: str
    meaning: str


TISSUE = Code("85756007", "SCT", "Tissue")


@dataclass(frozen=True)
class Label:
    """What an object is called, for exports. ``category`` and ``type`` are SNOMED CT codes unless said otherwise."""

    name: str
    category: Code = TISSUE
    type: Code = TISSUE
    colour_rgb: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Source:
    """Where a clip came from; enough to find it again and to reference it in DICOM.

    Attributes
    ----------
    kind
        ``dicom-series``, ``dicom-multiframe``, ``nifti``, ``itk``, ``video``, ``image-stack`` or ``array``.
    path
        What was opened; None for arrays.
    grid
        Where the clip's pixels lie in the stored array.
    files
        One file per frame for series and image stacks (a multi-frame object: one file), in the clip's frame order.
    instance_uids
        DICOM SOP instance UID per frame (one for a multi-frame object); empty for the rest.
    frame_numbers
        Frame number, from 1, inside a multi-frame object per frame of the clip; empty for the rest.
    series_uid
        DICOM series instance UID, "" for the rest.
    instance_numbers
        DICOM instance number per frame, as a PACS shows it, where every frame is an instance that has one; else empty.
    opened
        What opened it (path, order, axis, at, series), so that it can be opened again; empty for arrays.
    """

    kind: str
    grid: Grid
    path: Path | None = None
    files: tuple[Path, ...] = ()
    instance_uids: tuple[str, ...] = ()
    frame_numbers: tuple[int, ...] = ()
    series_uid: str = ""
    opened: tuple[tuple[str, str | int], ...] = ()
    instance_numbers: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Masks with everything an exporter or a metric needs to know about them.

    Attributes
    ----------
    shape
        ``(T, H, W)`` of the clip.
    masks
        ``masks[object_id][frame_index]``; a frame that is missing is empty.
    labels
        Name and codes by object id; ids are positive and need not be contiguous.
    order, geometry, source
        As in the clip.
    frame_times_s
        Seconds of each frame, None where unknown or for depth.
    algorithm
        Name and version of what made the masks, as DICOM-SEG stores them.
    """

    shape: tuple[int, int, int]
    masks: Mapping[int, Mapping[int, PackedMask]]
    labels: Mapping[int, Label]
    order: Order
    geometry: Geometry
    source: Source
    frame_times_s: tuple[float, ...] | None = None
    algorithm: tuple[str, str] = ("napari-vost", "")
    notices: tuple[str, ...] = field(default=())

    @property
    def object_ids(self) -> tuple[int, ...]:
        """Object ids in rising order."""
        return tuple(sorted(self.masks))

    def mask(self, object_id: int, frame_index: int) -> Mask:
        """Mask of one object on one frame, bool (H, W)."""
        packed = self.masks[object_id].get(frame_index)
        return np.zeros(self.shape[1:], dtype=bool) if packed is None else packed.unpack()

    def volume(self, object_id: int) -> Mask:
        """All masks of one object, bool (T, H, W)."""
        volume = np.zeros(self.shape, dtype=bool)
        for frame_index, packed in self.masks[object_id].items():
            volume[frame_index] = packed.unpack()
        return volume

    def label_frame(self, frame_index: int) -> NDArray[np.uint16]:
        """One frame of the label map, uint16 (H, W). Where objects overlap the smaller id wins."""
        frame = np.zeros(self.shape[1:], dtype=np.uint16)
        for object_id in reversed(self.object_ids):
            packed = self.masks[object_id].get(frame_index)
            if packed is not None and not packed.empty:
                frame[packed.unpack()] = object_id
        return frame

    def label_frames(self) -> Iterator[NDArray[np.uint16]]:
        """Frames of the label map in order; see `label_frame`."""
        return (self.label_frame(frame_index) for frame_index in range(self.shape[0]))

    def label_map(self) -> NDArray[np.uint16]:
        """The whole label map, uint16 (T, H, W). Where objects overlap the smaller id wins."""
        return np.stack(list(self.label_frames()))

    def overlaps(self) -> bool:
        """Whether any pixel belongs to two objects, so that a label map would lose something."""
        for frame_index in range(self.shape[0]):
            taken = np.zeros(self.shape[1:], dtype=bool)
            for object_id in self.object_ids:
                packed = self.masks[object_id].get(frame_index)
                if packed is not None and not packed.empty:
                    mask = packed.unpack()
                    if (taken & mask).any():
                        return True
                    taken |= mask
        return False
